//! `bytekiln inspect`: what may be typed.

use std::path::PathBuf;

use clap::Args;

use super::PlanFormat;

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// .pyc files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How it is shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
}
