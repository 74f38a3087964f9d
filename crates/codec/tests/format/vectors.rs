//! Reads the test vectors out of `docs/canonical-form.md`. Two test binaries include this file.

use std::path::Path;

use bytekiln_codec::NanPolicy;

/// A payload and what becomes of it.
pub(crate) struct Vector {
    pub(crate) minor: u8,
    pub(crate) path: String,
    /// `Positive` where the vector has a line `profile: nan=positive`.
    pub(crate) nans: NanPolicy,
    pub(crate) payload: Vec<u8>,
    /// Canonical bytes, or why they are refused.
    pub(crate) expect: Result<Vec<u8>, String>,
}

/// All vectors of the document, in its order.
pub(crate) fn vectors() -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/canonical-form.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let blocks = text.split("```vector\n").skip(1);
    blocks.map(|block| parse(block.split("```").next().unwrap_or_default())).collect()
}

fn parse(block: &str) -> Vector {
    let field = |name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no `{name}` in {block}"))
    };
    let minor = field("release").strip_prefix("3.").expect("a release").parse();
    Vector {
        minor: minor.expect("a number"),
        path: field("path").to_owned(),
        nans: if block.contains("\nprofile: nan=positive\n") {
            NanPolicy::Positive
        } else {
            NanPolicy::Kept
        },
        payload: bytes(field("in")),
        expect: match field("out").strip_prefix("refused: ") {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(bytes(field("out"))),
        },
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().collect();
    let byte = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        u8::from_str_radix(&pair, 16).expect("hexadecimal digits")
    };
    digits.chunks(2).map(byte).collect()
}
