//! The messages of the Remote Execution API that only execution needs, and those of the cache with
//! the fields that only execution looks at. Written out as those in `protocol` are, with the field
//! numbers of `remote_execution.proto` and `google/longrunning/operations.proto`. Knows no transport.

use crate::protocol::{AnyMessage, DigestMessage, StatusMessage};

/// `build.bazel.remote.execution.v2.Directory`. Its lists are sorted by name, so that one tree has
/// one digest.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DirectoryMessage {
    #[prost(message, repeated, tag = "1")]
    pub(crate) files: Vec<FileNode>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) directories: Vec<DirectoryNode>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) symlinks: Vec<SymlinkNode>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FileNode {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) digest: Option<DigestMessage>,
    #[prost(bool, tag = "4")]
    pub(crate) is_executable: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DirectoryNode {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) digest: Option<DigestMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SymlinkNode {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) target: String,
}

/// `build.bazel.remote.execution.v2.Platform`, sorted by name and value.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlatformMessage {
    #[prost(message, repeated, tag = "1")]
    pub(crate) properties: Vec<PlatformProperty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct PlatformProperty {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// `build.bazel.remote.execution.v2.Action` of something to execute.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutableAction {
    #[prost(message, optional, tag = "1")]
    pub(crate) command_digest: Option<DigestMessage>,
    #[prost(message, optional, tag = "2")]
    pub(crate) input_root_digest: Option<DigestMessage>,
    #[prost(message, optional, tag = "6")]
    pub(crate) timeout: Option<DurationMessage>,
    #[prost(bool, tag = "7")]
    pub(crate) do_not_cache: bool,
    #[prost(message, optional, tag = "10")]
    pub(crate) platform: Option<PlatformMessage>,
}

/// `google.longrunning.CancelOperationRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CancelOperationRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// `google.protobuf.Empty`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Nothing {}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DurationMessage {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
}

/// `build.bazel.remote.execution.v2.Command` of something to execute.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutableCommand {
    #[prost(string, repeated, tag = "1")]
    pub(crate) arguments: Vec<String>,
    /// Where servers before version 2.2 of the API look.
    #[prost(message, optional, tag = "5")]
    pub(crate) platform: Option<PlatformMessage>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) output_paths: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(bool, tag = "3")]
    pub(crate) skip_cache_lookup: bool,
    #[prost(message, optional, tag = "6")]
    pub(crate) action_digest: Option<DigestMessage>,
    #[prost(int32, tag = "9")]
    pub(crate) digest_function: i32,
    #[prost(bool, tag = "11")]
    pub(crate) inline_stderr: bool,
    #[prost(string, repeated, tag = "12")]
    pub(crate) inline_output_files: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WaitExecutionRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
}

/// `google.longrunning.Operation`; `error` and `response` exclude each other.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OperationMessage {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bool, tag = "3")]
    pub(crate) done: bool,
    #[prost(message, optional, tag = "4")]
    pub(crate) error: Option<StatusMessage>,
    #[prost(message, optional, tag = "5")]
    pub(crate) response: Option<AnyMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecuteResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) result: Option<ExecutedResult>,
    #[prost(bool, tag = "2")]
    pub(crate) cached_result: bool,
    #[prost(message, optional, tag = "3")]
    pub(crate) status: Option<StatusMessage>,
}

/// `build.bazel.remote.execution.v2.ActionResult` of something executed.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutedResult {
    #[prost(message, repeated, tag = "2")]
    pub(crate) output_files: Vec<ExecutedFile>,
    #[prost(int32, tag = "4")]
    pub(crate) exit_code: i32,
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) stderr_raw: Vec<u8>,
    #[prost(message, optional, tag = "8")]
    pub(crate) stderr_digest: Option<DigestMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutedFile {
    #[prost(string, tag = "1")]
    pub(crate) path: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) digest: Option<DigestMessage>,
    #[prost(bytes = "bytes", tag = "5")]
    pub(crate) contents: bytes::Bytes,
}
