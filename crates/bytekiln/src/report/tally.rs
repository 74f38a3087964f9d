//! Counts how the jobs of a build ended, and says so in one line.

use bytekiln_executor::{CacheOrigin, CompiledBy, JobEnd};

/// How many jobs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Needed nothing.
    pub fresh: usize,
    /// Compiled now.
    pub compiled: usize,
    /// Compiled now by an executor on another machine.
    pub executed: usize,
    /// From a store.
    pub restored: usize,
    /// From the store on another machine.
    pub remote: usize,
    /// The output was right already.
    pub unchanged: usize,
    /// Do not compile.
    pub rejected: usize,
    /// Do not compile, and may.
    pub allowed: usize,
    /// Went wrong otherwise.
    pub failed: usize,
    /// Not tried.
    pub not_tried: usize,
    /// Warnings of the compiler.
    pub warnings: usize,
    /// Outputs removed.
    pub removed: usize,
}

impl Tally {
    /// Counts one job.
    pub fn count(&mut self, end: &JobEnd, may_fail: bool) {
        match end {
            JobEnd::Compiled { warnings, by, .. } => {
                match by {
                    CompiledBy::Worker => self.compiled += 1,
                    CompiledBy::Executor => self.executed += 1,
                }
                self.warnings += warnings.len();
            }
            JobEnd::Cached { origin, warnings, .. } => {
                match origin {
                    CacheOrigin::Store => self.restored += 1,
                    CacheOrigin::Remote => self.remote += 1,
                    CacheOrigin::Output => self.unchanged += 1,
                }
                self.warnings += warnings.len();
            }
            JobEnd::Rejected { warnings, .. } => {
                if may_fail {
                    self.allowed += 1;
                } else {
                    self.rejected += 1;
                }
                self.warnings += warnings.len();
            }
            JobEnd::Failed(bytekiln_executor::Failure::NotTried) => self.not_tried += 1,
            JobEnd::Failed(_) => self.failed += 1,
        }
    }

    /// `3 compiled, 2 from the cache, 1 removed`, or `12 fresh`.
    pub fn sentence(&self) -> String {
        let parts = [
            (self.compiled, "compiled"),
            (self.executed, "compiled by the remote executor"),
            (self.restored, "from the cache"),
            (self.remote, "from the remote cache"),
            (self.unchanged, "already right"),
            (self.removed, "removed"),
            (self.allowed, "allowed to fail"),
            (self.rejected + self.failed, "failed"),
            (self.not_tried, "not tried"),
            (self.fresh, "fresh"),
        ];
        let said: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if said.is_empty() { "nothing to do".to_owned() } else { said.join(", ") }
    }
}

/// `file` or `files`.
pub fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// `1,234,567`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
