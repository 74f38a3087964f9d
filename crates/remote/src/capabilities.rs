//! What a server of the Remote Execution API can do, and how requests are cut to it. Pure.

use bytekiln_action::Digest;

use crate::attempt::Trouble;
use crate::protocol::{SHA256, ServerCapabilities, ZSTD};

/// Where a server names no limit, this is gRPC's own for one message.
pub(crate) const MESSAGE_LIMIT: u64 = 4 << 20;
/// The largest batch: buildbox-casd wants some room in its messages, and says so only when asked for
/// too much.
const LARGEST_BATCH: u64 = MESSAGE_LIMIT - (256 << 10);
/// What a digest and the framing of a blob take in a message.
const ENTRY_OVERHEAD: u64 = 128;
/// What a message takes besides its blobs.
const MESSAGE_OVERHEAD: u64 = 4096;

/// What a server can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Bytes of all blobs in one request, with what goes around them.
    pub(crate) batch_bytes: u64,
    /// A blob may not have more; `None`: any size.
    pub(crate) largest_blob: Option<u64>,
    /// It reads and writes `compressed-blobs/zstd/…`.
    pub(crate) zstd: bool,
    /// It keeps results of clients.
    pub(crate) takes_results: bool,
    /// It executes actions.
    pub(crate) executes: bool,
}

impl Capabilities {
    /// Of a server that does not say.
    pub(crate) fn unknown() -> Capabilities {
        Capabilities {
            batch_bytes: LARGEST_BATCH,
            largest_blob: None,
            zstd: false,
            takes_results: true,
            executes: true,
        }
    }

    /// Reads what a server says.
    pub(crate) fn of(said: &ServerCapabilities) -> Result<Capabilities, Trouble> {
        let Some(cache) = &said.cache_capabilities else {
            return Err(Trouble::Lasting("it is no cache: it has no capabilities of one".into()));
        };
        if !cache.digest_functions.is_empty() && !cache.digest_functions.contains(&SHA256) {
            return Err(Trouble::Lasting("it does not know SHA-256 digests".into()));
        }
        let positive = |size: i64| u64::try_from(size).ok().filter(|size| *size > 0);
        let batch = positive(cache.max_batch_total_size_bytes).unwrap_or(MESSAGE_LIMIT);
        Ok(Capabilities {
            // More is of no use: our own messages are bounded, too.
            batch_bytes: batch.min(LARGEST_BATCH),
            largest_blob: positive(cache.max_cas_blob_size_bytes),
            zstd: cache.supported_compressors.contains(&ZSTD),
            takes_results: cache
                .action_cache_update_capabilities
                .as_ref()
                .is_none_or(|capabilities| capabilities.update_enabled),
            executes: said
                .execution_capabilities
                .as_ref()
                .is_some_and(|capabilities| capabilities.exec_enabled),
        })
    }

    /// Cuts positions into batches of which each fits into one message, and those whose blob fits
    /// into none.
    pub(crate) fn batches(&self, digests: &[Digest]) -> (Vec<Vec<usize>>, Vec<usize>) {
        let room = self.batch_bytes.saturating_sub(MESSAGE_OVERHEAD);
        let (mut batches, mut alone) = (Vec::new(), Vec::new());
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (position, digest) in digests.iter().enumerate() {
            let size = digest.size.saturating_add(ENTRY_OVERHEAD);
            if size > room {
                alone.push(position);
                continue;
            }
            if bytes + size > room {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            batch.push(position);
            bytes += size;
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
        (batches, alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::CacheCapabilities;

    #[test]
    fn batches_fit_into_messages() {
        let small = Capabilities { batch_bytes: 10_000, ..Capabilities::unknown() };
        let digest = |size| Digest { hash: [0; 32], size };
        let digests = [3000, 2000, 6000, 1, 2000, 2000].map(digest);
        assert_eq!(small.batches(&digests), (vec![vec![0, 1, 3], vec![4, 5]], vec![2]));
        assert_eq!(small.batches(&[]), (vec![], vec![]));
        // A hostile size overflows nothing.
        assert_eq!(small.batches(&[digest(u64::MAX)]), (vec![], vec![0]));
        // A server that takes almost nothing gets everything one by one.
        let tiny = Capabilities { batch_bytes: 1, ..small };
        assert_eq!(tiny.batches(&digests[..2]), (vec![], vec![0, 1]));
    }

    #[test]
    fn what_a_server_says_is_read_with_care() {
        let said = |cache: Option<CacheCapabilities>| {
            Capabilities::of(&ServerCapabilities {
                cache_capabilities: cache,
                execution_capabilities: None,
            })
        };
        let cache_only = Capabilities { executes: false, ..Capabilities::unknown() };
        assert!(said(None).is_err());
        assert_eq!(said(Some(CacheCapabilities::default())), Ok(cache_only));
        let odd = CacheCapabilities {
            digest_functions: vec![9],
            max_batch_total_size_bytes: -1,
            ..CacheCapabilities::default()
        };
        assert!(said(Some(odd.clone())).is_err());
        let odd = CacheCapabilities { digest_functions: vec![9, SHA256], ..odd };
        assert_eq!(said(Some(odd)), Ok(cache_only));
    }
}
