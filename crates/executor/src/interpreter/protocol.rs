//! Frames between us and an interpreter: the greeting, requests and replies. Bytes only; knows
//! nothing of processes.
//!
//! All numbers are little-endian. The greeting is [`MAGIC`], a `u32` version, and the identity
//! report behind its `u32` length; what precedes the magic is noise. Requests are `u64` id, `u8`
//! level, `u32` path length, `u32` source length, path, source. Replies are behind a `u64` length:
//! `u64` id, `u8` verdict (0 compiled, 1 rejected, 2 out of resources), `u64` nanoseconds, `u32`
//! number of warnings, the warnings, then payload, diagnostic or text. Both sides come from one
//! build of Bytekiln, so that another version is an error, never a negotiation.

use std::time::Duration;

use bytekiln_action::{Diagnostic, DiagnosticKind, Position};

use crate::{Reply, Request, Verdict};

/// Opens the greeting.
pub(super) const MAGIC: &[u8] = b"\x93bytekiln worker\n";
/// Of the frames; `worker.py` is told, and says it back.
pub(super) const VERSION: u32 = 1;
/// A greeting longer than this is none.
const LARGEST_GREETING: usize = 1 << 16;
/// A reply longer than this is a fault: marshal itself stops at 2 GB.
const LARGEST_REPLY: u64 = 1 << 31;

/// What begins a request; path and source follow. `None` for sources of 4 GiB and more.
pub(super) fn request_head(request: &Request) -> Option<Vec<u8>> {
    let path = request.recorded_path.as_bytes();
    let mut frame = Vec::with_capacity(17 + path.len());
    frame.extend_from_slice(&request.id.to_le_bytes());
    frame.push(request.level.as_u8());
    frame.extend_from_slice(&u32::try_from(path.len()).ok()?.to_le_bytes());
    frame.extend_from_slice(&u32::try_from(request.source.len()).ok()?.to_le_bytes());
    frame.extend_from_slice(path);
    Some(frame)
}

/// What the bytes received so far are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// The beginning of something.
    Partial,
    /// It, and how many bytes it took.
    Whole(T, usize),
    /// Nothing of ours.
    Fault(&'static str),
}

/// Looks for a greeting in what was received; gives the identity report.
pub(super) fn parse_greeting(received: &[u8]) -> Parsed<Vec<u8>> {
    let Some(at) = received.windows(MAGIC.len()).position(|window| window == MAGIC) else {
        if received.len() > LARGEST_GREETING {
            return Parsed::Fault("it printed something else than a greeting");
        }
        return Parsed::Partial;
    };
    let mut fields = Fields(received.get(at + MAGIC.len()..).unwrap_or_default());
    let (Some(version), Some(length)) = (fields.u32(), fields.u32()) else {
        return Parsed::Partial;
    };
    if version != VERSION {
        return Parsed::Fault("its greeting has another protocol version");
    }
    let length = length as usize;
    if length > LARGEST_GREETING {
        return Parsed::Fault("its greeting is too long");
    }
    match fields.take(length) {
        Some(report) => Parsed::Whole(report.to_vec(), received.len() - fields.0.len()),
        None => Parsed::Partial,
    }
}

/// Reads the first reply in what was received.
pub(super) fn parse_reply(received: &[u8]) -> Parsed<Reply> {
    let mut fields = Fields(received);
    let Some(length) = fields.u64() else { return Parsed::Partial };
    if length > LARGEST_REPLY {
        return Parsed::Fault("a reply of impossible length");
    }
    let Some(body) = usize::try_from(length).ok().and_then(|length| fields.take(length)) else {
        return Parsed::Partial;
    };
    match reply(&mut Fields(body)) {
        Some(reply) => Parsed::Whole(reply, received.len() - fields.0.len()),
        None => Parsed::Fault("a reply that makes no sense"),
    }
}

fn reply(fields: &mut Fields<'_>) -> Option<Reply> {
    let id = fields.u64()?;
    let [verdict] = *fields.take(1)? else { return None };
    let compile = Duration::from_nanos(fields.u64()?);
    let mut warnings = Vec::new();
    for _ in 0..fields.u32()? {
        warnings.push(fields.diagnostic(DiagnosticKind::Warning)?);
    }
    let verdict = match verdict {
        0 => Verdict::Compiled { payload: fields.take(fields.0.len())?.to_vec() },
        1 => Verdict::Rejected { error: fields.diagnostic(DiagnosticKind::Error)? },
        2 => Verdict::OutOfResources { message: fields.text()? },
        _ => return None,
    };
    fields.0.is_empty().then_some(Reply { id, verdict, warnings, compile })
}

/// What is left of a frame.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// 0 stands for an unknown line or column.
    fn position(&mut self) -> Option<Option<Position>> {
        let (line, column) = (self.u32()?, self.u32()?);
        let column = (column != 0).then_some(column);
        Some((line != 0).then_some(Position { line, column }))
    }

    fn diagnostic(&mut self, kind: DiagnosticKind) -> Option<Diagnostic> {
        Some(Diagnostic {
            kind,
            category: self.text()?,
            message: self.text()?,
            start: self.position()?,
            end: self.position()?,
            line_text: match self.take(1)? {
                [0] => None,
                [1] => Some(self.text()?),
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greeting_behind_noise() {
        let mut greeting = b"Welcome to this shell\n".to_vec();
        greeting.extend_from_slice(MAGIC);
        greeting.extend_from_slice(&[1, 0, 0, 0, 3, 0, 0, 0]);
        greeting.extend_from_slice(b"abcrest");
        let whole = greeting.len() - 4;
        for end in 0..whole {
            assert_eq!(parse_greeting(&greeting[..end]), Parsed::Partial, "{end}");
        }
        assert_eq!(parse_greeting(&greeting), Parsed::Whole(b"abc".to_vec(), whole));
        assert!(matches!(parse_greeting(&[b'x'; LARGEST_GREETING + 1]), Parsed::Fault(_)));
    }

    #[test]
    fn hostile_replies_are_faults() {
        let mut frame = 21_u64.to_le_bytes().to_vec();
        frame.extend_from_slice(&7_u64.to_le_bytes());
        frame.push(0);
        frame.extend_from_slice(&5_u64.to_le_bytes());
        frame.extend_from_slice(&[0; 4]);
        for end in 0..frame.len() {
            assert_eq!(parse_reply(&frame[..end]), Parsed::Partial, "{end}");
        }
        let Parsed::Whole(reply, 29) = parse_reply(&frame) else { panic!("not a reply") };
        assert_eq!((reply.id, reply.compile.as_nanos()), (7, 5));
        frame[25] = 255;
        assert_eq!(parse_reply(&frame), Parsed::Fault("a reply that makes no sense"));
        frame[7] = 255;
        assert_eq!(parse_reply(&frame), Parsed::Fault("a reply of impossible length"));
    }
}
