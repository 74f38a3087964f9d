//! Compilers on other machines, which take many sources at once. What is unknown goes to them first;
//! whatever they leave undone, for whatever reason, is compiled here. They are not trusted: what comes
//! back has to be a canonical `.pyc` of the source that was sent, and goes the way of every fresh
//! result, so that its header is made here. Knows nothing of how a batch travels.
//!
//! A source that another machine rejects is compiled here once more: such a claim cannot be checked,
//! there are few of them, and errors are always our own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytekiln_action::{CompileFlags, Diagnostic};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

use crate::execution::Execution;
use crate::outputs::LastFolder;
use crate::queue::Task;
use crate::result::sent_payload;
use crate::{Compiler, Event, JobEnd, Reply, Request, Verdict};

/// Batches under way at once.
const BATCHES_AT_ONCE: usize = 16;
/// A batch has not fewer sources, if there are as many: starting a compiler costs as much as some
/// dozens of files…
const FEWEST: usize = 32;
/// …and not more…
const MOST: usize = 256;
/// …or more bytes, unless one source has.
const MOST_BYTES: u64 = 2 << 20;

/// Somebody who compiles many sources at once.
pub trait BatchCompiler: Sync {
    /// Which one, for messages.
    fn describe(&self) -> String;

    /// Compiles as `compiler` does, and has that proved. Called from several threads.
    ///
    /// # Errors
    /// Where it is of no use: it is not asked again.
    fn compile(
        &self,
        compiler: &Compiler,
        options: BatchOptions,
        requests: &[Request],
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<BatchReply>, BatchError>;
}

/// What is the same for all sources of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchOptions {
    /// `-O` level.
    pub level: OptimizationLevel,
    /// Switches that are given at a compiler's start.
    pub flags: CompileFlags,
}

/// One source that was compiled. Those without a reply are compiled here.
#[derive(Debug, Clone)]
pub struct BatchReply {
    /// Of which request.
    pub id: u64,
    /// The whole file, unchecked-hash.
    pub pyc: Vec<u8>,
    /// What the compiler warned of, in its order, each once.
    pub warnings: Vec<Diagnostic>,
    /// Time in the compiler, as it says.
    pub compile: Duration,
}

/// A batch was not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchError {
    /// Why it is of no use.
    Trouble(String),
    /// The caller has interrupted.
    Interrupted,
}

/// What all batches share.
struct Batches<'a> {
    execution: &'a Execution<'a>,
    compiler: &'a dyn BatchCompiler,
    works: AtomicBool,
    left: Mutex<Vec<Task>>,
    waiting: Mutex<Vec<Batch>>,
}

struct Batch {
    key: BatchKey,
    tasks: Vec<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct BatchKey {
    compiler: usize,
    options: BatchOptions,
}

/// Has everything compiled that can be, and gives back the rest.
pub(crate) fn compile_elsewhere(
    execution: &Execution<'_>,
    compiler: &dyn BatchCompiler,
    tasks: Vec<Task>,
) -> Vec<Task> {
    let waiting = cut(execution, tasks);
    let threads = waiting.len().min(BATCHES_AT_ONCE);
    let batches = Batches {
        execution,
        compiler,
        works: AtomicBool::new(true),
        left: Mutex::default(),
        waiting: Mutex::new(waiting),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| batches.run());
        }
    });
    let unbegun = batches.waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut left = batches.left.into_inner().unwrap_or_else(PoisonError::into_inner);
    left.extend(unbegun.into_iter().flat_map(|batch| batch.tasks));
    left.sort_by_key(Task::leader);
    left
}

/// Batches of equal compiler, level and flags, the first one last.
fn cut(execution: &Execution<'_>, tasks: Vec<Task>) -> Vec<Batch> {
    let most = tasks.len().div_ceil(BATCHES_AT_ONCE).clamp(FEWEST, MOST);
    let mut open: BTreeMap<BatchKey, (Vec<Task>, u64)> = BTreeMap::new();
    let mut batches = Vec::new();
    for task in tasks {
        let Some(job) = execution.job(task.leader()) else { continue };
        let options = BatchOptions { level: job.action.level, flags: job.action.flags };
        let key = BatchKey { compiler: job.compiler, options };
        let (tasks, bytes) = open.entry(key).or_default();
        if tasks.len() >= most || (!tasks.is_empty() && *bytes + task.size > MOST_BYTES) {
            *bytes = 0;
            batches.push(Batch { key, tasks: std::mem::take(tasks) });
        }
        *bytes += task.size;
        tasks.push(task);
    }
    batches.extend(open.into_iter().map(|(key, (tasks, _))| Batch { key, tasks }));
    batches.reverse();
    batches
}

impl Batches<'_> {
    fn run(&self) {
        let mut last = LastFolder::default();
        while self.works.load(Ordering::Relaxed) && !self.execution.stopped() {
            let batch = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(batch) = batch else { return };
            let left = self.compile(&mut last, batch);
            self.left.lock().unwrap_or_else(PoisonError::into_inner).extend(left);
        }
    }

    /// One batch; gives back what it left undone.
    fn compile(&self, last: &mut LastFolder, batch: Batch) -> Vec<Task> {
        let Some(compiler) = self.execution.work.compilers.get(batch.key.compiler) else {
            return batch.tasks;
        };
        let (mut sent, mut requests) = (BTreeMap::new(), Vec::with_capacity(batch.tasks.len()));
        let mut left = Vec::new();
        for (id, mut task) in (0..).zip(batch.tasks) {
            let Some(job) = self.execution.job(task.leader()) else { continue };
            match self.execution.source_of(task.leader(), job) {
                Ok(source) => {
                    requests.push(Request {
                        id,
                        level: job.action.level,
                        recorded_path: job.action.recorded_path.clone(),
                        source: Arc::clone(&source),
                    });
                    sent.insert(id, (task, source));
                }
                Err(failure) => {
                    // Only this source: another one of the same content may stand for the rest.
                    self.execution.end(task.jobs.remove(0), None, JobEnd::Failed(failure));
                    if !task.jobs.is_empty() {
                        left.push(task);
                    }
                }
            }
        }
        let interrupted = || self.execution.interrupted();
        let options = batch.key.options;
        let replies = match requests.is_empty() {
            true => Ok(Vec::new()),
            false => self.compiler.compile(compiler, options, &requests, &interrupted),
        };
        match replies {
            Ok(replies) => {
                for reply in replies {
                    if let Some((task, source)) = sent.remove(&reply.id)
                        && let Some(task) = self.take(last, task, &source, reply)
                    {
                        left.push(task);
                    }
                }
            }
            Err(BatchError::Interrupted) => {}
            Err(BatchError::Trouble(message)) => self.give_up(&message),
        }
        left.extend(sent.into_values().map(|(task, _)| task));
        left
    }

    /// Ends a task with what came; gives it back if that is nothing to use.
    fn take(
        &self,
        last: &mut LastFolder,
        task: Task,
        source: &[u8],
        reply: BatchReply,
    ) -> Option<Task> {
        let job = self.execution.job(task.leader())?;
        let BatchReply { id, pyc, warnings, compile } = reply;
        let mut action = job.action.clone();
        action.mode = InvalidationMode::UncheckedHash;
        match sent_payload(&action, source, &pyc) {
            Ok(payload) => {
                let verdict = Verdict::Compiled { payload: payload.to_vec() };
                let reply = Reply { id, verdict, warnings, compile };
                self.execution.finish(last, &task, source, None, reply);
                None
            }
            Err(error) => {
                self.give_up(&format!("what it made of `{}` is not usable: {error}", job.source));
                Some(task)
            }
        }
    }

    /// It is of no use any more, which is said once.
    fn give_up(&self, message: &str) {
        if self.works.swap(false, Ordering::Relaxed) {
            let message = format!("{}: {message}", self.compiler.describe());
            (self.execution.events)(&Event::ExecutorTrouble { message });
        }
    }
}
