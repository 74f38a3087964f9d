//! Runs a program once: with a limit of time, bounded memory for what it writes, and nothing left behind.
//! Knows nothing of Python.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use bytekiln_startup::{Captured, Collector};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid,
};

/// What is to be run.
pub(super) struct Launch<'a> {
    pub(super) executable: &'a Path,
    pub(super) arguments: &'a [OsString],
    pub(super) folder: &'a Path,
    /// Variables that it does not get.
    pub(super) without: &'a [&'a str],
    /// Variables that it gets besides its own.
    pub(super) with: &'a [(&'a str, OsString)],
    pub(super) timeout: Duration,
    /// Whether standard error is taken; else nobody reads it.
    pub(super) capture: bool,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With a status.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// We ended it after this long.
    TimedOut(Duration),
    /// We ended it because we were interrupted.
    Interrupted,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Run {
    /// From before it was started until it had ended.
    pub(super) wall: Duration,
    pub(super) end: End,
    pub(super) captured: Captured,
    /// Processes that it had started were still there and were ended.
    pub(super) left_behind: bool,
}

impl End {
    pub(super) fn is_success(self) -> bool {
        self == End::Exited(0)
    }

    /// `ended with status 1`.
    pub(super) fn sentence(self) -> String {
        match self {
            End::Exited(status) => format!("ended with status {status}"),
            End::Killed(signal) => format!("was killed by {}", signal_name(signal)),
            End::TimedOut(limit) => {
                format!("had not ended after {} s and was killed", limit.as_secs_f64())
            }
            End::Interrupted => "was interrupted".to_owned(),
        }
    }
}

/// How long the end of its output is waited for once it has ended itself: what it started may hold the
/// pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How soon an interrupt is noticed.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Runs it. `cancel` becomes true when nothing more is wanted.
pub(super) fn run(launch: &Launch<'_>, cancel: &'static AtomicBool) -> io::Result<Run> {
    let mut command = Command::new(launch.executable);
    command.args(launch.arguments).current_dir(launch.folder).process_group(0);
    launch.without.iter().for_each(|name| {
        command.env_remove(name);
    });
    launch.with.iter().for_each(|(name, value)| {
        command.env(name, value);
    });
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(if launch.capture { Stdio::piped() } else { Stdio::null() });
    let started = Instant::now();
    let mut child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let output = child.stderr.take().map(listen);
    let watch = Watch::start(group, launch.timeout, cancel);
    // Not collected yet, so that its number stays its own until the watch has stopped.
    if let Some(pid) = group {
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
    }
    let wall = started.elapsed();
    let forced = watch.stop();
    let status = child.wait()?;
    let (captured, left_behind) = last_words(output, group);
    let end = forced.unwrap_or_else(|| end_of(status));
    Ok(Run { wall, end, captured, left_behind: left_behind && forced.is_none() })
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Killed(signal.unwrap_or(0)),
    }
}

/// Ends the process group when its time is up or we are interrupted.
struct Watch {
    stop: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Option<End>>,
}

impl Watch {
    fn start(group: Option<Pid>, limit: Duration, cancel: &'static AtomicBool) -> Watch {
        let (stop, stopped) = mpsc::channel();
        let deadline = Instant::now() + limit;
        let thread = std::thread::spawn(move || {
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                match stopped.recv_timeout(left.min(LOOK_UP)) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                }
                let end = if cancel.load(Ordering::Relaxed) {
                    End::Interrupted
                } else if left <= LOOK_UP && Instant::now() >= deadline {
                    End::TimedOut(limit)
                } else {
                    continue;
                };
                kill(group);
                return Some(end);
            }
        });
        Watch { stop, thread }
    }

    fn stop(self) -> Option<End> {
        // It may have ended by itself, and then nobody listens.
        let _ = self.stop.send(());
        self.thread.join().ok().flatten()
    }
}

fn kill(group: Option<Pid>) {
    if let Some(group) = group {
        // Fails only if all have ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

type Listening = (Arc<Mutex<Collector>>, mpsc::Receiver<()>);

fn listen(mut pipe: std::process::ChildStderr) -> Listening {
    let collector = Arc::new(Mutex::new(Collector::new()));
    let (done, end) = mpsc::channel();
    let shared = Arc::clone(&collector);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    let piece = buffer.get(..length).unwrap_or_default();
                    shared.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Nobody waits any more if it took too long.
        let _ = done.send(());
    });
    (collector, end)
}

/// Takes what was written, and ends what the program left running.
fn last_words(output: Option<Listening>, group: Option<Pid>) -> (Captured, bool) {
    let open = output.as_ref().is_some_and(|(_, end)| {
        matches!(end.recv_timeout(LAST_WORDS), Err(mpsc::RecvTimeoutError::Timeout))
    });
    // Collected, the program itself is no longer of its group. What only tidies up may end by itself.
    let mut patience = 50;
    let there = || group.is_some_and(|group| test_kill_process_group(group).is_ok());
    while patience > 0 && there() {
        std::thread::sleep(Duration::from_millis(10));
        patience -= 1;
    }
    let others = there();
    if others {
        kill(group);
    }
    let Some((collector, end)) = output else { return (Captured::default(), others) };
    if open {
        let _ = end.recv_timeout(LAST_WORDS);
    }
    let collected = std::mem::take(&mut *collector.lock().unwrap_or_else(PoisonError::into_inner));
    (collected.finish(), others || open)
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn shell(script: &str, timeout: u64, capture: bool) -> Run {
        let arguments = ["-c", script].map(OsString::from);
        let launch = Launch {
            executable: Path::new("/bin/sh"),
            arguments: &arguments,
            folder: Path::new("/"),
            without: &["HOME"],
            with: &[],
            timeout: Duration::from_millis(timeout),
            capture,
        };
        run(&launch, &NEVER).unwrap()
    }

    #[test]
    fn ends() {
        let run = shell("echo \"import time: ${HOME-gone}\" >&2; exit 3", 10_000, true);
        assert_eq!(run.end, End::Exited(3));
        assert_eq!(run.captured.lines, b"import time: gone\n");
        assert_eq!(shell("kill -9 $$", 10_000, false).end, End::Killed(9));
        assert_eq!(End::Killed(9).sentence(), "was killed by SIGKILL");
    }

    #[test]
    fn what_hangs_is_ended_with_all_that_it_started() {
        let run = shell("sleep 100 & echo late >&2; sleep 100", 300, true);
        assert_eq!(run.end, End::TimedOut(Duration::from_millis(300)));
        assert_eq!(run.captured.talk, b"late\n");
        assert!(run.wall < Duration::from_secs(5));
    }

    #[test]
    fn what_is_left_behind_is_ended() {
        let started = Instant::now();
        for capture in [true, false] {
            let run = shell("sleep 100 & exit 0", 10_000, capture);
            assert_eq!((run.end, run.left_behind), (End::Exited(0), true));
        }
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn memory_is_bounded() {
        let run = shell("head -c 30000000 /dev/zero >&2; echo end >&2", 30_000, true);
        assert_eq!((run.end, run.captured.talked), (End::Exited(0), 30_000_004));
        assert!(run.captured.talk.len() < 100_000 && run.captured.talk.ends_with(b"end\n"));
    }
}
