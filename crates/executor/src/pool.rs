//! Interpreters that outlive one execution: a session goes back when it is done with, and the next
//! execution that needs its like takes it. Knows nothing of jobs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytekiln_action::{CompileFlags, Toolchain};

use crate::{
    Compiler, Engine, EngineError, InterpreterEngine, Reply, Request, Session, SessionLost,
};

/// What bounds the memory of a pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Interpreters that wait for work at once; what comes back beyond is ended.
    pub idle: usize,
    /// Requests after which an interpreter is not used again.
    pub requests: u64,
    /// Bytes of sources after which an interpreter is not used again: what it has interned and
    /// fragmented goes with it.
    pub bytes: u64,
}

/// An engine whose interpreters are kept between executions.
pub struct InterpreterPool {
    engine: InterpreterEngine,
    limits: PoolLimits,
    idle: Arc<Mutex<Vec<Pooled>>>,
}

/// An interpreter, whoever has it.
struct Pooled {
    executable: PathBuf,
    toolchain: Arc<Toolchain>,
    flags: CompileFlags,
    session: Box<dyn Session>,
    /// Requests so far: the number of the next one.
    requests: u64,
    bytes: u64,
}

impl InterpreterPool {
    /// An empty pool.
    pub fn new(engine: InterpreterEngine, limits: PoolLimits) -> InterpreterPool {
        InterpreterPool { engine, limits, idle: Arc::default() }
    }

    /// Starts an executable, asks it who it is, and keeps it for the work to come.
    ///
    /// # Errors
    /// It cannot be started, or is no CPython that can be a compiler.
    pub fn introduce(
        &self,
        executable: &Path,
        flags: CompileFlags,
    ) -> Result<Compiler, EngineError> {
        let (toolchain, session) = self.engine.introduce(executable, flags)?;
        // As keys have it: before 3.11 there are no positions to leave out.
        let flags =
            CompileFlags { debug_ranges: flags.debug_ranges || toolchain.release.minor() < 11 };
        let executable = executable.to_owned();
        let compiler =
            Compiler { toolchain: Arc::clone(&toolchain), executable: executable.clone() };
        give_back(
            &self.idle,
            self.limits,
            Pooled { executable, toolchain, flags, session, requests: 0, bytes: 0 },
        );
        Ok(compiler)
    }

    /// Ends all waiting interpreters of this executable.
    pub fn forget(&self, executable: &Path) {
        lock(&self.idle).retain(|idle| idle.executable != executable);
    }

    /// How many interpreters wait for work.
    pub fn idle(&self) -> usize {
        lock(&self.idle).len()
    }
}

impl Engine for InterpreterPool {
    fn open(
        &self,
        compiler: &Compiler,
        flags: CompileFlags,
    ) -> Result<Box<dyn Session>, EngineError> {
        let fits = |idle: &Pooled| {
            idle.flags == flags
                && idle.executable == compiler.executable
                && idle.toolchain == compiler.toolchain
        };
        let waiting = {
            let mut idle = lock(&self.idle);
            // The one used last: its memory is warm.
            idle.iter().rposition(fits).map(|place| idle.remove(place))
        };
        let pooled = match waiting {
            Some(pooled) => pooled,
            None => Pooled {
                executable: compiler.executable.clone(),
                toolchain: Arc::clone(&compiler.toolchain),
                flags,
                session: self.engine.open(compiler, flags)?,
                requests: 0,
                bytes: 0,
            },
        };
        Ok(Box::new(PooledSession {
            idle: Arc::clone(&self.idle),
            limits: self.limits,
            pooled: Some(pooled),
            asked: BTreeMap::new(),
            ready: false,
            broken: false,
        }))
    }
}

fn lock(idle: &Mutex<Vec<Pooled>>) -> MutexGuard<'_, Vec<Pooled>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

fn give_back(idle: &Mutex<Vec<Pooled>>, limits: PoolLimits, pooled: Pooled) {
    if pooled.requests >= limits.requests || pooled.bytes >= limits.bytes {
        return;
    }
    let mut idle = lock(idle);
    idle.push(pooled);
    // Those that have waited longest go.
    let surplus = idle.len().saturating_sub(limits.idle);
    let ended: Vec<Pooled> = idle.drain(..surplus).collect();
    drop(idle);
    drop(ended); // waits for processes to end, with the lock released
}

/// A session that goes back when it is dropped, unless something of it is still under way.
struct PooledSession {
    idle: Arc<Mutex<Vec<Pooled>>>,
    limits: PoolLimits,
    pooled: Option<Pooled>,
    /// The interpreter's number of each request without a reply, and the user's.
    asked: BTreeMap<u64, u64>,
    ready: bool,
    broken: bool,
}

impl PooledSession {
    fn lost<T>(&mut self, lost: SessionLost) -> Result<T, SessionLost> {
        self.broken = true;
        // What killed this one (a full memory, most often) may have met the others: the retry is
        // to have a fresh one.
        if let Some(pooled) = &self.pooled {
            let executable = pooled.executable.clone();
            lock(&self.idle).retain(|idle| idle.executable != executable);
        }
        Err(lost)
    }
}

fn gone() -> SessionLost {
    SessionLost { reason: "it has ended".to_owned() }
}

impl Session for PooledSession {
    fn ready(&mut self, wait: Duration) -> Result<bool, EngineError> {
        let Some(pooled) = &mut self.pooled else {
            return Err(EngineError { message: gone().reason });
        };
        self.ready = pooled.session.ready(wait)?;
        Ok(self.ready)
    }

    fn submit(&mut self, request: Request) -> Result<(), SessionLost> {
        let Some(pooled) = &mut self.pooled else { return Err(gone()) };
        let id = pooled.requests;
        pooled.requests += 1;
        pooled.bytes = pooled.bytes.saturating_add(request.source.len() as u64);
        self.asked.insert(id, request.id);
        match pooled.session.submit(Request { id, ..request }) {
            Ok(()) => Ok(()),
            Err(lost) => self.lost(lost),
        }
    }

    fn receive(&mut self, wait: Duration) -> Result<Option<Reply>, SessionLost> {
        let Some(pooled) = &mut self.pooled else { return Err(gone()) };
        match pooled.session.receive(wait) {
            Ok(None) => Ok(None),
            Ok(Some(reply)) => match self.asked.remove(&reply.id) {
                Some(id) => Ok(Some(Reply { id, ..reply })),
                None => self.lost(SessionLost { reason: "it answered unasked".to_owned() }),
            },
            Err(lost) => self.lost(lost),
        }
    }
}

impl Drop for PooledSession {
    fn drop(&mut self) {
        if let Some(pooled) = self.pooled.take()
            && self.ready
            && !self.broken
            && self.asked.is_empty()
        {
            give_back(&self.idle, self.limits, pooled);
        }
    }
}
