//! `compile` and `worker`: what may be typed, or stand in a parameter file or a worker's request.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

/// Names of outputs in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TreeLayout {
    /// pkg/__pycache__/m.cpython-311.pyc, with .opt-1 or .opt-2 (PEP 3147, PEP 488)
    Pycache,
    /// pkg/m.pyc: loaded where there is no source
    Sourceless,
}

/// `compile`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Reads what is named and nothing else: no workspace, no manifest, no cache unless --cache-dir names one. \
The interpreter sees LD_LIBRARY_PATH, DYLD_LIBRARY_PATH and DYLD_FALLBACK_LIBRARY_PATH, if set, and no \
other variable.

Outputs are the bytes that `build` writes for the same source, recorded path and interpreter. Outputs that \
are right already are not touched. docs/compile.md has the formats of manifests and parameter files.")]
pub struct CompileArguments {
    /// A source, the path it records (else its own), and its output (else below --out-dir); or
    /// @FILE: arguments, one a line
    #[arg(value_name = "SOURCE[=RECORDED[=OUTPUT]]")]
    pub entries: Vec<OsString>,
    /// Sources from a JSON manifest (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub manifest: Vec<PathBuf>,
    /// A tree for the outputs that have no path of their own, named after their recorded paths
    #[arg(long, value_name = "FOLDER", help_heading = "Inputs and outputs")]
    pub out_dir: Option<PathBuf>,
    /// Names of outputs in the tree
    #[arg(
        long,
        value_name = "LAYOUT",
        default_value = "pycache",
        help_heading = "Inputs and outputs"
    )]
    pub layout: TreeLayout,
    /// Write a JSON manifest of the outputs
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub out_manifest: Option<PathBuf>,
    /// Write who compiled and how each source ended, as JSON, also where something failed
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub out_report: Option<PathBuf>,
    /// Write what was read, as a rule for make or ninja
    #[arg(long, value_name = "FILE", help_heading = "Inputs and outputs")]
    pub depfile: Option<PathBuf>,
    /// Give outputs that were right already the time of now, for make
    #[arg(long, help_heading = "Inputs and outputs")]
    pub touch: bool,
    /// The interpreter that compiles: a path
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    pub python: Option<PathBuf>,
    /// Who that interpreter must be: a version (3.11, 3.11.7), the digest of its identity, or @FILE: what
    /// --print-identity wrote
    #[arg(long, value_name = "IDENTITY", help_heading = "Target")]
    pub expect_python: Option<String>,
    /// Which compiler this must be: what --print-identity calls `compiler`, or @FILE
    #[arg(long, value_name = "IDENTITY", help_heading = "Target")]
    pub expect_compiler: Option<String>,
    /// Optimization level: 0, 1, 2
    #[arg(long, value_name = "LEVEL", default_value_t = 0, help_heading = "Target",
          value_parser = clap::value_parser!(u8).range(0..=2))]
    pub optimize: u8,
    /// checked-hash or unchecked-hash
    #[arg(long, value_name = "MODE", default_value = "checked-hash", help_heading = "Target",
          value_parser = ["checked-hash", "unchecked-hash"])]
    pub invalidation_mode: String,
    /// Leave out the positions of PEP 657
    #[arg(long, help_heading = "Target")]
    pub no_debug_ranges: bool,
    /// Compile nothing: write who compiles, as JSON, to FILE or standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, help_heading = "Target",
          conflicts_with_all = ["entries", "manifest", "out_manifest", "out_report", "depfile"])]
    pub print_identity: Option<Option<PathBuf>>,
    /// Look results up in this cache, and keep them there
    #[arg(long, value_name = "FOLDER", help_heading = "Execution")]
    pub cache_dir: Option<PathBuf>,
    /// Compilers at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution")]
    pub jobs: Option<NonZeroUsize>,
    /// The least time a file gets before its compiler counts as hung, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Execution")]
    pub timeout: u64,
}

/// `compile` alone, as a worker's requests have it.
#[derive(Debug, Parser)]
#[command(name = "bytekiln compile", disable_help_flag = true)]
pub struct CompileRequest {
    /// The arguments.
    #[command(flatten)]
    pub compile: CompileArguments,
}

/// How a worker's messages are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProtocolChoice {
    /// A JSON object a line
    Json,
    /// Protocol buffers behind their lengths
    Proto,
}

/// `worker`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
With --persistent_worker, which Bazel adds, requests are read from standard input until it ends; their \
arguments are those of `compile`, with --expect-compiler and --expect-python, and their paths lead \
nowhere but below the folder of the request. Without it, this is `compile`. docs/worker.md has the rest.")]
pub struct WorkerArguments {
    /// Serve requests
    #[arg(long = "persistent_worker", alias = "persistent-worker", help_heading = "Worker")]
    pub persistent_worker: bool,
    /// How requests are spelled: `requires-worker-protocol` of the action
    #[arg(long, value_name = "PROTOCOL", default_value = "proto", help_heading = "Worker")]
    pub protocol: ProtocolChoice,
    /// What to compile where Bazel starts no worker.
    #[command(flatten)]
    pub compile: CompileArguments,
}
