//! Names in zips: UTF-8 if flag bit 11 says so, else code page 437, which is what CPython's
//! `zipimport` and `zipfile` read.

/// The upper half of code page 437.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name as bytes of a path. UTF-8 is taken as it is, even where it is broken.
pub(super) fn decode(raw: &[u8], utf8: bool) -> Vec<u8> {
    if utf8 || raw.is_ascii() {
        return raw.to_vec();
    }
    let mut name = String::with_capacity(raw.len() * 2);
    for byte in raw {
        if byte.is_ascii() {
            name.push(char::from(*byte));
        } else {
            name.extend(UPPER.chars().nth(usize::from(byte - 128)));
        }
    }
    name.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437() {
        assert_eq!(UPPER.chars().count(), 128);
        // bytes(range(128, 256)).decode("cp437") of CPython 3.11, picked out.
        for (byte, character) in [(0x80, 'Ç'), (0x94, 'ö'), (0xe1, 'ß'), (0xf8, '°'), (0xfe, '■')]
        {
            assert_eq!(decode(&[b'a', byte], false), format!("a{character}").into_bytes());
        }
        assert_eq!(decode(b"\xff\xfe", true), b"\xff\xfe");
    }
}
