//! What can go wrong with a request, and whether to try it again. Knows no protocol.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// A request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may work the next time: the connection broke, or the server is busy.
    Passing(String),
    /// The server has too much to do, or was asked for too much at once.
    Exhausted(String),
    /// It will not work the next time either.
    Lasting(String),
}

/// What became of the question for a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Bytes that may be it; not hashed yet.
    Bytes(bytes::Bytes),
    /// It is not there.
    Missing,
    /// Something is there that cannot be it; why.
    Unusable(String),
}

/// How often a request is sent.
const ATTEMPTS: u32 = 4;
/// Before the second attempt, about; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// Sends a request until it works, does not get better, or was sent often enough. The caller's
/// deadline is over all of it.
pub(crate) async fn with_retries<T, F>(mut send: impl FnMut() -> F) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, Trouble>>,
{
    let mut attempt = 1;
    loop {
        match send().await {
            Err(Trouble::Passing(_) | Trouble::Exhausted(_)) if attempt < ATTEMPTS => {}
            end => return end,
        }
        tokio::time::sleep(jittered(BACKOFF * 2_u32.pow(attempt - 1))).await;
        attempt += 1;
    }
}

/// Between half and one and a half of it, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + (random() % 1024) as f64 / 1024.0)
}

/// A number that is another one each time; no secret rests on it.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// An error with all its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}
