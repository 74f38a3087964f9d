//! Sorts what a program writes to standard error while it is written: lines of the interpreter are kept
//! for later, of everything else the end. However much is written, memory stays bounded. Knows nothing of
//! what the lines mean.

/// A line of the interpreter that is longer is cut; names and paths are shorter.
const LONGEST_LINE: usize = 16 * 1024;
/// Lines of the interpreter that are kept, in bytes: a thousand modules take about 300 kB with `-v`.
const MOST_KEPT: usize = 64 << 20;
/// The end of what the program itself wrote, in bytes.
const KEPT_TALK: usize = 16 * 1024;

/// Takes standard error piece by piece.
#[derive(Debug, Default)]
pub struct Collector {
    kept: Vec<u8>,
    talk: Vec<u8>,
    /// The line that has begun.
    line: Vec<u8>,
    talked: u64,
    dropped: u64,
}

/// What was collected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// Lines of the interpreter, each with its newline.
    pub lines: Vec<u8>,
    /// The end of what else was written.
    pub talk: Vec<u8>,
    /// How many bytes of it there were in all.
    pub talked: u64,
    /// Bytes of lines of the interpreter for which there was no room.
    pub dropped: u64,
}

/// What lines of the interpreter begin with, or have in them where the program left its own line open.
pub(crate) const TRACE: &[u8] = b"import time:";
const VERBOSE: [&[u8]; 3] = [b"# ", b"import ", b"Could not import "];

impl Collector {
    /// For one run.
    #[must_use]
    pub fn new() -> Collector {
        Collector::default()
    }

    /// Takes what was written next.
    pub fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            if piece.len() > room && !is_ours(&self.line) && find(piece, TRACE).is_none() {
                // A line without end is the program's.
                let line = std::mem::take(&mut self.line);
                self.talk(&line);
                self.talk(piece);
                continue;
            }
            self.line.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    /// The program has written all.
    #[must_use]
    pub fn finish(mut self) -> Captured {
        if !self.line.is_empty() {
            self.end_line();
        }
        let start = self.talk.len().saturating_sub(KEPT_TALK);
        Captured {
            lines: self.kept,
            talk: self.talk.split_off(start),
            talked: self.talked,
            dropped: self.dropped,
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        // The program may have left its line open: what stands before the mark is its own.
        let at = find(&line, TRACE).unwrap_or(0);
        let (before, own) = line.split_at(at);
        if !before.is_empty() {
            self.talk(before);
        }
        if !is_ours(own) {
            return self.talk(own);
        }
        if self.kept.len().saturating_add(own.len()) > MOST_KEPT {
            self.dropped = self.dropped.saturating_add(own.len() as u64);
            return;
        }
        self.kept.extend_from_slice(own);
        if !own.ends_with(b"\n") {
            self.kept.push(b'\n');
        }
    }

    fn talk(&mut self, bytes: &[u8]) {
        self.talked = self.talked.saturating_add(bytes.len() as u64);
        let tail = bytes.get(bytes.len().saturating_sub(KEPT_TALK)..).unwrap_or_default();
        self.talk.extend_from_slice(tail);
        if self.talk.len() > 4 * KEPT_TALK {
            self.talk.drain(..self.talk.len().saturating_sub(KEPT_TALK));
        }
    }
}

fn is_ours(line: &[u8]) -> bool {
    line.starts_with(TRACE) || VERBOSE.iter().any(|mark| line.starts_with(mark))
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(pieces: &[&[u8]]) -> Captured {
        let mut collector = Collector::new();
        pieces.iter().for_each(|piece| collector.push(piece));
        collector.finish()
    }

    #[test]
    fn lines_of_the_interpreter_are_told_apart() {
        let captured = collected(&[
            b"hello\nimport time: 1 | 2 | a\nno newline",
            b"import time: 3 | 4 | b\n# code obj",
            b"ect from x.py\nTraceback\nimport time: 5 | 6 | c",
        ]);
        assert_eq!(
            String::from_utf8_lossy(&captured.lines),
            "import time: 1 | 2 | a\nimport time: 3 | 4 | b\n# code object from x.py\nimport time: 5 | 6 | c\n"
        );
        assert_eq!(String::from_utf8_lossy(&captured.talk), "hello\nno newlineTraceback\n");
    }

    #[test]
    fn memory_is_bounded() {
        let long = vec![b'x'; 1 << 20];
        let mut collector = Collector::new();
        for _ in 0..20 {
            collector.push(&long);
        }
        assert!(collector.talk.len() <= 5 * KEPT_TALK && collector.line.len() <= LONGEST_LINE);
        collector.push(b"\nimport time: 1 | 1 | a\n");
        let captured = collector.finish();
        assert_eq!(captured.talked, (20 << 20) + 1);
        assert_eq!(captured.lines, b"import time: 1 | 1 | a\n");
        assert_eq!(captured.talk.len(), KEPT_TALK);
    }
}
