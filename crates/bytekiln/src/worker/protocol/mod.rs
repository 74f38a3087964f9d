//! The persistent worker protocol: what is asked and answered, and how both are framed. Bytes only;
//! whatever they are, reading them is a request or an error.
//!
//! Source: Bazel's `worker_protocol.proto` and "Creating persistent workers".

mod frame;
pub mod json;
pub mod protobuf;

pub use frame::{FrameError, LARGEST_REQUEST, read_frame};

/// How messages are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A JSON object a line.
    Json,
    /// Protocol buffers, each behind its length as a varint.
    Protobuf,
}

/// A file that an action may read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Relative to the execution root.
    pub path: String,
    /// Digest in Bazel's digest function, as text in bytes; empty if not told.
    pub digest: Vec<u8>,
}

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkRequest {
    /// Arguments of the action.
    pub arguments: Vec<String>,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// 0: the only one at a time.
    pub request_id: i32,
    /// The request of this number is not wanted any more.
    pub cancel: bool,
    /// How much is to be said.
    pub verbosity: i32,
    /// The folder that all paths are below; empty: the current one.
    pub sandbox_dir: String,
}

/// What is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkResponse {
    /// As of a process.
    pub exit_code: i32,
    /// For people.
    pub output: String,
    /// Of the request.
    pub request_id: i32,
    /// Nothing was done, as was asked.
    pub was_cancelled: bool,
}

/// Bytes that are no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The number of the request, where that much could be read.
    pub request_id: Option<i32>,
    /// What is wrong.
    pub message: String,
}

impl Protocol {
    /// Reads what is in a frame.
    ///
    /// # Errors
    /// It is no request.
    pub fn parse(self, frame: &[u8]) -> Result<WorkRequest, Malformed> {
        match self {
            Protocol::Json => json::parse(frame),
            Protocol::Protobuf => protobuf::parse(frame),
        }
    }

    /// A response with its frame.
    pub fn render(self, response: &WorkResponse) -> Vec<u8> {
        match self {
            Protocol::Json => json::render(response),
            Protocol::Protobuf => protobuf::render(response),
        }
    }
}
