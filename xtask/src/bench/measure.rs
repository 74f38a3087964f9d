//! Wall time of a process, and the peak memory of that process alone, without its children.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a run took.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// In bytes; 0 where the system does not tell.
    pub(crate) peak: u64,
}

/// Which ends count as done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Status 0.
    Well,
    /// Also status 1: compilers say so when a source of the corpus has a syntax error, and all of them
    /// meet the same sources.
    WithFindings,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, ends: Ends) -> Result<Run> {
    shell_sync();
    let shown = crate::shell::display(command);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("could not start `{shown}`"))?;
    let status = child.wait()?;
    let wall = start.elapsed();
    check(&shown, status, ends)?;
    Ok(Run { wall, peak: 0 })
}

/// The same, watching the process's high-water mark; the watching costs time, so times of these
/// runs are not reported.
pub(crate) fn run_watched(command: &mut Command, ends: Ends) -> Result<Run> {
    let shown = crate::shell::display(command);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("could not start `{shown}`"))?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(high_water_mark(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    check(&shown, status, ends)?;
    Ok(Run { wall: start.elapsed(), peak })
}

fn check(shown: &str, status: std::process::ExitStatus, ends: Ends) -> Result<()> {
    let fine = match status.code() {
        Some(0) => true,
        Some(1) => ends == Ends::WithFindings,
        _ => false,
    };
    if !fine {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// `VmHWM` of a process, in bytes.
fn high_water_mark(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// What the run before left to be written is not this run's work.
fn shell_sync() {
    // Without `sync` the figures are only less steady.
    let _ = Command::new("sync").status();
}

/// The middle of some times; of an even number, the mean of the middle two.
pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let middle = times.len() / 2;
    match (times.get(middle.wrapping_sub(1)), times.get(middle)) {
        (Some(low), Some(high)) if times.len().is_multiple_of(2) => (*low + *high) / 2,
        (_, Some(high)) => *high,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        for (script, ends, fine) in [
            ("exit 0", Ends::Well, true),
            ("exit 1", Ends::Well, false),
            ("exit 1", Ends::WithFindings, true),
            ("exit 2", Ends::WithFindings, false),
            ("kill -9 $$", Ends::WithFindings, false),
        ] {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            assert_eq!(run(&mut command, ends).is_ok(), fine, "{script}");
            assert_eq!(run_watched(&mut command, ends).is_ok(), fine, "{script}");
        }
    }

    #[test]
    fn medians() {
        let times =
            |all: &[u64]| all.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>();
        assert_eq!(median(&times(&[])), Duration::ZERO);
        assert_eq!(median(&times(&[7])), Duration::from_millis(7));
        assert_eq!(median(&times(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(&times(&[9, 1, 5, 7])), Duration::from_millis(6));
    }
}
