//! The count of tokens against CPython's own tokenizer, over its standard library.

use std::process::Command;

use bytekiln_assembly::compile_cost;
use bytekiln_test_support::pythons;

/// Prints `count path` of some two hundred files.
const COUNT: &str = r#"
import glob, io, os, tokenize
passed = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
for path in sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py"))):
    source = open(path, "rb").read()
    tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    print(sum(token.type not in passed for token in tokens), path)
"#;

#[test]
fn the_count_is_near_cpythons() {
    let Some(python) = pythons::find_or_skip(3, 11) else { return };
    let output = Command::new(&python.path).args(["-I", "-c", COUNT]).output().unwrap();
    assert!(output.status.success());
    let mut compared = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (count, path) = line.split_once(' ').unwrap();
        let count: u64 = count.parse().unwrap();
        let ours = compile_cost(&std::fs::read(path).unwrap());
        // Ours counts no indentation.
        assert!(ours + 20 > count - count / 6 && ours < count + count / 10 + 20, "{ours} {line}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}
