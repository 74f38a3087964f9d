//! Blobs that fit into no message, over the ByteStream service: as they are, or compressed where
//! the server knows zstd. Knows nothing of batches.

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use bytes::Bytes;
use futures_util::stream;
use http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::attempt::{Found, Trouble, random, with_retries};
use crate::grpc::{GrpcCache, trouble};
use crate::protocol::{ReadRequest, ReadResponse, WriteRequest, WriteResponse};

const READ: &str = "/google.bytestream.ByteStream/Read";
const WRITE: &str = "/google.bytestream.ByteStream/Write";

/// Bytes in one message of a stream.
const PIECE: usize = 256 << 10;
/// Compressing harder costs more than it saves.
const LEVEL: i32 = 3;

impl GrpcCache {
    /// The bytes of a blob, from one stream.
    pub(crate) async fn read_stream(&self, digest: &Digest, zstd: bool) -> Result<Found, Trouble> {
        let resource_name =
            self.resource(if zstd { "compressed-blobs/zstd" } else { "blobs" }, digest);
        let request = ReadRequest { resource_name };
        // What zstd adds to bytes that cannot be compressed is far less than an eighth.
        let limit = if zstd { digest.size / 8 + digest.size + 1024 } else { digest.size };
        let read = with_retries(async || match self.collect(&request, limit).await {
            Err(status) if status.code() == Code::NotFound => Ok(Found::Missing),
            Err(status) => Err(trouble(&status)),
            Ok(found) => Ok(found),
        });
        match read.await? {
            Found::Bytes(bytes) if zstd => {
                let size = usize::try_from(digest.size).unwrap_or(usize::MAX);
                Ok(match zstd::bulk::decompress(&bytes, size) {
                    Ok(bytes) => Found::Bytes(bytes.into()),
                    Err(error) => Found::Unusable(format!("it cannot be decompressed: {error}")),
                })
            }
            found => Ok(found),
        }
    }

    async fn collect(&self, request: &ReadRequest, limit: u64) -> Result<Found, Status> {
        let mut grpc = self.client();
        let codec = ProstCodec::<ReadRequest, ReadResponse>::default();
        let path = PathAndQuery::from_static(READ);
        let answer = grpc.server_streaming(Request::new(request.clone()), path, codec).await?;
        let (mut answer, mut bytes) = (answer.into_inner(), Vec::new());
        while let Some(piece) = answer.message().await? {
            bytes.extend_from_slice(&piece.data);
            if bytes.len() as u64 > limit {
                return Ok(Found::Unusable("it has more bytes than its digest says".to_owned()));
            }
        }
        Ok(Found::Bytes(bytes.into()))
    }

    /// Keeps a blob, through one stream.
    pub(crate) async fn write_stream(&self, blob: &Blob, zstd: bool) -> Result<(), Trouble> {
        let (space, bytes) = if zstd {
            let compressed = zstd::bulk::compress(&blob.bytes, LEVEL)
                .map_err(|error| Trouble::Lasting(format!("could not compress: {error}")))?;
            ("compressed-blobs/zstd", Bytes::from(compressed))
        } else {
            ("blobs", blob.bytes.clone())
        };
        with_retries(async || {
            let upload = format!("uploads/{}/{space}", upload_name());
            let name = self.resource(&upload, &blob.digest);
            let codec = ProstCodec::<WriteRequest, WriteResponse>::default();
            let path = PathAndQuery::from_static(WRITE);
            let request = Request::new(stream::iter(pieces(name, &bytes)));
            let answer = self.client().client_streaming(request, path, codec).await;
            let committed = answer.map_err(|status| trouble(&status))?.into_inner().committed_size;
            // A server that has the blob already stops reading: it says the whole size, or -1.
            let whole = [bytes.len() as u64, blob.digest.size];
            match u64::try_from(committed) {
                Ok(size) if !whole.contains(&size) => {
                    Err(Trouble::Passing(format!("it kept {size} of {} bytes", bytes.len())))
                }
                Ok(_) | Err(_) => Ok(()),
            }
        })
        .await
    }

    fn resource(&self, space: &str, digest: &Digest) -> String {
        match self.instance.as_str() {
            "" => format!("{space}/{digest}"),
            instance => format!("{instance}/{space}/{digest}"),
        }
    }
}

fn pieces(name: String, bytes: &Bytes) -> Vec<WriteRequest> {
    let mut pieces: Vec<WriteRequest> = (0..bytes.len())
        .step_by(PIECE)
        .map(|start| WriteRequest {
            resource_name: if start == 0 { name.clone() } else { String::new() },
            write_offset: i64::try_from(start).unwrap_or(i64::MAX),
            finish_write: false,
            data: bytes.slice(start..bytes.len().min(start + PIECE)),
        })
        .collect();
    if let Some(last) = pieces.last_mut() {
        last.finish_write = true;
    }
    pieces
}

/// A random UUID, as the API wants one for each upload.
fn upload_name() -> String {
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
