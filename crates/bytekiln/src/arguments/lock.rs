//! `bytekiln lock`: what may be typed.

use clap::Args;

use super::SelectArguments;

/// `lock`.
#[derive(Debug, Args)]
pub struct LockArguments {
    /// What to lock.
    #[command(flatten)]
    pub select: SelectArguments,
}
