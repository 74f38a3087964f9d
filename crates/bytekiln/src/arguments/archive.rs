//! `archive`: what may be typed, or stand in a parameter file.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArchiveFormat {
    /// For sys.path
    Zip,
    /// A layer of a container image
    Tar,
}

/// How it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArchiveCompression {
    /// Not at all
    None,
    /// The files of a zip, each by itself
    Deflate,
    /// The whole of a tar
    Gzip,
    /// The whole of a tar
    Zstd,
}

/// `archive`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads what is named and nothing else. The bytes depend on names, contents and options alone: entries are \
sorted, have one time, one owner and mode 0644; the folders above them get entries too.")]
pub struct ArchiveArguments {
    /// A name in the archive, and the file; or @FILE: arguments, one a line
    #[arg(value_name = "NAME=FILE")]
    pub entries: Vec<OsString>,
    /// Which container
    #[arg(long, value_name = "FORMAT")]
    pub format: ArchiveFormat,
    /// The file that is written
    #[arg(short, long, value_name = "FILE", help_heading = "Outputs")]
    pub output: PathBuf,
    /// Write the SHA-256 of the archive here, as sha256:HEX
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub digest_file: Option<PathBuf>,
    /// Write the SHA-256 of the tar before it is packed here: what OCI calls the diffID
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub diff_id_file: Option<PathBuf>,
    /// How it is packed [default: deflate for a zip, none for a tar]
    #[arg(long, value_name = "HOW")]
    pub compression: Option<ArchiveCompression>,
    /// When every entry was modified, in seconds since 1970 [default: 1980-01-01]
    #[arg(long, value_name = "SECONDS")]
    pub modified: Option<i64>,
    /// Whom every entry of a tar belongs to, by number
    #[arg(long, value_name = "USER:GROUP", default_value = "0:0")]
    pub owner: String,
    /// Threads to compress with: a build tool counts an action as one
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub jobs: NonZeroUsize,
}
