//! The caches of the Remote Execution API over gRPC: one method for each call, with retries.
//! Batches are cut here, and large blobs left to `stream`. Knows nothing of threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Uri;
use http::uri::PathAndQuery;
use tokio::sync::OnceCell;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::attempt::{Found, Trouble, with_causes, with_retries};
use crate::capabilities::{Capabilities, MESSAGE_LIMIT};
use crate::connection::Connection;
use crate::protocol::{
    ActionResultMessage, BatchReadBlobsRequest, BatchReadBlobsResponse, BatchUpdateBlobsRequest,
    BatchUpdateBlobsResponse, DigestMessage, FindMissingBlobsRequest, FindMissingBlobsResponse,
    GetActionResultRequest, GetCapabilitiesRequest, ReadBlob, SHA256, ServerCapabilities,
    StatusMessage, UpdateActionResultRequest, UpdateBlob,
};

/// Batches of blobs under way at once: enough to keep the wire busy.
const BATCHES_AT_ONCE: usize = 4;
/// Digests in one `FindMissingBlobs`: about 800 kB.
const DIGESTS_AT_ONCE: usize = 10_000;

/// One server's caches, under one instance name.
pub(crate) struct GrpcCache {
    pub(crate) connection: Connection<tonic::body::Body>,
    pub(crate) origin: Uri,
    pub(crate) instance: String,
    pub(crate) capabilities: OnceCell<Capabilities>,
    pub(crate) requests: AtomicU64,
}

const CAPABILITIES: &str = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";
const FIND: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";
const READ: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchReadBlobs";
const UPDATE: &str = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs";
const GET_RESULT: &str = "/build.bazel.remote.execution.v2.ActionCache/GetActionResult";
const UPDATE_RESULT: &str = "/build.bazel.remote.execution.v2.ActionCache/UpdateActionResult";

impl GrpcCache {
    /// What the server can do; asked once.
    pub(crate) async fn capabilities(&self) -> Result<Capabilities, Trouble> {
        let ask = async || {
            let request = GetCapabilitiesRequest { instance_name: self.instance.clone() };
            match self.unary::<_, ServerCapabilities>(CAPABILITIES, &request).await {
                Ok(said) => Capabilities::of(&said),
                Err(status) if status.code() == Code::Unimplemented => Ok(Capabilities::unknown()),
                Err(status) => Err(trouble(&status)),
            }
        };
        self.capabilities.get_or_try_init(|| with_retries(ask)).await.copied()
    }

    /// Which blobs are not there.
    pub(crate) async fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, Trouble> {
        self.capabilities().await?;
        let asked = digests.chunks(DIGESTS_AT_ONCE).map(|chunk| async move {
            let request = FindMissingBlobsRequest {
                instance_name: self.instance.clone(),
                blob_digests: chunk.iter().map(DigestMessage::from).collect(),
                digest_function: SHA256,
            };
            self.retried::<_, FindMissingBlobsResponse>(FIND, &request).await
        });
        let answers: Vec<FindMissingBlobsResponse> =
            stream::iter(asked).buffered(BATCHES_AT_ONCE).try_collect().await?;
        let missing = answers.iter().flat_map(|answer| &answer.missing_blob_digests);
        let missing: std::collections::BTreeSet<Digest> =
            missing.filter_map(DigestMessage::to_digest).collect();
        Ok(digests.iter().filter(|digest| missing.contains(digest)).copied().collect())
    }

    /// What is under each digest, in their order.
    pub(crate) async fn read(&self, digests: &[Digest]) -> Result<Vec<Found>, Trouble> {
        let capabilities = self.capabilities().await?;
        let (batches, alone) = capabilities.batches(digests);
        let mut found = vec![Found::Missing; digests.len()];
        let asked = batches.into_iter().map(|batch| self.read_batch(digests, batch));
        let answers: Vec<Vec<(usize, Found)>> =
            stream::iter(asked).buffer_unordered(BATCHES_AT_ONCE).try_collect().await?;
        let mut put = |(position, blob): (usize, Found)| {
            if let Some(place) = found.get_mut(position) {
                *place = blob;
            }
        };
        answers.into_iter().flatten().for_each(&mut put);
        for position in alone {
            if let Some(digest) = digests.get(position) {
                put((position, self.read_stream(digest, capabilities.zstd).await?));
            }
        }
        Ok(found)
    }

    /// One batch; a server that finds it too much gets it in halves.
    async fn read_batch(
        &self,
        digests: &[Digest],
        batch: Vec<usize>,
    ) -> Result<Vec<(usize, Found)>, Trouble> {
        let mut found = Vec::with_capacity(batch.len());
        let mut todo = vec![batch];
        while let Some(mut batch) = todo.pop() {
            let wanted = batch.iter().filter_map(|position| digests.get(*position));
            let request = BatchReadBlobsRequest {
                instance_name: self.instance.clone(),
                digests: wanted.map(DigestMessage::from).collect(),
                digest_function: SHA256,
            };
            let answer: Option<BatchReadBlobsResponse> =
                self.batch(READ, &request, batch.len()).await?;
            match answer {
                Some(answer) => found.extend(sorted_out(digests, &batch, answer)),
                None => {
                    todo.push(batch.split_off(batch.len() / 2));
                    todo.push(batch);
                }
            }
        }
        Ok(found)
    }

    /// Keeps blobs. Gives back those that the server does not take.
    pub(crate) async fn write(&self, blobs: &[Blob]) -> Result<Vec<Digest>, Trouble> {
        let (missing, refused) = self.unknown(blobs).await?;
        self.send(&missing).await?;
        Ok(refused)
    }

    /// Those blobs that the server has not, each once, and those that it does not take.
    pub(crate) async fn unknown<'b>(
        &self,
        blobs: &'b [Blob],
    ) -> Result<(Vec<&'b Blob>, Vec<Digest>), Trouble> {
        let capabilities = self.capabilities().await?;
        let mut refused = Vec::new();
        let mut wanted: BTreeMap<Digest, &Blob> = BTreeMap::new();
        for blob in blobs {
            if capabilities.largest_blob.is_some_and(|largest| blob.digest.size > largest) {
                refused.push(blob.digest);
            } else {
                wanted.insert(blob.digest, blob);
            }
        }
        let digests: Vec<Digest> = wanted.keys().copied().collect();
        let missing = self.find_missing(&digests).await?;
        let missing = missing.iter().filter_map(|digest| wanted.get(digest).copied()).collect();
        Ok((missing, refused))
    }

    /// Sends blobs, without asking whether they are there.
    pub(crate) async fn send(&self, blobs: &[&Blob]) -> Result<(), Trouble> {
        let capabilities = self.capabilities().await?;
        let sizes: Vec<Digest> = blobs.iter().map(|blob| blob.digest).collect();
        let (batches, alone) = capabilities.batches(&sizes);
        let sent = batches.into_iter().map(|batch| {
            let batch = batch.into_iter().filter_map(|position| blobs.get(position).copied());
            self.write_batch(batch.collect())
        });
        let () = stream::iter(sent).buffer_unordered(BATCHES_AT_ONCE).try_collect().await?;
        for position in alone {
            if let Some(blob) = blobs.get(position) {
                self.write_stream(blob, capabilities.zstd).await?;
            }
        }
        Ok(())
    }

    async fn write_batch(&self, batch: Vec<&Blob>) -> Result<(), Trouble> {
        let mut todo = vec![batch];
        while let Some(mut batch) = todo.pop() {
            let requests = batch.iter().map(|blob| UpdateBlob {
                digest: Some((&blob.digest).into()),
                data: blob.bytes.clone(),
            });
            let request = BatchUpdateBlobsRequest {
                instance_name: self.instance.clone(),
                requests: requests.collect(),
                digest_function: SHA256,
            };
            let answer: Option<BatchUpdateBlobsResponse> =
                self.batch(UPDATE, &request, batch.len()).await?;
            match answer {
                Some(answer) => {
                    let failed = answer.responses.iter().filter_map(|one| one.status.as_ref());
                    if let Some(status) = failed.into_iter().find(|status| status.code != 0) {
                        return Err(Trouble::Lasting(said(status)));
                    }
                }
                None => {
                    todo.push(batch.split_off(batch.len() / 2));
                    todo.push(batch);
                }
            }
        }
        Ok(())
    }

    /// The result under a key.
    pub(crate) async fn get_result(
        &self,
        key: &Digest,
    ) -> Result<Option<ActionResultMessage>, Trouble> {
        let request = GetActionResultRequest {
            instance_name: self.instance.clone(),
            action_digest: Some(key.into()),
            digest_function: SHA256,
        };
        with_retries(async || match self.unary(GET_RESULT, &request).await {
            Ok(message) => Ok(Some(message)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(trouble(&status)),
        })
        .await
    }

    /// Keeps a result under a key.
    pub(crate) async fn update_result(
        &self,
        key: &Digest,
        message: ActionResultMessage,
    ) -> Result<(), Trouble> {
        let request = UpdateActionResultRequest {
            instance_name: self.instance.clone(),
            action_digest: Some(key.into()),
            action_result: Some(message),
            digest_function: SHA256,
        };
        self.retried::<_, ActionResultMessage>(UPDATE_RESULT, &request).await.map(|_| ())
    }

    /// A request for several blobs; `None` if it is too much for the server at once.
    async fn batch<Q, R>(
        &self,
        method: &'static str,
        request: &Q,
        blobs: usize,
    ) -> Result<Option<R>, Trouble>
    where
        Q: prost::Message + Clone + 'static,
        R: prost::Message + Default + 'static,
    {
        with_retries(async || match self.unary(method, request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(status)
                if matches!(status.code(), Code::ResourceExhausted | Code::InvalidArgument)
                    && blobs > 1 =>
            {
                Ok(None)
            }
            Err(status) => Err(trouble(&status)),
        })
        .await
    }

    async fn retried<Q, R>(&self, method: &'static str, request: &Q) -> Result<R, Trouble>
    where
        Q: prost::Message + Clone + 'static,
        R: prost::Message + Default + 'static,
    {
        with_retries(async || self.unary(method, request).await.map_err(|status| trouble(&status)))
            .await
    }

    pub(crate) async fn unary<Q, R>(&self, method: &'static str, request: &Q) -> Result<R, Status>
    where
        Q: prost::Message + Clone + 'static,
        R: prost::Message + Default + 'static,
    {
        let mut grpc = self.client();
        let codec = ProstCodec::<Q, R>::default();
        let path = PathAndQuery::from_static(method);
        let answer = grpc.unary(Request::new(request.clone()), path, codec).await?;
        Ok(answer.into_inner())
    }

    /// A client for one call.
    pub(crate) fn client(&self) -> Grpc<Connection<tonic::body::Body>> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        // Twice the limit of a batch: whatever more comes was not asked for.
        let limit = usize::try_from(2 * MESSAGE_LIMIT).unwrap_or(usize::MAX);
        Grpc::with_origin(self.connection.clone(), self.origin.clone())
            .max_decoding_message_size(limit)
    }
}

/// Answers come in any order, or not at all; what was not asked for is not looked at.
fn sorted_out(
    digests: &[Digest],
    batch: &[usize],
    answer: BatchReadBlobsResponse,
) -> Vec<(usize, Found)> {
    let mut by_digest: BTreeMap<Digest, ReadBlob> = BTreeMap::new();
    for blob in answer.responses {
        if let Some(digest) = blob.digest.as_ref().and_then(DigestMessage::to_digest) {
            by_digest.insert(digest, blob);
        }
    }
    let find = |position: &usize| {
        let found = match digests.get(*position).and_then(|digest| by_digest.get(digest)) {
            None => Found::Missing,
            Some(blob) => match &blob.status {
                Some(status) if status.code == Code::NotFound as i32 => Found::Missing,
                Some(status) if status.code != 0 => Found::Unusable(said(status)),
                Some(_) | None => Found::Bytes(blob.data.clone()),
            },
        };
        (*position, found)
    };
    batch.iter().map(find).collect()
}

pub(crate) fn said(status: &StatusMessage) -> String {
    let code = Code::from_i32(status.code);
    format!("it answered {code:?}: {}", shortened(&status.message))
}

/// What a status says about trying again.
pub(crate) fn trouble(status: &Status) -> Trouble {
    let mut message = match (status.code(), std::error::Error::source(status)) {
        (_, Some(cause)) => with_causes(cause),
        (code, None) => format!("it answered {code:?}: {}", shortened(status.message())),
    };
    if message.contains("certificate") {
        return Trouble::Lasting(message);
    }
    match status.code() {
        Code::Unavailable | Code::Aborted | Code::Internal | Code::Unknown | Code::Cancelled => {
            Trouble::Passing(message)
        }
        Code::ResourceExhausted => Trouble::Exhausted(message),
        Code::Unauthenticated | Code::PermissionDenied => {
            message.push_str("; a token is named with --remote-header-file");
            Trouble::Lasting(message)
        }
        _ => Trouble::Lasting(message),
    }
}

/// Servers may say a lot.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
