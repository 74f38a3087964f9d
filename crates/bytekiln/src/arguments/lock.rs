//! `bytekiln lock`: what may be typed.

use clap::Args;

use super::{MessageFormat, RemoteArguments, SelectArguments};

/// `lock`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --profile, every profile that bytekiln.lock has is locked, and `release` where \
    there is no such file. Nothing is built: outputs are compiled in memory, or known from the cache.\n\n\
    In CI:\n  bytekiln lock --check             is bytekiln.lock up to date?\n  \
    bytekiln build --release --locked  write its outputs, and no others\n\n\
    Exit status: 0 written or up to date; 1 drifted (--check), or a file does not compile; 2 wrong \
    arguments, manifest or lock file."
)]
pub struct LockArguments {
    /// What to lock.
    #[command(flatten)]
    pub select: SelectArguments,
    /// A cache on another machine.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Write nothing; exit with 1 and say what drifted if the file is not up to date
    #[arg(long, help_heading = "Execution")]
    pub check: bool,
    /// Compile everything anew, trusting neither the cache nor what was built before
    #[arg(short, long, help_heading = "Execution")]
    pub force: bool,
    /// The least time a file gets before its compiler counts as hung, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Execution")]
    pub timeout: u64,
    /// How messages are formatted
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub message_format: MessageFormat,
}

impl LockArguments {
    /// The selection, of `release` where no profile is named: outputs of working trees are not
    /// what is locked.
    pub fn selection(&self) -> SelectArguments {
        let mut select = self.select.clone();
        select.release |= select.profile.is_none();
        select
    }

    /// Whether the profile, or something of it, was typed; else all locked ones are meant.
    pub fn names_profile(&self) -> bool {
        let select = &self.select;
        select.release
            || select.profile.is_some()
            || !select.python.is_empty()
            || !select.optimize.is_empty()
            || select.invalidation_mode.is_some()
            || !select.path_prefix_map.is_empty()
    }
}
