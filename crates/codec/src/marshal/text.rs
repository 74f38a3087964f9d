//! Strings in marshal: UTF-8 in which surrogates stand alone as three bytes (`surrogatepass`), and
//! Latin-1 in the types that are called ASCII.

/// Whether these bytes decode under `utf-8` with `surrogatepass`: UTF-8 without over-long forms,
/// plus U+D800 to U+DFFF as three bytes each. The encoding is one to one with code point sequences,
/// so equality of strings is equality of bytes.
pub(crate) fn is_wtf8(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return true,
            Err(error) => {
                // A surrogate is ED A0..BF 80..BF, and the only thing added to UTF-8.
                match rest.get(error.valid_up_to()..) {
                    Some([0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..]) => rest = after,
                    _ => return false,
                }
            }
        }
    }
}

/// Latin-1 as UTF-8.
pub(crate) fn push_latin1(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if byte.is_ascii() {
            out.push(*byte);
        } else {
            out.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]);
        }
    }
}

/// Whether all characters are of `[A-Za-z0-9_]`: the strings that CPython interns when it makes a
/// code object, whatever they are for.
pub(crate) fn is_word(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wtf8() {
        for good in [
            &b""[..],
            b"abc",
            "größe\u{10ffff}".as_bytes(),
            b"\xed\xa0\x80",
            b"a\xed\xbf\xbfb\xed\xa0\x80",
            b"\xed\xa0\xbd\xed\xb2\xa9",
        ] {
            assert!(is_wtf8(good), "{good:x?}");
        }
        for bad in [
            &b"\x80"[..],
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xf0\x80\x80\x80",
            b"\xf4\x90\x80\x80",
            b"\xed\xa0",
            b"\xed\xa0\x7f",
            b"a\xff",
        ] {
            assert!(!is_wtf8(bad), "{bad:x?}");
        }
    }

    #[test]
    fn latin1() {
        let mut out = Vec::new();
        push_latin1(b"a\xe9\x80\xff", &mut out);
        assert_eq!(std::str::from_utf8(&out), Ok("aé\u{80}ÿ"));
    }
}
