//! Which executor on another machine is used, and what its workers have, as typed.

use std::path::PathBuf;

use clap::Args;

/// Options of commands that compile.
#[derive(Debug, Clone, Default, Args)]
pub struct ExecutorArguments {
    /// Compile on other machines: grpc or grpcs://HOST[:PORT][/INSTANCE NAME] of a Remote Execution API
    #[arg(
        long,
        value_name = "ADDRESS",
        help_heading = "Remote execution",
        env = "BYTEKILN_REMOTE_EXECUTOR"
    )]
    pub remote_executor: Option<String>,
    /// Compile here, whatever the environment says
    #[arg(long, help_heading = "Remote execution")]
    pub no_remote_executor: bool,
    /// Where interpreters are on its workers (repeatable, with a version like 3.11= for one of several)
    /// [default: where they are here]
    #[arg(long, value_name = "[VERSION=]PATH", help_heading = "Remote execution")]
    pub remote_python: Vec<String>,
    /// Send this folder along, with the interpreter that --remote-python names relative to it
    #[arg(long, value_name = "FOLDER", help_heading = "Remote execution")]
    pub remote_python_files: Option<PathBuf>,
    /// The bytekiln that its workers run [default: this one]
    #[arg(long, value_name = "FILE", help_heading = "Remote execution")]
    pub remote_bytekiln: Option<PathBuf>,
    /// What its workers have to be, as its operator defines it (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Remote execution")]
    pub remote_platform_property: Vec<String>,
    /// The time for one batch of sources, with its wait for a worker; after that all is compiled here
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = "Remote execution"
    )]
    pub remote_execution_timeout: u64,
}
