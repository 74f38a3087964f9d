//! `bytekiln doctor`: what may be typed.

use std::path::PathBuf;

use clap::Args;

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Folders or zips, as they will stand in sys.path
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}
