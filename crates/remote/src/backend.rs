//! The five operations of a store over either protocol, asynchronous: many requests at once, answers
//! in order. Knows nothing of deadlines, and checks nothing that comes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, Uri};
use prost::Message as _;
use tokio::sync::OnceCell;

use crate::address::{Protocol, RemoteAddress};
use crate::attempt::{Found, Trouble};
use crate::connection::{ConnectError, Connection};
use crate::grpc::GrpcCache;
use crate::http_cache::{HttpCache, Length, Put, Space};
use crate::protocol::ActionResultMessage;

/// Requests under way at once: over HTTP/1.1 each needs a connection of its own…
const HTTP_REQUESTS: usize = 32;
/// …over gRPC all share one.
const GRPC_REQUESTS: usize = 128;
/// Results are small; one with every diagnostic of a large file still is.
const LARGEST_RESULT: u64 = 4 << 20;

/// A server's caches.
pub(crate) enum Backend {
    Http(HttpCache),
    Grpc(GrpcCache),
}

impl Backend {
    /// Connects to nothing yet.
    pub(crate) fn new(
        address: &RemoteAddress,
        ca_file: Option<&Path>,
        headers: HeaderMap,
        timeout: Duration,
    ) -> Result<Backend, ConnectError> {
        let scheme = if address.encrypted { "https" } else { "http" };
        let base = format!("{scheme}://{}", address.authority);
        Ok(match address.protocol {
            Protocol::Http => {
                let slash = if address.path.is_empty() { "" } else { "/" };
                Backend::Http(HttpCache {
                    connection: Connection::new(address, ca_file, headers, timeout, HTTP_REQUESTS)?,
                    base: format!("{base}{slash}{}", address.path),
                    requests: AtomicU64::new(0),
                })
            }
            Protocol::Grpc => Backend::Grpc(GrpcCache {
                connection: Connection::new(address, ca_file, headers, timeout, 1)?,
                origin: base.parse::<Uri>().map_err(|error| {
                    ConnectError::Runtime(std::io::Error::other(error.to_string()))
                })?,
                instance: address.path.clone(),
                capabilities: OnceCell::new(),
                requests: AtomicU64::new(0),
            }),
        })
    }

    /// Requests that were sent, retries included.
    pub(crate) fn requests(&self) -> u64 {
        match self {
            Backend::Http(http) => http.requests.load(Ordering::Relaxed),
            Backend::Grpc(grpc) => grpc.requests.load(Ordering::Relaxed),
        }
    }

    /// Which blobs are not there.
    pub(crate) async fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, Trouble> {
        match self {
            Backend::Grpc(grpc) => grpc.find_missing(digests).await,
            Backend::Http(http) => {
                let asked = digests.iter().map(|digest| http.has(digest));
                let there: Vec<bool> =
                    stream::iter(asked).buffered(HTTP_REQUESTS).try_collect().await?;
                let missing = digests.iter().zip(there).filter(|(_, there)| !there);
                Ok(missing.map(|(digest, _)| *digest).collect())
            }
        }
    }

    /// What is under each digest, in their order.
    pub(crate) async fn read(&self, digests: &[Digest]) -> Result<Vec<Found>, Trouble> {
        match self {
            Backend::Grpc(grpc) => grpc.read(digests).await,
            Backend::Http(http) => {
                let asked = digests
                    .iter()
                    .map(|digest| http.get(Space::Blobs, digest, Length::Exactly(digest.size)));
                stream::iter(asked).buffered(HTTP_REQUESTS).try_collect().await
            }
        }
    }

    /// Keeps blobs. Gives back those that the server does not take.
    pub(crate) async fn write(&self, blobs: &[Blob]) -> Result<Vec<Digest>, Trouble> {
        match self {
            Backend::Grpc(grpc) => grpc.write(blobs).await,
            Backend::Http(http) => {
                let sent = blobs.iter().map(async |blob| {
                    let put = http.put(Space::Blobs, &blob.digest, &blob.bytes).await?;
                    Ok((put == Put::TooLarge).then_some(blob.digest))
                });
                let refused: Vec<Option<Digest>> =
                    stream::iter(sent).buffer_unordered(HTTP_REQUESTS).try_collect().await?;
                Ok(refused.into_iter().flatten().collect())
            }
        }
    }

    /// What is under each key, in their order; bytes that are no such message are nothing.
    pub(crate) async fn get_results(
        &self,
        keys: &[Digest],
    ) -> Result<Vec<Option<ActionResultMessage>>, Trouble> {
        match self {
            Backend::Grpc(grpc) => {
                grpc.capabilities().await?;
                let asked = keys.iter().map(async |key| grpc.get_result(key).await);
                stream::iter(asked).buffered(GRPC_REQUESTS).try_collect().await
            }
            Backend::Http(http) => {
                let limit = Length::AtMost(LARGEST_RESULT);
                let asked = keys.iter().map(async |key| {
                    Ok(match http.get(Space::Results, key, limit).await? {
                        Found::Bytes(bytes) => ActionResultMessage::decode(bytes).ok(),
                        Found::Missing | Found::Unusable(_) => None,
                    })
                });
                stream::iter(asked).buffered(HTTP_REQUESTS).try_collect().await
            }
        }
    }

    /// Keeps results.
    pub(crate) async fn update_results(
        &self,
        messages: BTreeMap<Digest, ActionResultMessage>,
    ) -> Result<(), Trouble> {
        match self {
            Backend::Grpc(grpc) => {
                if !grpc.capabilities().await?.takes_results {
                    return Err(Trouble::Lasting("it takes no results of clients".to_owned()));
                }
                let sent = messages
                    .into_iter()
                    .map(async |(key, message)| grpc.update_result(&key, message).await);
                stream::iter(sent).buffer_unordered(GRPC_REQUESTS).try_collect::<()>().await
            }
            Backend::Http(http) => {
                let sent = messages.into_iter().map(async |(key, message)| {
                    let bytes = Bytes::from(message.encode_to_vec());
                    // One that is too large is not kept, and missed by nobody.
                    http.put(Space::Results, &key, &bytes).await.map(|_| ())
                });
                stream::iter(sent).buffer_unordered(HTTP_REQUESTS).try_collect::<()>().await
            }
        }
    }
}
