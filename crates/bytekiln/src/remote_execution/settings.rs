//! The executor, from what was typed. Connects to nothing; a wrong address or file is the user's error,
//! a server that does not answer is not.
//!
//! The manifest names no executor: sources and this program would be sent to whatever address somebody
//! else wrote there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytekiln_executor::BatchCompiler;
use bytekiln_project::CacheSettings;
use bytekiln_remote::{ExecutorOptions, RemoteExecutor};

use super::compiler::RemoteCompiler;
use super::program::{Program, RemotePython};
use crate::arguments::RemoteArguments;
use crate::commands::cache::size;
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::remote::RemoteSettings;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// Which executor is used, and what its workers run.
#[derive(Debug, Clone)]
pub struct ExecutorSettings {
    options: ExecutorOptions,
    binary: PathBuf,
    pythons: Vec<RemotePython>,
    python_files: Option<PathBuf>,
}

impl ExecutorSettings {
    /// Puts arguments (with the environment, by clap) together; `None`: none is used.
    pub fn new(
        typed: &RemoteArguments,
        start: &Path,
        environment: &Environment,
    ) -> Result<Option<ExecutorSettings>, CommandFailure> {
        let arguments = &typed.executor;
        let address = arguments.remote_executor.as_ref().filter(|text| !text.is_empty());
        let Some(text) = address.filter(|_| !arguments.no_remote_executor) else { return Ok(None) };
        // Headers, certificates and times are those of the cache, which may be another server.
        let as_cache = RemoteArguments {
            remote_cache: Some(text.clone()),
            no_remote_cache: false,
            ..typed.clone()
        };
        let reached = RemoteSettings::new(&as_cache, &CacheSettings::default(), start);
        let reached = reached.map_err(|mut failure| {
            for message in &mut failure.messages {
                *message = message
                    .replace("--remote-cache ", "--remote-executor ")
                    .replace("no address of a cache", "no address of an executor");
            }
            failure
        })?;
        let Some(RemoteSettings { options: remote, .. }) = reached else { return Ok(None) };
        if !remote.address.is_grpc() {
            return Err(CommandFailure::usage(format!(
                "--remote-executor `{text}` is no address of an executor"
            ))
            .hint("write e.g. `grpcs://build.example:8980/main`"));
        }
        let mut platform = Vec::new();
        for property in &arguments.remote_platform_property {
            let Some((name, value)) = property.split_once('=') else {
                return Err(CommandFailure::usage(format!(
                    "--remote-platform-property `{property}` has no value"
                ))
                .hint("write NAME=VALUE, e.g. `OSFamily=linux`"));
            };
            platform.push((name.to_owned(), value.to_owned()));
        }
        let mut pythons = Vec::new();
        for python in &arguments.remote_python {
            let python = RemotePython::parse(python);
            if python.path.starts_with('/') == arguments.remote_python_files.is_some() {
                let message = format!("--remote-python `{}` cannot be found there", python.path);
                return Err(CommandFailure::usage(message).hint(
                    "write an absolute path, or one below the folder of --remote-python-files",
                ));
            }
            pythons.push(python);
        }
        if arguments.remote_python_files.is_some() && pythons.is_empty() {
            return Err(CommandFailure::usage("--remote-python-files alone names no interpreter")
                .hint("name one in it with --remote-python, e.g. `bin/python3.11`"));
        }
        let binary = match (&arguments.remote_bytekiln, &environment.executable) {
            (Some(file), _) => {
                let file = start.join(file);
                // Known before anything is sent: a slip of the user is no trouble of the server's.
                if !file.is_file() {
                    let message =
                        format!("--remote-bytekiln: there is no file `{}`", file.display());
                    return Err(CommandFailure::usage(message));
                }
                file
            }
            (None, Some(own)) => own.clone(),
            (None, None) => {
                return Err(CommandFailure::environment("this program does not know where it is")
                    .hint("name a bytekiln for the workers with --remote-bytekiln"));
            }
        };
        let limit = Duration::from_secs(arguments.remote_execution_timeout);
        Ok(Some(ExecutorSettings {
            options: ExecutorOptions { remote, platform, limit },
            binary,
            pythons,
            python_files: arguments.remote_python_files.as_ref().map(|folder| start.join(folder)),
        }))
    }

    /// Makes the executor.
    pub fn open(&self) -> Result<OpenExecutor, CommandFailure> {
        let executor = RemoteExecutor::new(self.options.clone()).map_err(CommandFailure::usage)?;
        let program = Program::new(
            self.binary.clone(),
            self.pythons.clone(),
            self.python_files.clone(),
            self.options.limit,
        );
        Ok(OpenExecutor { compiler: RemoteCompiler::new(executor, program) })
    }
}

/// An executor that can be given work.
#[derive(Debug)]
pub struct OpenExecutor {
    compiler: RemoteCompiler,
}

impl OpenExecutor {
    /// For the executor of builds.
    pub fn compiler(&self) -> &dyn BatchCompiler {
        &self.compiler
    }

    /// Says what went over the wire, to who wants to know.
    pub fn say_traffic(&self, terminal: &Terminal) {
        let stats = self.compiler.stats();
        if terminal.verbosity() < Verbosity::Reasons || stats.requests == 0 {
            return;
        }
        let (requests, actions) = (stats.requests, stats.actions);
        let message = format!(
            "{requests} requests: {actions} batches executed, {} came",
            size(stats.bytes_read)
        );
        terminal.status_in(Tone::Note, "Executor", message);
    }
}
