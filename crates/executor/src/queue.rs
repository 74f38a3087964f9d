//! What is left to compile, and which compiler a free worker slot should serve next. Knows
//! nothing of processes.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytekiln_action::{ActionDigest, CompileFlags};

/// One action, for all jobs that share it.
#[derive(Debug)]
pub(crate) struct Task {
    /// The key.
    pub digest: ActionDigest,
    /// Indices into the work's jobs; the first one stands for all in events.
    pub jobs: Vec<usize>,
    /// Bytes of source.
    pub size: u64,
    /// Workers lost on it.
    pub losses: u32,
}

impl Task {
    /// The job that stands for all.
    pub(crate) fn leader(&self) -> usize {
        self.jobs.first().copied().unwrap_or_default()
    }

    /// What it costs, in bytes of source: even an empty file costs as much as some kilobytes.
    fn cost(&self) -> u64 {
        self.size + 4096
    }
}

/// A worker is worth its start (8 to 10 ms) when it has about so much to do (10 MB/s).
const COST_OF_A_WORKER: u64 = 256 << 10;
/// Sources of this size and more go first, largest first, so that none of them is the tail. The
/// others keep the order of their folders.
const LARGE: u64 = 64 << 10;
/// Workers lost in a row, each on another file and none having compiled any: it is not the files.
const BARREN: u32 = 8;

/// All tasks by compiler and flags.
pub(crate) struct Queue {
    groups: Mutex<Vec<Group>>,
}

struct Group {
    key: GroupKey,
    tasks: VecDeque<Task>,
    cost: u64,
    workers: u64,
    barren: u32,
}

/// What a worker must be started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey {
    /// Index into the work's compilers.
    pub compiler: usize,
    /// Switches that are given at its start.
    pub flags: CompileFlags,
}

/// A group that a worker slot has joined.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Joined {
    index: usize,
    /// What to start.
    pub key: GroupKey,
}

impl Queue {
    pub(crate) fn new(tasks: Vec<(GroupKey, Task)>) -> Queue {
        let mut groups: Vec<Group> = Vec::new();
        for (key, task) in tasks {
            let index = groups.iter().position(|group| group.key == key).unwrap_or_else(|| {
                groups.push(Group { key, tasks: VecDeque::new(), cost: 0, workers: 0, barren: 0 });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(index) {
                group.cost += task.cost();
                group.tasks.push_back(task);
            }
        }
        for group in &mut groups {
            group.tasks.make_contiguous().sort_by_key(|task| {
                std::cmp::Reverse(if task.size >= LARGE { task.size } else { 0 })
            });
        }
        Queue { groups: Mutex::new(groups) }
    }

    /// How many worker slots this work needs.
    pub(crate) fn workers_needed(&self) -> u64 {
        self.lock().iter().map(Group::workers_needed).sum()
    }

    /// Joins the group that needs a worker most; `None` if none but those to avoid needs one more.
    pub(crate) fn join(&self, avoid: &[Joined]) -> Option<Joined> {
        let mut groups = self.lock();
        let (index, group) = groups
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| avoid.iter().all(|joined| joined.index != *index))
            .filter(|(_, group)| group.workers < group.workers_needed())
            .max_by_key(|(_, group)| group.cost / (group.workers + 1))?;
        group.workers += 1;
        Some(Joined { index, key: group.key })
    }

    /// Leaves the group; says whether others still serve it.
    pub(crate) fn leave(&self, joined: Joined) -> bool {
        self.with(joined, |group| {
            group.workers -= 1;
            group.workers > 0
        })
        .unwrap_or(false)
    }

    /// The next task. A worker that is busy already gets one more only while there is enough for
    /// all.
    pub(crate) fn take(&self, joined: Joined, busy: bool) -> Option<Task> {
        self.with(joined, |group| {
            if busy && (group.tasks.len() as u64) < 2 * group.workers {
                return None;
            }
            let task = group.tasks.pop_front()?;
            group.cost -= task.cost();
            Some(task)
        })?
    }

    /// Gives a task back that was not begun.
    pub(crate) fn put_back(&self, joined: Joined, task: Task) {
        self.with(joined, |group| {
            group.cost += task.cost();
            group.tasks.push_front(task);
        });
    }

    /// A worker has compiled something.
    pub(crate) fn succeeded(&self, joined: Joined) {
        self.with(joined, |group| group.barren = 0);
    }

    /// A task was given up because workers died on it; says whether the compiler is to be given up.
    pub(crate) fn failed(&self, joined: Joined) -> bool {
        self.with(joined, |group| {
            group.barren += 1;
            group.barren >= BARREN
        })
        .unwrap_or(false)
    }

    /// Takes all that is left of one group.
    pub(crate) fn drain(&self, joined: Joined) -> Vec<Task> {
        self.with(joined, |group| {
            group.cost = 0;
            group.tasks.drain(..).collect()
        })
        .unwrap_or_default()
    }

    fn with<T>(&self, joined: Joined, change: impl FnOnce(&mut Group) -> T) -> Option<T> {
        self.lock().get_mut(joined.index).map(change)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Group>> {
        self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Group {
    fn workers_needed(&self) -> u64 {
        self.cost.div_ceil(COST_OF_A_WORKER).min(self.tasks.len() as u64)
    }
}
