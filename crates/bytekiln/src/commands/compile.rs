//! `bytekiln compile`: one hermetic compilation. Its work is in `compilation`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_executor::{InterpreterEngine, InterpreterOptions, InterpreterPool, PoolLimits};

use crate::arguments::{CompileArguments, Global};
use crate::compilation::{
    Base, CompileOrder, Means, Mismatch, NoClaims, expand, perform, print_identity, report_stranger,
};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Verbosity};
use crate::settings::start_folder;

/// Bounds of the interpreters that one process keeps: of worker.py, whose memory grows with what
/// sources make it intern, a replacement after so much costs nothing that is felt.
pub(super) const LIMITS: PoolLimits = PoolLimits { idle: 64, requests: 10_000, bytes: 256 << 20 };

/// Whether arguments come from parameter files, which stand where entries do.
pub(crate) fn has_parameter_files(entries: &[OsString]) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    entries.iter().any(|entry| entry.as_bytes().starts_with(b"@"))
}

/// Puts the content of parameter files in their place. Also which files those were.
pub(crate) fn with_parameter_files(
    typed: Vec<OsString>,
    global: &Global,
    environment: &Environment,
) -> Result<(Vec<OsString>, Vec<PathBuf>), CommandFailure> {
    expand(typed, &Base::free(start_folder(global, environment)?))
}

/// `bytekiln compile`.
pub(crate) fn run(
    arguments: &CompileArguments,
    parameter_files: &[PathBuf],
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let base = Base::free(start_folder(global, environment)?);
    let order = CompileOrder::new(arguments, parameter_files.to_vec(), &base)?;
    let pool = pool(environment);
    if let Some(file) = &arguments.print_identity {
        let document = print_identity(&order, &pool)?;
        match file {
            Some(path) => std::fs::write(base.resolve(path)?, document).map_err(|error| {
                CommandFailure::failure(format!("could not write `{}`: {error}", path.display()))
            })?,
            None => terminal.data(&document),
        }
        return Ok(ExitStatus::Success);
    }
    let refused = |Mismatch(message): Mismatch| CommandFailure::environment(message);
    order.expectation.check_compiler().map_err(refused)?;
    interrupt::watch(terminal);
    let compiler =
        pool.introduce(&order.python, order.flags).map_err(CommandFailure::environment)?;
    if let Err(mismatch) = order.expectation.check_python(&compiler.toolchain) {
        report_stranger(&order, &base, &compiler)?;
        return Err(refused(mismatch));
    }
    let store = open_store(&order, terminal);
    let means = Means {
        base: &base,
        pool: &pool,
        compiler: &compiler,
        store: store.as_deref(),
        claims: &NoClaims,
        style: terminal.style(),
        all_warnings: terminal.verbosity() >= Verbosity::Reasons,
        cancel: &interrupt::CANCEL,
    };
    let performed = perform(&order, &means)?;
    if !performed.messages.is_empty() {
        terminal.say(&performed.messages);
    }
    if performed.failed > 0 {
        let failed = performed.failed;
        let what = plural(failed, "file was not compiled", "files were not compiled");
        terminal.error(format!("{failed} {what}"));
    } else if terminal.verbosity() >= Verbosity::Reasons {
        let (compiled, cached) = (performed.compiled, performed.cached);
        terminal.status("Finished", format!("{compiled} compiled, {cached} from the cache"));
    }
    Ok(performed.status)
}

/// Interpreters as builds start them, kept between compilations.
pub(super) fn pool(environment: &Environment) -> InterpreterPool {
    let engine = InterpreterEngine::new(InterpreterOptions {
        start_timeout: START_TIMEOUT,
        environment: environment.for_interpreters.clone(),
    });
    InterpreterPool::new(engine, LIMITS)
}

fn open_store(order: &CompileOrder, terminal: &Terminal) -> Option<Box<dyn Store>> {
    match DiskStore::open(order.cache_dir.as_ref()?, DiskOptions::default()) {
        Ok(store) => Some(Box::new(store)),
        Err(error) => {
            terminal.warning(format!("{error}; compiling without the cache"));
            None
        }
    }
}

/// An interpreter that has not said who it is after this long is not going to.
const START_TIMEOUT: Duration = Duration::from_secs(30);
