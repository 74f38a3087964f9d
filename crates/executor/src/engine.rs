//! What compiles: an engine opens sessions, and a session answers requests. Knows nothing of
//! where sources come from and results go.

use std::sync::Arc;
use std::time::Duration;

use bytekiln_action::{CompileFlags, Diagnostic, RecordedPath};
use bytekiln_python::OptimizationLevel;

use crate::Compiler;

/// A way to compile.
pub trait Engine: Sync {
    /// Begins a session that compiles as `compiler` does. May return before the session is ready:
    /// [`Session::ready`] says when.
    fn open(
        &self,
        compiler: &Compiler,
        flags: CompileFlags,
    ) -> Result<Box<dyn Session>, EngineError>;
}

/// A compiler at work. Requests are pipelined: several may be submitted before the first reply
/// is received. Dropping a session ends it at once, whatever it does.
pub trait Session: Send {
    /// Waits until the session can compile, at most so long; `false` if it cannot yet.
    fn ready(&mut self, wait: Duration) -> Result<bool, EngineError>;

    /// Hands over a request; never waits for the compiler.
    fn submit(&mut self, request: Request) -> Result<(), SessionLost>;

    /// The next reply, in any order; `None` if none comes within `wait`.
    fn receive(&mut self, wait: Duration) -> Result<Option<Reply>, SessionLost>;
}

/// One source to compile.
#[derive(Debug, Clone)]
pub struct Request {
    /// Comes back in the reply; the session's user never uses one twice.
    pub id: u64,
    /// `-O` level.
    pub level: OptimizationLevel,
    /// For `co_filename`.
    pub recorded_path: RecordedPath,
    /// The source's bytes.
    pub source: Arc<[u8]>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Of which request.
    pub id: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// What the compiler warned of, in its order, each once.
    pub warnings: Vec<Diagnostic>,
    /// Time in the compiler.
    pub compile: Duration,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It compiled.
    Compiled {
        /// The code object as marshal writes it, not yet in its canonical form.
        payload: Vec<u8>,
    },
    /// The compiler refuses this source, and always will.
    Rejected {
        /// Why.
        error: Diagnostic,
    },
    /// The engine does not compile such a source; another engine may.
    Refused,
    /// Memory or stack did not suffice: no function of the source.
    OutOfResources {
        /// What the compiler said.
        message: String,
    },
}

/// A session could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// Names the compiler and says why.
    pub message: String,
}

/// A session ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLost {
    /// Exit status or fault, and what it printed last.
    pub reason: String,
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EngineError {}

impl std::fmt::Display for SessionLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SessionLost {}
