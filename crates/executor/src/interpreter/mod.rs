//! The interpreter engine: long-lived, isolated CPython processes that compile what they are
//! sent. Knows nothing of jobs; see `worker.py` for the other side.

mod process;
mod protocol;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytekiln_action::{CompileFlags, IDENTITY_SCRIPT, Toolchain, parse_identity};

use crate::{Compiler, Engine, EngineError, Reply, Request, Session, SessionLost};
use process::{Outgoing, Process};
use protocol::Parsed;

const WORKER_SCRIPT: &str = include_str!("worker.py");

/// How to start interpreters.
#[derive(Debug, Clone)]
pub struct InterpreterOptions {
    /// An interpreter that has not answered after this long is unusable.
    pub start_timeout: Duration,
    /// The only variables that interpreters see besides `PYTHONHASHSEED=0`: what their start
    /// needs, such as `LD_LIBRARY_PATH`. `PYTHON…` variables are left out.
    pub environment: Vec<(OsString, OsString)>,
}

/// Compiles with the interpreter itself.
#[derive(Debug, Clone)]
pub struct InterpreterEngine {
    options: InterpreterOptions,
}

impl InterpreterEngine {
    /// An engine that starts interpreters in this way.
    pub fn new(options: InterpreterOptions) -> InterpreterEngine {
        InterpreterEngine { options }
    }

    /// Starts an executable that nobody has asked yet who it is: its answer, and the session, which
    /// is ready. Saves the second start where both are needed.
    ///
    /// # Errors
    /// It cannot be started, or is no CPython that can be a compiler.
    pub fn introduce(
        &self,
        executable: &Path,
        flags: CompileFlags,
    ) -> Result<(Arc<Toolchain>, Box<dyn Session>), EngineError> {
        let mut session = self.start(executable, flags, None)?;
        // Ends: a session that does not answer is an error after its start timeout.
        while !session.ready(self.options.start_timeout)? {}
        let Some(toolchain) = session.expected.clone() else {
            return Err(session.unusable("it did not say who it is"));
        };
        Ok((toolchain, Box::new(session)))
    }

    fn start(
        &self,
        executable: &Path,
        flags: CompileFlags,
        expected: Option<Arc<Toolchain>>,
    ) -> Result<InterpreterSession, EngineError> {
        let magic: String = protocol::MAGIC.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        let script = format!(
            "{IDENTITY_SCRIPT}\n{WORKER_SCRIPT}\nbytekiln_worker(b\"{magic}\", {})\n",
            protocol::VERSION
        );
        let mut command = Command::new(executable);
        // No `-I` and no `-E`: both make `PYTHONHASHSEED` ineffective. The environment is ours.
        command.args(["-S", "-s", "-B"]);
        // Releases before 3.11 take the option, and it means nothing to them.
        if !flags.debug_ranges {
            command.args(["-X", "no_debug_ranges"]);
        }
        command.arg("-c").arg(script);
        // `PYTHON…` would change what is compiled behind the key's back.
        let harmless = |name: &OsString| !name.as_encoded_bytes().starts_with(b"PYTHON");
        let kept = self.options.environment.iter().filter(|(name, _)| harmless(name));
        command.env_clear().envs(kept.map(|(name, value)| (name, value)));
        command.env("PYTHONHASHSEED", "0").current_dir("/");
        let process = Process::start(&mut command).map_err(|error| EngineError {
            message: format!("could not start `{}`: {error}", executable.display()),
        })?;
        Ok(InterpreterSession {
            executable: executable.to_owned(),
            expected,
            process,
            started: Instant::now(),
            start_timeout: self.options.start_timeout,
            greeted: false,
        })
    }
}

impl Engine for InterpreterEngine {
    fn open(
        &self,
        compiler: &Compiler,
        flags: CompileFlags,
    ) -> Result<Box<dyn Session>, EngineError> {
        let expected = Some(Arc::clone(&compiler.toolchain));
        Ok(Box::new(self.start(&compiler.executable, flags, expected)?))
    }
}

struct InterpreterSession {
    executable: PathBuf,
    /// Who it must say it is; without it, who it has said it is.
    expected: Option<Arc<Toolchain>>,
    process: Process,
    started: Instant,
    start_timeout: Duration,
    greeted: bool,
}

impl Session for InterpreterSession {
    fn ready(&mut self, wait: Duration) -> Result<bool, EngineError> {
        let deadline = Instant::now() + wait;
        loop {
            if self.greeted {
                return Ok(true);
            }
            match protocol::parse_greeting(self.process.received()) {
                Parsed::Whole(report, length) => {
                    self.process.take(length);
                    self.check_identity(&report)?;
                    self.greeted = true;
                    return Ok(true);
                }
                Parsed::Fault(what) => return Err(self.unusable(what)),
                Parsed::Partial if self.process.is_over() => {
                    let what = format!("it {}", self.process.post_mortem());
                    return Err(self.unusable(&what));
                }
                Parsed::Partial if self.started.elapsed() >= self.start_timeout => {
                    let seconds = self.start_timeout.as_secs_f32();
                    return Err(self.unusable(&format!("it did not answer within {seconds} s")));
                }
                Parsed::Partial => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let until_late = self.start_timeout.saturating_sub(self.started.elapsed());
            self.process.pump(left.min(until_late)).map_err(|error| EngineError {
                message: format!("could not talk to `{}`: {error}", self.executable.display()),
            })?;
        }
    }

    fn submit(&mut self, request: Request) -> Result<(), SessionLost> {
        let Some(head) = protocol::request_head(&request) else {
            return Err(SessionLost { reason: "the source has 4 GiB or more".to_owned() });
        };
        self.process.send([Outgoing::Owned(head), Outgoing::Shared(request.source)]);
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> Result<Option<Reply>, SessionLost> {
        let deadline = Instant::now() + wait;
        loop {
            match protocol::parse_reply(self.process.received()) {
                Parsed::Whole(reply, length) => {
                    self.process.take(length);
                    return Ok(Some(reply));
                }
                Parsed::Fault(what) => {
                    return Err(SessionLost { reason: format!("it sent {what}") });
                }
                Parsed::Partial if self.process.is_over() => {
                    return Err(SessionLost {
                        reason: format!("it {}", self.process.post_mortem()),
                    });
                }
                Parsed::Partial => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.process.pump(left).map_err(|error| SessionLost { reason: error.to_string() })?;
        }
    }
}

impl InterpreterSession {
    fn check_identity(&mut self, report: &[u8]) -> Result<(), EngineError> {
        let found =
            parse_identity(report).map_err(|error| self.unusable(&error.to_string()))?.toolchain;
        let Some(planned) = self.expected.as_deref() else {
            self.expected = Some(Arc::new(found));
            return Ok(());
        };
        if found == *planned {
            return Ok(());
        }
        let what = if found.label() == planned.label() {
            format!(
                "it is {} (`{}`, {}), and the plan was made for {} (`{}`, {})",
                found.label(),
                found.build,
                found.platform,
                planned.label(),
                planned.build,
                planned.platform
            )
        } else {
            format!("it is {}, and the plan was made for {}", found.label(), planned.label())
        };
        Err(self.unusable(&what))
    }

    fn unusable(&self, what: &str) -> EngineError {
        let mut message = format!("`{}` cannot be used: {what}", self.executable.display());
        let printed = String::from_utf8_lossy(self.process.received());
        let printed: String = printed.trim().chars().take(200).collect();
        if !self.process.is_over() && !printed.is_empty() {
            message.push_str(&format!("; it printed `{}`", printed.escape_debug()));
        }
        EngineError { message }
    }
}
