//! The HTTP cache protocol of bazel-remote, nginx and others: GET, HEAD and PUT of `/ac/HEX` and
//! `/cas/HEX`. Knows nothing of actions.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use bytekiln_action::Digest;

use crate::attempt::{Found, Trouble, with_causes, with_retries};
use crate::connection::{Connection, trouble};

/// One server's cache.
pub(crate) struct HttpCache {
    pub(crate) connection: Connection<Full<Bytes>>,
    /// `http://HOST:PORT/PREFIX`, without a slash at its end.
    pub(crate) base: String,
    /// How many were sent.
    pub(crate) requests: AtomicU64,
}

/// A namespace of the protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Space {
    /// `ac`: results.
    Results,
    /// `cas`: blobs.
    Blobs,
}

/// How much may come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// So many bytes, or it is not what was asked for.
    Exactly(u64),
    /// No more than so many.
    AtMost(u64),
}

/// What became of a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there.
    Kept,
    /// The server does not take files of this size.
    TooLarge,
}

impl HttpCache {
    /// The content of an entry.
    pub(crate) async fn get(
        &self,
        space: Space,
        key: &Digest,
        length: Length,
    ) -> Result<Found, Trouble> {
        with_retries(async || {
            let answer = self.send(Method::GET, space, key, Bytes::new()).await?;
            match answer.status() {
                StatusCode::OK => read(answer, length).await,
                StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Found::Missing),
                _ => Err(refusal(&answer)),
            }
        })
        .await
    }

    /// Whether a blob of this size is there.
    pub(crate) async fn has(&self, digest: &Digest) -> Result<bool, Trouble> {
        with_retries(async || {
            let answer = self.send(Method::HEAD, Space::Blobs, digest, Bytes::new()).await?;
            match answer.status() {
                StatusCode::OK => Ok(stated_length(&answer).is_none_or(|size| size == digest.size)),
                StatusCode::NOT_FOUND | StatusCode::GONE => Ok(false),
                _ => Err(refusal(&answer)),
            }
        })
        .await
    }

    /// Writes an entry.
    pub(crate) async fn put(
        &self,
        space: Space,
        key: &Digest,
        bytes: &Bytes,
    ) -> Result<Put, Trouble> {
        with_retries(async || {
            let answer = self.send(Method::PUT, space, key, bytes.clone()).await?;
            match answer.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Ok(Put::TooLarge),
                status if status.is_success() => Ok(Put::Kept),
                _ => Err(refusal(&answer)),
            }
        })
        .await
    }

    async fn send(
        &self,
        method: Method,
        space: Space,
        key: &Digest,
        body: Bytes,
    ) -> Result<Response<Incoming>, Trouble> {
        let space = match space {
            Space::Results => "ac",
            Space::Blobs => "cas",
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{space}/{}", self.base, key.to_hex()))
            .body(Full::new(body))
            .map_err(|error| Trouble::Lasting(error.to_string()))?;
        self.connection.send(request).await.map_err(|error| trouble(&error))
    }
}

fn stated_length(answer: &Response<Incoming>) -> Option<u64> {
    answer.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body, and never more of it than was asked for.
async fn read(answer: Response<Incoming>, length: Length) -> Result<Found, Trouble> {
    let limit = match length {
        Length::Exactly(limit) | Length::AtMost(limit) => limit,
    };
    let wrong = |size: u64| match length {
        Length::Exactly(wanted) => {
            (size != wanted).then(|| format!("it has {size} bytes, and {wanted} were expected"))
        }
        Length::AtMost(limit) => (size > limit).then(|| format!("it has more than {limit} bytes")),
    };
    if let Some(why) = stated_length(&answer).and_then(wrong) {
        return Ok(Found::Unusable(why));
    }
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Trouble::Passing(with_causes(&error)))?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
        }
        if bytes.len() as u64 > limit {
            return Ok(Found::Unusable(format!("it has more than {limit} bytes")));
        }
    }
    Ok(match wrong(bytes.len() as u64) {
        Some(why) => Found::Unusable(why),
        None => Found::Bytes(bytes.into()),
    })
}

/// Why an answer is none.
fn refusal(answer: &Response<Incoming>) -> Trouble {
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let to = to.map(|to| format!(" to `{to}`")).unwrap_or_default();
        // Not followed: the headers may hold a token that is not for another host.
        return Trouble::Lasting(format!("it redirects{to}; name the address that it means"));
    }
    let message = format!("it answered {status}");
    match status {
        // A conflict: another client is writing the same entry.
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Trouble::Passing(message),
        _ => Trouble::Lasting(message),
    }
}
