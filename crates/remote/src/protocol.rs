//! The messages of the Remote Execution API, version 2, and of the ByteStream service, as far as a
//! cache needs them. Knows no transport.
//!
//! Written out instead of taken from generated code: the whole API is 27,000 lines and a server's
//! framework to compile, and these are all that is used. Field numbers are those of
//! `build/bazel/remote/execution/v2/remote_execution.proto`; fields that are left out are skipped by
//! the decoder.

use bytekiln_action::Digest;

/// `DigestFunction.Value.SHA256`.
pub(crate) const SHA256: i32 = 1;
/// `Compressor.Value.ZSTD`.
pub(crate) const ZSTD: i32 = 1;

/// A hash in hexadecimal digits, and a size.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct DigestMessage {
    #[prost(string, tag = "1")]
    pub(crate) hash: String,
    #[prost(int64, tag = "2")]
    pub(crate) size_bytes: i64,
}

impl From<&Digest> for DigestMessage {
    fn from(digest: &Digest) -> DigestMessage {
        DigestMessage {
            hash: digest.to_hex(),
            size_bytes: i64::try_from(digest.size).unwrap_or(i64::MAX),
        }
    }
}

impl DigestMessage {
    /// `None` if it is none of SHA-256.
    pub(crate) fn to_digest(&self) -> Option<Digest> {
        Digest::parse(&format!("{}/{}", self.hash, self.size_bytes)).ok()
    }
}

/// `build.bazel.remote.execution.v2.Action`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ActionMessage {
    #[prost(message, optional, tag = "1")]
    pub(crate) command_digest: Option<DigestMessage>,
    #[prost(message, optional, tag = "2")]
    pub(crate) input_root_digest: Option<DigestMessage>,
    #[prost(bytes = "vec", tag = "9")]
    pub(crate) salt: Vec<u8>,
}

/// `build.bazel.remote.execution.v2.Command`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CommandMessage {
    #[prost(string, repeated, tag = "1")]
    pub(crate) arguments: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    pub(crate) output_paths: Vec<String>,
}

/// `build.bazel.remote.execution.v2.ActionResult`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ActionResultMessage {
    #[prost(message, repeated, tag = "2")]
    pub(crate) output_files: Vec<OutputFileMessage>,
    #[prost(int32, tag = "4")]
    pub(crate) exit_code: i32,
    #[prost(message, optional, tag = "9")]
    pub(crate) execution_metadata: Option<ExecutedActionMetadata>,
}

/// `build.bazel.remote.execution.v2.OutputFile`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OutputFileMessage {
    #[prost(string, tag = "1")]
    pub(crate) path: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) digest: Option<DigestMessage>,
}

/// `build.bazel.remote.execution.v2.ExecutedActionMetadata`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutedActionMetadata {
    #[prost(string, tag = "1")]
    pub(crate) worker: String,
    #[prost(message, repeated, tag = "11")]
    pub(crate) auxiliary_metadata: Vec<AnyMessage>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnyMessage {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StatusMessage {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetCapabilitiesRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ServerCapabilities {
    #[prost(message, optional, tag = "1")]
    pub(crate) cache_capabilities: Option<CacheCapabilities>,
    #[prost(message, optional, tag = "2")]
    pub(crate) execution_capabilities: Option<ExecutionCapabilities>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ExecutionCapabilities {
    #[prost(bool, tag = "2")]
    pub(crate) exec_enabled: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CacheCapabilities {
    #[prost(int32, repeated, tag = "1")]
    pub(crate) digest_functions: Vec<i32>,
    #[prost(message, optional, tag = "2")]
    pub(crate) action_cache_update_capabilities: Option<ActionCacheUpdateCapabilities>,
    #[prost(int64, tag = "4")]
    pub(crate) max_batch_total_size_bytes: i64,
    #[prost(int32, repeated, tag = "6")]
    pub(crate) supported_compressors: Vec<i32>,
    #[prost(int64, tag = "8")]
    pub(crate) max_cas_blob_size_bytes: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ActionCacheUpdateCapabilities {
    #[prost(bool, tag = "1")]
    pub(crate) update_enabled: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FindMissingBlobsRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) blob_digests: Vec<DigestMessage>,
    #[prost(int32, tag = "3")]
    pub(crate) digest_function: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FindMissingBlobsResponse {
    #[prost(message, repeated, tag = "2")]
    pub(crate) missing_blob_digests: Vec<DigestMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchUpdateBlobsRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) requests: Vec<UpdateBlob>,
    #[prost(int32, tag = "5")]
    pub(crate) digest_function: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpdateBlob {
    #[prost(message, optional, tag = "1")]
    pub(crate) digest: Option<DigestMessage>,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data: bytes::Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchUpdateBlobsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) responses: Vec<UpdatedBlob>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpdatedBlob {
    #[prost(message, optional, tag = "1")]
    pub(crate) digest: Option<DigestMessage>,
    #[prost(message, optional, tag = "2")]
    pub(crate) status: Option<StatusMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchReadBlobsRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) digests: Vec<DigestMessage>,
    #[prost(int32, tag = "4")]
    pub(crate) digest_function: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchReadBlobsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) responses: Vec<ReadBlob>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadBlob {
    #[prost(message, optional, tag = "1")]
    pub(crate) digest: Option<DigestMessage>,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) data: bytes::Bytes,
    #[prost(message, optional, tag = "3")]
    pub(crate) status: Option<StatusMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetActionResultRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) action_digest: Option<DigestMessage>,
    #[prost(int32, tag = "6")]
    pub(crate) digest_function: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UpdateActionResultRequest {
    #[prost(string, tag = "1")]
    pub(crate) instance_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) action_digest: Option<DigestMessage>,
    #[prost(message, optional, tag = "3")]
    pub(crate) action_result: Option<ActionResultMessage>,
    #[prost(int32, tag = "5")]
    pub(crate) digest_function: i32,
}

/// `google.bytestream.ReadRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadRequest {
    #[prost(string, tag = "1")]
    pub(crate) resource_name: String,
}

/// `google.bytestream.ReadResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadResponse {
    #[prost(bytes = "bytes", tag = "10")]
    pub(crate) data: bytes::Bytes,
}

/// `google.bytestream.WriteRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteRequest {
    #[prost(string, tag = "1")]
    pub(crate) resource_name: String,
    #[prost(int64, tag = "2")]
    pub(crate) write_offset: i64,
    #[prost(bool, tag = "3")]
    pub(crate) finish_write: bool,
    #[prost(bytes = "bytes", tag = "10")]
    pub(crate) data: bytes::Bytes,
}

/// `google.bytestream.WriteResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WriteResponse {
    #[prost(int64, tag = "1")]
    pub(crate) committed_size: i64,
}
