//! The lock file: which sources, interpreters and outputs a profile had when it was locked. Read,
//! written, and compared with what is there now. Knows nothing of how outputs are made, and prints
//! nothing.

mod compare;
mod error;
mod model;
mod read;
mod settled;
mod text;
mod write;

pub use compare::{LockDrift, compare_outputs, compare_sources};
pub use error::{LockFileError, LockFileFault};
pub use model::{
    LockFile, LockIndex, LockedMember, LockedOutput, LockedProfile, LockedSource, LockedTarget,
};
pub use read::{LockText, parse_lock, read_lock};
pub use settled::{remember_locked, was_locked};
pub use write::{render_lock, write_lock};

/// Where it lies, below the workspace.
pub const LOCK_FILE_NAME: &str = "bytekiln.lock";
/// The version of the format that is written, and the only one that is read.
pub const LOCK_FILE_VERSION: u32 = 1;

#[cfg(test)]
mod tests;
