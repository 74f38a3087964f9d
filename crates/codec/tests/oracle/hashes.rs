//! Source hashes against `importlib.util.source_hash` of each interpreter, for all lengths at which
//! SipHash takes another path.

use std::process::Command;

use bytekiln_codec::source_hash;
use bytekiln_python::Release;

use crate::interpreters;

const SCRIPT: &str = "
import importlib.util
for length in list(range(18)) + [255, 256, 257, 1 << 20]:
    source = bytes(bytearray((7 * place + length) % 256 for place in range(length)))
    print(length, importlib.util.source_hash(source).hex())
";

#[test]
fn source_hashes_of_each_length() {
    let mut compared = 0;
    for minor in 8..=15 {
        let release = Release::from_minor(minor).expect("a known release");
        for interpreter in interpreters::find(minor) {
            let output = Command::new(&interpreter).args(["-I", "-c", SCRIPT]).output();
            let text = String::from_utf8(output.expect("the interpreter starts").stdout);
            for line in text.expect("UTF-8").lines() {
                let (length, expect) = line.split_once(' ').expect("two words");
                let length: usize = length.parse().expect("a number");
                let source: Vec<u8> =
                    (0..length).map(|place| ((7 * place + length) % 256) as u8).collect();
                let found = source_hash(release, &source).to_string();
                assert_eq!(found, expect, "{length} bytes, {}", interpreter.display());
                compared += 1;
            }
        }
    }
    println!("{compared} hashes");
    assert!(compared >= 22, "no interpreter was found");
}
