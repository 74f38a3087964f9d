//! Interpreters that compile for a test.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bytekiln_test_support::pythons::{Python, find_or_skip};

/// Runs a script, with bytes on its standard input; its standard output.
pub(crate) fn run(python: &Python, script: &str, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(&python.path)
        .args(["-I", "-S", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("an interpreter starts");
    child.stdin.take().expect("its input").write_all(input).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{} failed", python.path.display());
    output.stdout
}

/// The `.pyc` of a source, of a timestamp; `None`, said aloud, if there is no such interpreter.
pub(crate) fn compile(minor: u8, source: &str) -> Option<Vec<u8>> {
    written(minor, source, "marshal.dumps(code)")
}

/// As [`compile`], with the payload that this expression makes of `code`.
pub(crate) fn written(minor: u8, source: &str, payload: &str) -> Option<Vec<u8>> {
    let python = find_or_skip(3, minor)?;
    let script = format!(
        "import marshal, sys, importlib.util\n\
         source = sys.stdin.buffer.read()\n\
         code = compile(source, 'm.py', 'exec', dont_inherit=True)\n\
         sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + bytes(12) + {payload})"
    );
    Some(run(python, &script, source.as_bytes()))
}
