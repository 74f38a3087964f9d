//! One request, from its arguments to its response. Whatever it says, it gets one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytekiln_cache::{DiskOptions, DiskStore};
use bytekiln_executor::InterpreterPool;
use clap::Parser;

use super::claims::RequestClaims;
use super::interpreters::{Interpreters, NoInterpreter};
use super::protocol::{WorkRequest, WorkResponse};
use crate::arguments::CompileRequest;
use crate::compilation::{Base, CompileOrder, Means, Mismatch, expand, is_inside, perform};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::diagnostic::Style;

/// More is cut: nobody reads it, and a response is kept in memory by Bazel.
const LONGEST_OUTPUT: usize = 1 << 20;
/// More caches than any build has.
const MOST_STORES: usize = 8;

/// What all requests share.
pub(super) struct Workshop {
    /// The folder that the worker was started in.
    pub(super) folder: PathBuf,
    pub(super) pool: InterpreterPool,
    pub(super) interpreters: Interpreters,
    /// For requests that name no other.
    pub(super) cache_dir: Option<PathBuf>,
    pub(super) stores: Mutex<BTreeMap<PathBuf, Arc<DiskStore>>>,
    pub(super) is_sha256: AtomicBool,
}

/// A response, and whether this worker must not go on: it is not who was expected.
pub(super) struct Answer {
    pub(super) response: WorkResponse,
    pub(super) refused: bool,
}

enum Fault {
    Failure(CommandFailure),
    Refusal(Mismatch),
}

impl From<CommandFailure> for Fault {
    fn from(failure: CommandFailure) -> Fault {
        Fault::Failure(failure)
    }
}

impl Workshop {
    /// Carries a request out.
    pub(super) fn answer(&self, request: &WorkRequest, cancel: &AtomicBool) -> Answer {
        let request_id = request.request_id;
        let cancelled =
            || WorkResponse { request_id, was_cancelled: true, ..WorkResponse::default() };
        if cancel.load(Ordering::Relaxed) {
            return Answer { response: cancelled(), refused: false };
        }
        let (status, output, refused) = match self.work(request, cancel) {
            Ok((ExitStatus::Interrupted, _)) => {
                return Answer { response: cancelled(), refused: false };
            }
            Ok((status, output)) => (status, output, false),
            Err(Fault::Failure(failure)) => (failure.status, text(&failure), false),
            Err(Fault::Refusal(Mismatch(message))) => {
                (ExitStatus::Environment, format!("error: {message}; this worker ends\n"), true)
            }
        };
        let response = WorkResponse {
            exit_code: status.code().into(),
            output: shortened(output),
            request_id,
            was_cancelled: false,
        };
        Answer { response, refused }
    }

    fn work(
        &self,
        request: &WorkRequest,
        cancel: &AtomicBool,
    ) -> Result<(ExitStatus, String), Fault> {
        let base = self.base(&request.sandbox_dir)?;
        let typed = request.arguments.iter().map(OsString::from);
        let (arguments, parameter_files) = expand(typed, &base)?;
        let named = std::iter::once(OsString::from("bytekiln compile")).chain(arguments);
        let arguments = CompileRequest::try_parse_from(named)
            .map_err(|error| CommandFailure::usage(error.to_string().trim_end()))?
            .compile;
        if arguments.expect_python.is_none() || arguments.expect_compiler.is_none() {
            return Err(CommandFailure::usage("the request does not say who is to compile")
                .hint("give --expect-compiler and --expect-python: what --print-identity wrote")
                .into());
        }
        if arguments.print_identity.is_some() {
            return Err(CommandFailure::usage("a worker prints no identities").into());
        }
        let mut order = CompileOrder::new(&arguments, parameter_files, &base)?;
        order.limit_jobs(arguments.jobs);
        order.expectation.check_compiler().map_err(Fault::Refusal)?;
        let compiler = self.interpreters.find(&order, &self.pool).map_err(|none| match none {
            NoInterpreter::Unusable(message) => {
                Fault::Failure(CommandFailure::environment(message))
            }
            NoInterpreter::Other(mismatch) => Fault::Refusal(mismatch),
        })?;
        let store = match order.cache_dir.as_ref().or(self.cache_dir.as_ref()) {
            Some(folder) => Some(self.store(folder)?),
            None => None,
        };
        let claims = RequestClaims::new(&request.inputs, &self.is_sha256, store.is_some());
        let means = Means {
            base: &base,
            pool: &self.pool,
            compiler: &compiler,
            store: store.as_deref().map(|store| store as &dyn bytekiln_cache::Store),
            claims: &claims,
            style: Style { color: false, width: None },
            all_warnings: request.verbosity > 0,
            cancel,
        };
        let performed = perform(&order, &means)?;
        Ok((performed.status, performed.messages))
    }

    fn base(&self, sandbox_dir: &str) -> Result<Base, CommandFailure> {
        if sandbox_dir.is_empty() {
            return Ok(Base::confined(self.folder.clone()));
        }
        let folder = self.folder.join(sandbox_dir);
        if !is_inside(Path::new(sandbox_dir)) || !folder.is_dir() {
            return Err(CommandFailure::usage(format!(
                "`{sandbox_dir}` is no folder for a sandbox"
            ))
            .hint("a sandbox is a folder below the one that the worker runs in"));
        }
        Ok(Base::confined(folder))
    }

    fn store(&self, folder: &Path) -> Result<Arc<DiskStore>, CommandFailure> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(folder) {
            return Ok(Arc::clone(store));
        }
        let store = DiskStore::open(folder, DiskOptions::default())
            .map_err(|error| CommandFailure::environment(&error))?;
        if stores.len() >= MOST_STORES {
            stores.clear();
        }
        let store = Arc::new(store);
        stores.insert(folder.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

fn text(failure: &CommandFailure) -> String {
    let mut text: String =
        failure.messages.iter().map(|message| format!("error: {message}\n")).collect();
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("  = help: {hint}\n"));
    }
    text
}

fn shortened(mut output: String) -> String {
    if output.len() > LONGEST_OUTPUT {
        let mut end = LONGEST_OUTPUT;
        while !output.is_char_boundary(end) {
            end -= 1;
        }
        output.truncate(end);
        output.push_str("\n… (more was said)\n");
    }
    output
}
