//! Reporters: they subscribe to what the executor does, and nothing else prints.

pub mod diagnostic;
pub mod human;
pub mod json;
pub(crate) mod opener;
pub(crate) mod page;
pub mod problems;
pub mod reasons;
pub mod tally;
pub mod terminal;
pub mod timings;

use bytekiln_executor::Event;

use tally::Tally;

/// Takes a build's events and ends with the count of them.
pub trait Reporter: Sync {
    /// One event, from any thread.
    fn event(&self, event: &Event<'_>);
    /// The build is over: say what was kept back, and count.
    fn finish(&self) -> Tally;
}

/// Names for the jobs of a build, by index: the executor knows none.
#[derive(Debug, Default)]
pub struct BuildNames {
    labels: Vec<String>,
    targets: Vec<u32>,
    allowances: Vec<Option<String>>,
}

impl BuildNames {
    /// `labels` has one entry a target; `targets`, which are indices into it, and `allowances` have
    /// one a job.
    pub fn new(
        labels: Vec<String>,
        targets: Vec<u32>,
        allowances: Vec<Option<String>>,
    ) -> BuildNames {
        BuildNames { labels, targets, allowances }
    }

    /// `CPython 3.11.7` or `CPython 3.11.7 -O`, for what the job compiles.
    pub fn target(&self, job: usize) -> String {
        let target = self.targets.get(job).and_then(|target| self.labels.get(*target as usize));
        target.cloned().unwrap_or_default()
    }

    /// Whether the job's source may fail to compile.
    pub fn may_fail(&self, job: usize) -> bool {
        self.allowances.get(job).is_some_and(Option::is_some)
    }
}
