//! A `bytekiln worker` at the other end of two pipes, and what Bazel would send it. Knows both protocols,
//! written anew: the command's own reader is what is tested.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// How messages are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    Proto,
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) arguments: Vec<String>,
    /// Path, and digest in hexadecimal.
    pub(crate) inputs: Vec<(String, String)>,
    pub(crate) id: i32,
    pub(crate) cancel: bool,
    pub(crate) sandbox_dir: String,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) id: i32,
    pub(crate) exit_code: i32,
    pub(crate) output: String,
    pub(crate) was_cancelled: bool,
}

/// The process.
pub(crate) struct WorkerProcess {
    protocol: Protocol,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl WorkerProcess {
    pub(crate) fn start(sandbox: &Sandbox, protocol: Protocol, options: &[&str]) -> WorkerProcess {
        let name = match protocol {
            Protocol::Json => "json",
            Protocol::Proto => "proto",
        };
        let mut arguments = vec!["worker", "--protocol", name];
        arguments.extend_from_slice(options);
        arguments.push("--persistent_worker");
        let mut command = sandbox.command(&arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        WorkerProcess { protocol, child, stdin, stdout }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends bytes as they are; a worker that has gone does not take them.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).and_then(|()| stdin.flush()).is_ok()
    }

    pub(crate) fn send(&mut self, request: &Request) -> bool {
        let bytes = match self.protocol {
            Protocol::Json => to_json(request),
            Protocol::Proto => to_proto(request),
        };
        self.send_bytes(&bytes)
    }

    /// The next response; `None` at the end.
    pub(crate) fn receive(&mut self) -> Option<Response> {
        match self.protocol {
            Protocol::Json => {
                let mut line = String::new();
                (self.stdout.read_line(&mut line).unwrap() > 0).then(|| from_json(&line))
            }
            Protocol::Proto => {
                let length = self.varint()?;
                let mut message = vec![0; usize::try_from(length).unwrap()];
                self.stdout.read_exact(&mut message).unwrap();
                Some(from_proto(&message))
            }
        }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0.. {
            let mut byte = [0];
            if self.stdout.read(&mut byte).unwrap() == 0 {
                return None;
            }
            value |= u64::from(byte[0] & 0x7f) << (7 * place);
            if byte[0] < 0x80 {
                break;
            }
        }
        Some(value)
    }

    /// Ends the input first.
    pub(crate) fn receive_after_end(&mut self) -> Option<Response> {
        self.stdin = None;
        self.receive()
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Request) -> Response {
        assert!(self.send(request), "the worker is gone");
        self.receive().unwrap()
    }

    /// Ends the input; how the worker ends, and what it said.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        self.stdin = None;
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // Gone already, most often.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn to_json(request: &Request) -> Vec<u8> {
    let inputs: Vec<Value> = request
        .inputs
        .iter()
        .map(|(path, digest)| json!({"path": path, "digest": base64(digest.as_bytes())}))
        .collect();
    let mut message = json!({"arguments": request.arguments, "inputs": inputs});
    // As proto3's JSON has it: what is empty is not there.
    if request.id != 0 {
        message["requestId"] = request.id.into();
    }
    if request.cancel {
        message["cancel"] = true.into();
    }
    if !request.sandbox_dir.is_empty() {
        message["sandboxDir"] = request.sandbox_dir.clone().into();
    }
    format!("{message}\n").into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

fn from_json(line: &str) -> Response {
    let message: Value = serde_json::from_str(line).unwrap();
    let number = |key: &str| i32::try_from(message[key].as_i64().unwrap_or(0)).unwrap();
    Response {
        id: number("requestId"),
        exit_code: number("exitCode"),
        output: message["output"].as_str().unwrap_or_default().to_owned(),
        was_cancelled: message["wasCancelled"].as_bool().unwrap_or(false),
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn put(bytes: &mut Vec<u8>, field: u8, content: &[u8]) {
    bytes.push(field << 3 | 2);
    put_varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

pub(crate) fn to_proto(request: &Request) -> Vec<u8> {
    let mut message = Vec::new();
    for argument in &request.arguments {
        put(&mut message, 1, argument.as_bytes());
    }
    for (path, digest) in &request.inputs {
        let mut input = Vec::new();
        put(&mut input, 1, path.as_bytes());
        put(&mut input, 2, digest.as_bytes());
        put(&mut message, 2, &input);
    }
    for (field, value) in [(3, u64::from(request.id.cast_unsigned())), (4, request.cancel.into())] {
        if value != 0 {
            message.push(field << 3);
            put_varint(&mut message, value);
        }
    }
    if !request.sandbox_dir.is_empty() {
        put(&mut message, 6, request.sandbox_dir.as_bytes());
    }
    let mut framed = Vec::new();
    put_varint(&mut framed, message.len() as u64);
    framed.extend_from_slice(&message);
    framed
}

fn from_proto(mut message: &[u8]) -> Response {
    fn varint(message: &mut &[u8]) -> u64 {
        let mut value = 0;
        for place in 0.. {
            let byte = message[0];
            *message = &message[1..];
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                break;
            }
        }
        value
    }
    let mut response = Response::default();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = varint(&mut message);
        let number = i32::try_from(value).unwrap_or(-1);
        match key {
            0x08 => response.exit_code = number,
            0x12 => {
                let (text, rest) = message.split_at(usize::try_from(value).unwrap());
                response.output = String::from_utf8(text.to_vec()).unwrap();
                message = rest;
            }
            0x18 => response.id = number,
            0x20 => response.was_cancelled = value != 0,
            _ => panic!("field {key:#x}"),
        }
    }
    response
}
