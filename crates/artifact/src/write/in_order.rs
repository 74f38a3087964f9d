//! Work on several threads whose results are taken in the order in which the work was named, with
//! a bounded number of both in memory. Knows nothing of what the work is.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::WriteError;

/// Where work is named.
pub(super) struct Feed<J, R> {
    results: SyncSender<Receiver<Result<R, WriteError>>>,
    jobs: Sender<(J, SyncSender<Result<R, WriteError>>)>,
}

/// Nobody takes results any more, because of an error that is told elsewhere.
pub(super) struct Stopped;

impl<J, R> Feed<J, R> {
    /// Names the next piece of work; waits while too much of it is under way.
    pub(super) fn send(&self, job: J) -> Result<(), Stopped> {
        let (sender, receiver) = sync_channel(1);
        self.results.send(receiver).map_err(|_| Stopped)?;
        self.jobs.send((job, sender)).map_err(|_| Stopped)
    }
}

/// Why naming work ended early.
pub(super) enum Halt {
    /// See there.
    Stopped,
    /// An error of its own.
    Failed(WriteError),
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Halt {
        Halt::Stopped
    }
}

impl From<WriteError> for Halt {
    fn from(error: WriteError) -> Halt {
        Halt::Failed(error)
    }
}

/// Runs `name` on a thread of its own, `work` on `threads` further ones, each with a `state`, and
/// `take` on this one.
///
/// # Errors
/// The first error in the order of the work.
pub(super) fn in_order<J: Send, R: Send, S>(
    threads: NonZeroUsize,
    name: impl FnOnce(&Feed<J, R>) -> Result<(), Halt> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, J) -> Result<R, WriteError> + Sync,
    mut take: impl FnMut(R) -> Result<(), WriteError>,
) -> Result<(), WriteError> {
    // Enough that nobody waits for the slowest piece, and no more than that in memory.
    let (results, ordered) = sync_channel(threads.get() + 2);
    let (jobs, queue) = channel::<(J, SyncSender<Result<R, WriteError>>)>();
    let queue = Mutex::new(queue);
    let (state, work, queue) = (&state, &work, &queue);
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(move || {
                let mut state = state();
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((job, result)) = next else { return };
                    // Nobody waits for it after an error.
                    let _ = result.send(work(&mut state, job));
                }
            });
        }
        let namer = scope.spawn(move || name(&Feed { results, jobs }));
        for result in &ordered {
            // A worker that panicked sends nothing; the scope tells its panic.
            let Ok(result) = result.recv() else { break };
            result.and_then(&mut take)?;
        }
        drop(ordered);
        match namer.join() {
            Ok(Ok(()) | Err(Halt::Stopped)) => Ok(()),
            Ok(Err(Halt::Failed(error))) => Err(error),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
