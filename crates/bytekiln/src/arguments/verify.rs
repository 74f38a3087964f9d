//! `bytekiln verify`: what may be typed.

use std::path::PathBuf;

use clap::Args;

/// `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Folders, archives or .pyc files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}
