//! `bytekiln worker`: Bazel's persistent worker, or where Bazel starts it without, one compilation.

use std::path::PathBuf;

use super::compile;
use crate::arguments::{Global, ProtocolChoice, WorkerArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::settings::start_folder;
use crate::worker::protocol::Protocol;
use crate::worker::{WorkerOptions, serve};

/// `bytekiln worker`.
pub(super) fn run(
    arguments: &WorkerArguments,
    parameter_files: &[PathBuf],
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let own = &arguments.compile;
    if !arguments.persistent_worker {
        return compile::run(own, parameter_files, global, environment, terminal);
    }
    if !own.entries.is_empty() || !own.manifest.is_empty() {
        return Err(CommandFailure::usage("a persistent worker is given sources by requests")
            .hint("leave --persistent_worker out to compile once"));
    }
    let folder = start_folder(global, environment)?;
    let options = WorkerOptions {
        protocol: match arguments.protocol {
            ProtocolChoice::Json => Protocol::Json,
            ProtocolChoice::Proto => Protocol::Protobuf,
        },
        jobs: own.jobs.unwrap_or_else(bytekiln_executor::available_parallelism),
        cache_dir: own.cache_dir.as_ref().map(|path| folder.join(path)),
        folder,
    };
    let input = Box::new(std::io::BufReader::with_capacity(1 << 16, std::io::stdin()));
    serve(options, compile::pool(environment), input, Box::new(std::io::stdout()))
}
