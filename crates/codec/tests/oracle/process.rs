//! The Python processes of `compile.py` and `canonical.py`, spoken to over their pipes.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bytekiln_codec::{CanonicalOptions, NanPolicy};
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
    /// `files` is how many below `folder` to take, or of the standard library, spread evenly; 0
    /// takes all.
    pub(crate) fn start(
        interpreter: &Path,
        release: Release,
        files: usize,
        order: &str,
        folder: Option<&Path>,
    ) -> Process {
        let folder = folder.map(|folder| folder.to_string_lossy().into_owned());
        let arguments = [&files.to_string(), order, folder.as_deref().unwrap_or_default()];
        let mut process = Process::spawn(interpreter, include_str!("compile.py"), &arguments);
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
        self.send(canonical);
        self.to.flush().expect("a pipe");
        String::from_utf8(self.receive()).expect("a verdict")
    }

    /// The second implementation of the canonical form.
    pub(crate) fn second_implementation(interpreter: &Path) -> Process {
        Process::spawn(interpreter, include_str!("canonical.py"), &[])
    }

    /// What the second implementation makes of a payload.
    pub(crate) fn canonicalize(
        &mut self,
        options: &CanonicalOptions<'_>,
        payload: &[u8],
    ) -> Vec<u8> {
        self.send(options.release.minor().to_string().as_bytes());
        let profile: &[u8] = match options.nans {
            NanPolicy::Kept => b"",
            NanPolicy::Positive => b"nan=positive",
        };
        self.send(profile);
        self.send(options.recorded_path);
        self.send(payload);
        self.to.flush().expect("a pipe");
        self.receive()
    }

    fn spawn(interpreter: &Path, script: &str, arguments: &[&str]) -> Process {
        let mut child = Command::new(interpreter)
            .args(["-I", "-B", "-c", script])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter starts");
        let to = BufWriter::new(child.stdin.take().expect("a pipe"));
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        Process { child, to, from }
    }

    fn send(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).expect("a length");
        self.to.write_all(&length.to_le_bytes()).expect("a pipe");
        self.to.write_all(frame).expect("a pipe");
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
        // Already gone after the last file; otherwise nobody reads on.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
