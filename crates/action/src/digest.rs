//! Digests as the Remote Execution API has them: SHA-256 and a size.

use sha2::{Digest as _, Sha256};

/// The identity of some bytes: their SHA-256 and their number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    /// SHA-256 of the bytes.
    pub hash: [u8; 32],
    /// How many bytes.
    pub size: u64,
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest { hash: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
    }

    /// The hash in 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        to_hex(&self.hash)
    }

    /// Reads `HEX/SIZE`, as `Display` writes it.
    pub fn parse(text: &str) -> Result<Digest, ParseDigestError> {
        let (hash, size) = text.split_once('/').ok_or(ParseDigestError)?;
        let size = size.parse().map_err(|_| ParseDigestError)?;
        Ok(Digest { hash: from_hex(hash).ok_or(ParseDigestError)?, size })
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.to_hex(), self.size)
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// The identity of an action: SHA-256 over its key (see [`crate::Action::describe`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionDigest(pub [u8; 32]);

impl ActionDigest {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<ActionDigest, ParseDigestError> {
        from_hex(text).map(ActionDigest).ok_or(ParseDigestError)
    }
}

impl std::fmt::Display for ActionDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl std::fmt::Debug for ActionDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseDigestError;

impl std::fmt::Display for ParseDigestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "not a digest: 64 hexadecimal digits are wanted, and `/SIZE` where bytes are meant",
        )
    }
}

impl std::error::Error for ParseDigestError {}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(nibble)]));
        }
    }
    text
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let digest = Digest::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad/3"
        );
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        assert_eq!(Digest::parse("+a7816"), Err(ParseDigestError));
    }
}
