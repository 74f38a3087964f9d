//! Where one message ends: a line of JSON, or a length before a protocol buffer.

use std::io::{BufRead, ErrorKind, Read};

use super::Protocol;

/// A request of more bytes is refused: 200,000 inputs have 40 MB.
pub const LARGEST_REQUEST: usize = 128 << 20;
/// Read at once, so that a length alone does not take memory.
const STEP: usize = 1 << 20;

/// No message could be read; nothing that follows can be understood either.
#[derive(Debug)]
pub struct FrameError(pub String);

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FrameError {}

/// The bytes of the next message; `None` at the end. Takes no more memory than has come in.
///
/// # Errors
/// The stream ends within a message, or the message has more than [`LARGEST_REQUEST`] bytes.
pub fn read_frame(
    reader: &mut dyn BufRead,
    protocol: Protocol,
) -> Result<Option<Vec<u8>>, FrameError> {
    match protocol {
        Protocol::Json => read_line(reader),
        Protocol::Protobuf => read_delimited(reader),
    }
}

fn read_line(reader: &mut dyn BufRead) -> Result<Option<Vec<u8>>, FrameError> {
    let mut line = Vec::new();
    loop {
        let chunk = fill(reader)?;
        if chunk.is_empty() {
            return match line.iter().all(u8::is_ascii_whitespace) {
                true => Ok(None),
                false => Err(FrameError("the input ends within a request".to_owned())),
            };
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = end.map_or(chunk, |end| chunk.get(..end).unwrap_or_default());
        line.extend_from_slice(part);
        let taken = part.len() + usize::from(end.is_some());
        reader.consume(taken);
        if line.len() > LARGEST_REQUEST {
            return Err(too_large());
        }
        if end.is_some() {
            if line.iter().all(u8::is_ascii_whitespace) {
                line.clear();
                continue;
            }
            return Ok(Some(line));
        }
    }
}

fn fill(reader: &mut dyn BufRead) -> Result<&[u8], FrameError> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError(format!("could not read requests: {error}"))),
        }
    }
    // Once more, for the borrow checker: the buffer is full, this reads nothing.
    reader.fill_buf().map_err(|error| FrameError(format!("could not read requests: {error}")))
}

fn read_delimited(reader: &mut dyn BufRead) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length: u64 = 0;
    for place in 0.. {
        let Some(byte) = fill(reader)?.first().copied() else {
            return match place {
                0 => Ok(None),
                _ => Err(FrameError("the input ends within a length".to_owned())),
            };
        };
        reader.consume(1);
        if place == 9 && byte > 1 {
            return Err(FrameError("a length of more than 64 bits".to_owned()));
        }
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= LARGEST_REQUEST);
    let length = length.ok_or_else(too_large)?;
    let mut message = Vec::with_capacity(length.min(STEP));
    let read = reader.take(length as u64).read_to_end(&mut message);
    read.map_err(|error| FrameError(format!("could not read requests: {error}")))?;
    if message.len() < length {
        return Err(FrameError("the input ends within a request".to_owned()));
    }
    Ok(Some(message))
}

fn too_large() -> FrameError {
    FrameError(format!("a request of more than {} MiB", LARGEST_REQUEST >> 20))
}
