//! The test vectors in `docs/canonical-form.md` are what the code does.

use std::path::Path;

use bytekiln_codec::{CanonicalOptions, Limits, canonicalize};

use crate::modules::release;

#[test]
fn vectors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/canonical-form.md");
    let text = std::fs::read_to_string(path).expect("the document");
    let mut count = 0;
    for block in text.split("```vector\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        check(block);
        count += 1;
    }
    assert!(count >= 8, "{count} vectors");
}

fn check(block: &str) {
    let field = |name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no `{name}` in {block}"))
    };
    let minor = field("release").strip_prefix("3.").expect("a release").parse().expect("a number");
    let options = CanonicalOptions {
        release: release(minor),
        recorded_path: field("path").as_bytes(),
        limits: Limits::default(),
    };
    match canonicalize(&bytes(field("in")), &options) {
        Ok(canonical) => {
            assert_eq!(hexadecimal(&canonical), field("out").replace(' ', ""), "{block}")
        }
        Err(error) => assert_eq!(format!("refused: {}", error.kind), field("out"), "{block}"),
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().filter(|digit| *digit != ' ').collect();
    let byte = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        u8::from_str_radix(&pair, 16).expect("hexadecimal digits")
    };
    digits.chunks(2).map(byte).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
