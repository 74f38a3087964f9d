//! `cargo xtask transcripts [--update]`: replays the READMEs of `examples/`. The replay itself is
//! a test of the end-to-end suite; this only starts it, and tells it whether to write.

use anyhow::Result;

use crate::shell;

/// The suite rewrites documents instead of failing when this is `update`.
const VARIABLE: &str = "BYTEKILN_TRANSCRIPTS";

/// Replays all transcripts; with `update`, writes what was printed.
pub(crate) fn run(update: bool) -> Result<()> {
    let mut command = shell::cargo();
    command.args(["test", "--quiet", "--package", "bytekiln-tests", "--test", "it"]);
    command.args(["--", "transcripts", "--nocapture"]);
    command.env(VARIABLE, if update { "update" } else { "check" });
    shell::run(&mut command)
}
