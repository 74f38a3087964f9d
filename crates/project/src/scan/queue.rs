//! The folders that are still to be listed, shared by the threads of a walk. Knows nothing of what is done
//! with one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytekiln_action::RepoPath;

use super::ignores::IgnoreLayer;

/// A folder to be listed.
pub(super) struct Task {
    pub(super) path: RepoPath,
    pub(super) member: u32,
    pub(super) ignores: Option<Arc<IgnoreLayer>>,
    /// A folder at which the walk begins.
    pub(super) is_start: bool,
    /// Which task it is; see [`Queue::number`].
    pub(super) number: u32,
    /// How many files of the folder that it is in come before those in it, in the order of paths.
    pub(super) before: u32,
}

/// All of them.
pub(super) struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
    /// How many tasks there have been.
    given: AtomicU32,
}

#[derive(Default)]
struct QueueState {
    tasks: Vec<Task>,
    /// How many folders are being listed.
    busy: usize,
    /// How many threads have nothing to do: only then is there anyone to be woken.
    waiting: usize,
}

impl Queue {
    /// Begins with these, whose numbers are the first.
    pub(super) fn new(mut tasks: Vec<Task>) -> Queue {
        let given = AtomicU32::new(0);
        number(&given, &mut tasks);
        let state = Mutex::new(QueueState { tasks, ..QueueState::default() });
        Queue { state, changed: Condvar::new(), given }
    }

    /// Numbers tasks one after the other, and says which the first is.
    pub(super) fn number(&self, tasks: &mut [Task]) -> u32 {
        number(&self.given, tasks)
    }

    /// How many numbers there are.
    pub(super) fn given(&self) -> u32 {
        self.given.load(Ordering::Relaxed)
    }

    /// The next folder, `None` when all have been listed.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(task) = state.tasks.pop() {
                state.busy += 1;
                return Some(task);
            }
            if state.busy == 0 {
                return None;
            }
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }
}

fn number(given: &AtomicU32, tasks: &mut [Task]) -> u32 {
    let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    let first = given.fetch_add(count, Ordering::Relaxed);
    for (number, task) in (first..).zip(tasks) {
        task.number = number;
    }
    first
}

/// One folder being listed. Counts as done even if that panics: the others must not wait for ever.
pub(super) struct Done<'a> {
    pub(super) queue: &'a Queue,
    /// What is to be done next.
    pub(super) found: &'a mut Vec<Task>,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        // The first is taken first, so that paths that follow each other lie near each other in memory.
        state.tasks.extend(self.found.drain(..).rev());
        if state.waiting > 0 && (state.busy == 0 || !state.tasks.is_empty()) {
            self.queue.changed.notify_all();
        }
    }
}
