//! `bytekiln normalize`: what may be typed.

use std::path::PathBuf;

use clap::Args;

/// `normalize`.
#[derive(Debug, Args)]
pub struct NormalizeArguments {
    /// Folders or .pyc files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}
