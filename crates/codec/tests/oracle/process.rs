//! The Python process of `compile.py`, spoken to over its pipes.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bytekiln_python::Release;

pub(crate) struct Process {
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// One source, marshalled in several ways.
pub(crate) struct Compiled {
    pub(crate) path: String,
    pub(crate) source_hash: Vec<u8>,
    pub(crate) source: Vec<u8>,
    pub(crate) variants: Vec<Vec<u8>>,
}

impl Process {
    /// `files` is how many of the standard library to take, spread evenly; 0 takes all.
    pub(crate) fn start(
        interpreter: &Path,
        release: Release,
        files: usize,
        order: &str,
    ) -> Process {
        let mut child = Command::new(interpreter)
            .args(["-I", "-B", "-c", include_str!("compile.py")])
            .args([&files.to_string(), order])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter starts");
        let to = BufWriter::new(child.stdin.take().expect("a pipe"));
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut process = Process { child, to, from };
        let magic = process.receive();
        assert_eq!(magic, release.magic_bytes(), "{} is not final", interpreter.display());
        process
    }

    /// The next file; `None` after the last.
    pub(crate) fn next(&mut self) -> Option<Compiled> {
        let path = String::from_utf8(self.receive()).expect("a UTF-8 path");
        if path.is_empty() {
            assert!(self.child.wait().expect("the interpreter ends").success());
            return None;
        }
        let source_hash = self.receive();
        let source = self.receive();
        let count = self.receive()[0];
        let variants = (0..count).map(|_| self.receive()).collect();
        Some(Compiled { path, source_hash, source, variants })
    }

    /// Has canonical bytes loaded and compared with the last file; empty if they are equal.
    pub(crate) fn judge(&mut self, canonical: &[u8]) -> String {
        let length = u32::try_from(canonical.len()).expect("a length");
        self.to.write_all(&length.to_le_bytes()).expect("a pipe");
        self.to.write_all(canonical).expect("a pipe");
        self.to.flush().expect("a pipe");
        String::from_utf8(self.receive()).expect("a verdict")
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length).expect("a frame");
        let mut frame = vec![0; u32::from_le_bytes(length) as usize];
        self.from.read_exact(&mut frame).expect("a frame");
        frame
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone after the last file; otherwise a test failed and nobody reads on.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
