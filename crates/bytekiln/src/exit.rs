//! Exit statuses: one enum, documented here and in the README, and used by every command.

use std::process::ExitCode;

/// How the command ends. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done, or nothing to do.
    Success,
    /// 1: some file does not compile or was not written; for `check`: there is work to do; for
    /// `explain`: no such file; for `inspect`: a file that is no valid cache; for `doctor`: a
    /// module that is not loaded from its cache;
    /// for `verify`: a cache that diverges from its source or cannot be proved; for `normalize`: a
    /// cache that is damaged or not as recorded, or with `--check` one that would change or is stale.
    ///
    /// For `layers`: an import breaks a contract; for `why`: there is no chain of imports; for
    /// `cycles --deny`: there is a cycle.
    ///
    /// For `affected --exit-code`: something is affected.
    ///
    /// For `importtime`: the program failed, hung or was killed; with `--check`: it loads what it may
    /// not, too much, or takes too long.
    ///
    /// Also for `lock --check` and `build --locked`: the tree, or an output, is not as locked.
    Failure,
    /// 2: wrong arguments, among them files that are not there or of no kind that the command takes,
    /// or a manifest or plan file with errors; for `affected`: a revision that git does not know.
    Usage,
    /// 3: the environment lacks something: no usable interpreter, an unreadable workspace, a state
    /// folder that cannot be locked; for `affected`: no git, no repository, too little history; for
    /// `compile` and `worker`: another compiler or interpreter than was expected.
    Environment,
    /// 101: a fault of Bytekiln itself.
    Internal,
    /// 130: interrupted.
    Interrupted,
}

impl ExitStatus {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::Failure => 1,
            ExitStatus::Usage => 2,
            ExitStatus::Environment => 3,
            ExitStatus::Internal => 101,
            ExitStatus::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}
