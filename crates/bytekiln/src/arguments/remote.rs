//! Which cache and which executor on other machines are used, as typed.

use std::path::PathBuf;

use clap::Args;

use super::ExecutorArguments;

/// Options of commands that compile.
#[derive(Debug, Clone, Default, Args)]
pub struct RemoteArguments {
    /// A cache on another machine: http, https, grpc or grpcs://HOST[:PORT][/PREFIX or INSTANCE]
    #[arg(
        long,
        value_name = "ADDRESS",
        help_heading = "Remote cache",
        env = "BYTEKILN_REMOTE_CACHE"
    )]
    pub remote_cache: Option<String>,
    /// Use no cache on another machine, whatever the manifest or the environment says
    #[arg(long, help_heading = "Remote cache")]
    pub no_remote_cache: bool,
    /// Read from it, and write nothing to it
    #[arg(long, help_heading = "Remote cache")]
    pub remote_cache_read_only: bool,
    /// Headers for every request to it and to the executor, one `Name: value` a line: for tokens
    #[arg(long, value_name = "FILE", help_heading = "Remote cache")]
    pub remote_header_file: Option<PathBuf>,
    /// Trust the certificates of this file, and no others [default: those of this machine]
    #[arg(long, value_name = "FILE", help_heading = "Remote cache")]
    pub remote_ca_file: Option<PathBuf>,
    /// The time for one question to it; after that the build goes on without it
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = "Remote cache",
        env = "BYTEKILN_REMOTE_TIMEOUT"
    )]
    pub remote_timeout: u64,
    /// Who compiles there.
    #[command(flatten)]
    pub executor: ExecutorArguments,
}
