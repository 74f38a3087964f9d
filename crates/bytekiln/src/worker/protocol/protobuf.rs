//! Requests and responses as protocol buffers. Two messages with a dozen fields of two wire types: the
//! code that a generator would bring is many times this.

use super::{Input, Malformed, WorkRequest, WorkResponse};

/// Reads a request. Fields that are not known are passed over.
///
/// # Errors
/// A field that ends beyond the message, has another type, or is no text where text belongs.
pub fn parse(message: &[u8]) -> Result<WorkRequest, Malformed> {
    let mut request = WorkRequest::default();
    let mut fields = Fields(message);
    match read(&mut fields, &mut request) {
        Ok(()) => Ok(request),
        Err(what) => Err(Malformed {
            // Fields come in the order of their numbers, and 3 is late: look for it behind the fault.
            request_id: match request.request_id {
                0 => None,
                id => Some(id),
            },
            message: format!("no work request: {what}"),
        }),
    }
}

fn read(fields: &mut Fields<'_>, request: &mut WorkRequest) -> Result<(), &'static str> {
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(bytes)) => request.arguments.push(text(bytes)?),
            (2, Value::Bytes(bytes)) => request.inputs.push(input(bytes)?),
            // int32 is sent as 64 bits, of which the lower half counts.
            (3, Value::Number(value)) => request.request_id = int32(value),
            (4, Value::Number(value)) => request.cancel = value != 0,
            (5, Value::Number(value)) => request.verbosity = int32(value),
            (6, Value::Bytes(bytes)) => request.sandbox_dir = text(bytes)?,
            (1..=6, _) => return Err("a field of another type"),
            _ => {}
        }
    }
    Ok(())
}

fn input(message: &[u8]) -> Result<Input, &'static str> {
    let (mut input, mut fields) = (Input::default(), Fields(message));
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(bytes)) => input.path = text(bytes)?,
            (2, Value::Bytes(bytes)) => input.digest = bytes.to_vec(),
            (1..=2, _) => return Err("a field of another type"),
            _ => {}
        }
    }
    Ok(input)
}

fn text(bytes: &[u8]) -> Result<String, &'static str> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text that is no UTF-8")
}

fn int32(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// 32 or 64 bits: of no field of ours.
    Fixed,
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, &'static str> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err("a wire type that there is not"),
        };
        match key >> 3 {
            0 => Err("a field of number 0"),
            number => Ok(Some((number, value))),
        }
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for place in 0..10 {
            let [byte] = *self.take(1)? else { break };
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return match place == 9 && byte > 1 {
                    true => Err("a number of more than 64 bits"),
                    false => Ok(value),
                };
            }
        }
        Err("a number of more than 64 bits")
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or("a field that ends beyond the message")?;
        self.0 = rest;
        Ok(taken)
    }
}

/// A response behind its length.
pub fn render(response: &WorkResponse) -> Vec<u8> {
    let mut message = Vec::with_capacity(response.output.len() + 32);
    put_number(&mut message, 1, sign_extended(response.exit_code));
    if !response.output.is_empty() {
        put_varint(&mut message, 2 << 3 | 2);
        put_varint(&mut message, response.output.len() as u64);
        message.extend_from_slice(response.output.as_bytes());
    }
    put_number(&mut message, 3, sign_extended(response.request_id));
    put_number(&mut message, 4, u64::from(response.was_cancelled));
    let mut framed = Vec::with_capacity(message.len() + 5);
    put_varint(&mut framed, message.len() as u64);
    framed.extend_from_slice(&message);
    framed
}

fn sign_extended(value: i32) -> u64 {
    u64::from_le_bytes(i64::from(value).to_le_bytes())
}

/// Zero is what a missing field means.
fn put_number(message: &mut Vec<u8>, number: u64, value: u64) {
    if value != 0 {
        put_varint(message, number << 3);
        put_varint(message, value);
    }
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(message: &[u8], expect: &Expect) {
        expect.assert_eq(&format!("{:?}", parse(message)));
    }

    #[test]
    fn requests() {
        // As `protoc --encode` writes it.
        let message =
            b"\x0a\x01a\x0a\x02bc\x12\x0a\x0a\x04x.py\x12\x02ab\x18\x07\x28\x0a\x32\x03s/1";
        check(
            message,
            &expect![[
                r#"Ok(WorkRequest { arguments: ["a", "bc"], inputs: [Input { path: "x.py", digest: [97, 98] }], request_id: 7, cancel: false, verbosity: 10, sandbox_dir: "s/1" })"#
            ]],
        );
        check(
            b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x20\x01",
            &expect![[
                r#"Ok(WorkRequest { arguments: [], inputs: [], request_id: -1, cancel: true, verbosity: 0, sandbox_dir: "" })"#
            ]],
        );
        // Fields of another version.
        check(
            b"\x78\x01\x79AAAAAAAA\x7a\x01x\x7dAAAA\x18\x02",
            &expect![[
                r#"Ok(WorkRequest { arguments: [], inputs: [], request_id: 2, cancel: false, verbosity: 0, sandbox_dir: "" })"#
            ]],
        );
        check(
            b"\x18\x02\x0a\x05a",
            &expect![[
                r#"Err(Malformed { request_id: Some(2), message: "no work request: a field that ends beyond the message" })"#
            ]],
        );
        check(
            b"\x0a\x01\xff",
            &expect![[
                r#"Err(Malformed { request_id: None, message: "no work request: a text that is no UTF-8" })"#
            ]],
        );
        check(
            b"\x08\x01",
            &expect![[
                r#"Err(Malformed { request_id: None, message: "no work request: a field of another type" })"#
            ]],
        );
    }

    #[test]
    fn responses() {
        let response = WorkResponse {
            exit_code: 1,
            output: "no".to_owned(),
            request_id: 300,
            was_cancelled: true,
        };
        assert_eq!(render(&response), b"\x0b\x08\x01\x12\x02no\x18\xac\x02\x20\x01");
        assert_eq!(render(&WorkResponse::default()), b"\x00");
    }

    proptest! {
        #[test]
        fn whatever_comes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = super::super::json::parse(&bytes);
            for protocol in [super::super::Protocol::Json, super::super::Protocol::Protobuf] {
                let mut reader = &bytes[..];
                while let Ok(Some(frame)) = super::super::read_frame(&mut reader, protocol) {
                    let _ = protocol.parse(&frame);
                }
            }
        }
    }
}
