//! Where in a logical line a call stands: before the colon of a block's first line or after it, and
//! in a lambda or not. Reads each line once, however many calls are in it. Knows nothing of what
//! calls do.

use super::lexis::{End, is_name_byte, name_end, newline_from, string_end};

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Before the first colon outside of brackets, if the line opens a block.
    pub(super) header: bool,
    /// In the body of a lambda.
    pub(super) lambda: bool,
}

#[derive(Debug, Default)]
pub(super) struct Lambdas {
    line: usize,
    position: usize,
    /// End of the string at `position`, if a call stood in it.
    string_end: usize,
    depth: u32,
    colon: bool,
    /// Lambdas that are open: at which depth, and whether their colon was seen.
    open: Vec<(u32, bool)>,
}

impl Lambdas {
    /// The place of an offset in the line that starts at `line`. Offsets must not decrease.
    pub(super) fn place(&mut self, source: &[u8], line: usize, offset: usize) -> Place {
        if line != self.line || offset < self.position {
            *self = Lambdas { line, position: line, ..Lambdas::default() };
        }
        while self.position < offset && self.string_end <= offset {
            let Some(next) = self.step(source, offset) else { break };
            self.position = next;
        }
        Place { header: !self.colon, lambda: self.open.iter().any(|(_, body)| *body) }
    }

    /// One token further; `None` if it reaches beyond the offset.
    fn step(&mut self, source: &[u8], offset: usize) -> Option<usize> {
        let position = self.position;
        match source[position] {
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                let depth = self.depth;
                self.open.retain(|(at, _)| *at <= depth);
            }
            b',' => {
                let depth = self.depth;
                self.open.retain(|(at, body)| !(*body && *at == depth));
            }
            b':' => match self.open.last_mut() {
                Some((at, body)) if *at == self.depth && !*body => *body = true,
                _ if self.depth == 0 => self.colon = true,
                _ => {}
            },
            b'#' => return Some(newline_from(source, position, true)),
            b'\'' | b'"' => match string_end(source, position) {
                End::At(end) if end > offset => {
                    self.string_end = end;
                    return None;
                }
                End::At(end) => return Some(end),
                End::Unterminated { .. } | End::TooDeep => {}
            },
            byte if is_name_byte(byte) => {
                let end = name_end(source, position);
                match &source[position..end] {
                    b"lambda" => self.open.push((self.depth, false)),
                    b"for" => {
                        let depth = self.depth;
                        self.open.retain(|(at, body)| !(*body && *at == depth));
                    }
                    _ => {}
                }
                return Some(end);
            }
            _ => {}
        }
        Some(position + 1)
    }
}
