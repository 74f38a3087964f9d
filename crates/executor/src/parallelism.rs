//! How many processors are ours.

use std::num::NonZeroUsize;

/// Processors that this process may use: no more than its affinity mask and, on Linux, its
/// cgroup's quota (version 1 and 2) allow, which the standard library reads. In a container with
/// two of 512 processors this is 2.
pub fn available_parallelism() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
