//! `bytekiln diff`: what may be typed.

use std::path::PathBuf;

use clap::Args;

/// `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The one
    pub left: PathBuf,
    /// The other
    pub right: PathBuf,
}
