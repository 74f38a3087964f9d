//! The Python process of `dump.py`, and the records it writes.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct Records {
    child: Child,
    from: BufReader<std::process::ChildStdout>,
}

/// Lists of texts or bytes.
pub(crate) type Record = Vec<Vec<Vec<u8>>>;

impl Records {
    pub(crate) fn start(interpreter: &Path, files: usize) -> Records {
        let mut child = Command::new(interpreter)
            .args(["-I", "-B", "-W", "ignore", "-c", include_str!("dump.py"), &files.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter starts");
        let from = BufReader::new(child.stdout.take().expect("a pipe"));
        Records { child, from }
    }

    /// The next record; `None` at the end of a sequence of them.
    pub(crate) fn next(&mut self) -> Option<Record> {
        let lists = self.number();
        let lists: Record = (0..lists).map(|_| self.list()).collect();
        (!lists.is_empty()).then_some(lists)
    }

    pub(crate) fn finish(mut self) {
        assert!(self.child.wait().expect("the interpreter ends").success());
    }

    fn list(&mut self) -> Vec<Vec<u8>> {
        let items = self.number();
        (0..items).map(|_| self.item()).collect()
    }

    fn item(&mut self) -> Vec<u8> {
        let mut item = vec![0; self.number()];
        self.from.read_exact(&mut item).expect("an item");
        item
    }

    fn number(&mut self) -> usize {
        let mut bytes = [0; 4];
        self.from.read_exact(&mut bytes).expect("the interpreter goes on");
        u32::from_le_bytes(bytes) as usize
    }
}
