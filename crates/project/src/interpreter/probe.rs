//! Asking an executable who it is: started isolated, with nothing of our environment, given ten
//! seconds, and killed with all that it started if it takes longer.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytekiln_action::{IDENTITY_SCRIPT, Toolchain, parse_identity};

use super::InterpreterFault;
use crate::path::from_bytes;

/// How long an interpreter may take to say who it is.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// How much of what it prints is read.
const MOST: u64 = 1 << 20;

/// Says the implementation first, in words that every Python since 2.6 understands. After the
/// report come the files that the process has mapped as code: a `libpython` may be among them,
/// and then it is that file, not the executable, that decides what is compiled.
const OPENING: &str = "\
import sys
implementation = getattr(sys, 'implementation', None)
sys.stdout.write('bytekiln-is %s %d.%d.%d\\n' % ((getattr(implementation, 'name', 'Python'),) + tuple(sys.version_info[:3])))
sys.stdout.flush()
if sys.version_info[0] < 3 or implementation.name != 'cpython':
    sys.exit(0)
";

const CLOSING: &str = "
sys.stdout.buffer.write(bytekiln_identity().encode('ascii'))
try:
    with open('/proc/self/maps', 'rb') as maps:
        mapped = sorted({line.split(None, 5)[5].strip() for line in maps if b' r-xp ' in line and b'/' in line})
    for path in mapped:
        sys.stdout.buffer.write(b'bytekiln-mapped ' + path.hex().encode('ascii') + b'\\n')
except OSError:
    pass
sys.stdout.flush()
";

/// What an executable said.
pub(super) struct Answer {
    pub(super) toolchain: Toolchain,
    /// Itself and what it maps as code.
    pub(super) files: Vec<PathBuf>,
}

/// Starts `executable` and asks.
pub(super) fn probe(executable: &Path, limit: Duration) -> Result<Answer, InterpreterFault> {
    let program = format!("{OPENING}exec({})\n{CLOSING}", literal(IDENTITY_SCRIPT));
    let child = Command::new(executable)
        .args(["-S", "-s", "-B", "-c", &program])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound if !executable.exists() => InterpreterFault::Missing,
            std::io::ErrorKind::PermissionDenied => InterpreterFault::NotExecutable,
            _ => InterpreterFault::NotStarted(error.to_string()),
        })?;
    let (status, said, complained) = outcome(child, limit)?;
    let text = String::from_utf8_lossy(&said);
    let name = text
        .lines()
        .find_map(|line| line.split_once("bytekiln-is ").map(|(_, name)| name.trim().to_owned()));
    if let Some(name) = &name
        && !name.starts_with("cpython 3.")
    {
        return Err(InterpreterFault::NotPython3(name.clone()));
    }
    if !status.success() && name.is_none() {
        let complained = String::from_utf8_lossy(&complained);
        let lines: Vec<&str> = complained.lines().filter(|line| !line.trim().is_empty()).collect();
        let end = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ");
        return Err(InterpreterFault::Failed(status.to_string(), end));
    }
    let report = parse_identity(&said).map_err(InterpreterFault::Identity)?;
    let mapped = text.lines().filter_map(|line| line.strip_prefix("bytekiln-mapped "));
    let mut files: Vec<PathBuf> = mapped.filter_map(from_hex).collect();
    files.push(executable.to_owned());
    files.sort();
    files.dedup();
    Ok(Answer { toolchain: report.toolchain, files })
}

/// Waits for the end, at most `limit`, and takes what was printed.
pub(super) fn outcome(
    mut child: Child,
    limit: Duration,
) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), InterpreterFault> {
    let deadline = Instant::now() + limit;
    let said = read(child.stdout.take());
    let complained = read(child.stderr.take());
    let remaining = || deadline.saturating_duration_since(Instant::now());
    // The end of its output comes first; then it only has to exit.
    let said = said.recv_timeout(remaining());
    let complained = complained.recv_timeout(remaining());
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let (Ok(said), Ok(complained)) = (said, complained) else { break };
                return Ok((status, said, complained));
            }
            Ok(None) if !remaining().is_zero() => std::thread::sleep(pause),
            Ok(None) => break,
            Err(error) => {
                kill(&mut child);
                return Err(InterpreterFault::NotStarted(error.to_string()));
            }
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    kill(&mut child);
    Err(InterpreterFault::Hung(limit))
}

/// Kills the process and all of its group: a wrapper script's child goes too.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // Both may fail only because all have ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads on a thread of its own: a process that prints much to both pipes must not block.
fn read(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(pipe) = pipe {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut pipe = pipe.take(MOST);
            // What was read before an error may be all that is needed.
            let _ = pipe.read_to_end(&mut bytes);
            let _ = std::io::copy(&mut pipe.into_inner(), &mut std::io::sink());
            // Nobody listens any more if the time was up.
            let _ = sender.send(bytes);
        });
    }
    receiver
}

/// The script as a Python string literal.
fn literal(script: &str) -> String {
    let mut out = String::from("'");
    for character in script.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

fn from_hex(text: &str) -> Option<PathBuf> {
    let digits = text.trim().as_bytes();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes.map(|bytes| from_bytes(&bytes))
}
