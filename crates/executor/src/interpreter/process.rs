//! A child process with three pipes, none of which is ever waited for alone: whoever waits moves
//! bytes in all directions, so that two full pipes cannot lock both sides. Knows no protocol.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How much of a child's complaints is kept.
const KEPT_STDERR: usize = 4096;
/// How much is read at once.
const READ_SIZE: usize = 256 * 1024;

/// Bytes on their way to the child; sources are shared, not copied.
pub(super) enum Outgoing {
    /// Head of a frame.
    Owned(Vec<u8>),
    /// A source.
    Shared(Arc<[u8]>),
}

impl Outgoing {
    fn bytes(&self) -> &[u8] {
        match self {
            Outgoing::Owned(bytes) => bytes,
            Outgoing::Shared(bytes) => bytes,
        }
    }
}

/// The child. Dropping it kills its process group and collects it.
pub(super) struct Process {
    child: Child,
    stdin: Option<OwnedFd>,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    outgoing: VecDeque<Outgoing>,
    /// Bytes of the first of `outgoing` that the child has.
    sent: usize,
    received: Vec<u8>,
    /// Bytes of `received` that were taken.
    taken: usize,
    complaints: Vec<u8>,
}

impl Process {
    /// Starts it in a process group of its own, so that the terminal's Ctrl-C is for us alone.
    pub(super) fn start(command: &mut Command) -> io::Result<Process> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().map(OwnedFd::from);
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let process = Process {
            child,
            stdin,
            stdout,
            stderr,
            outgoing: VecDeque::new(),
            sent: 0,
            received: Vec::new(),
            taken: 0,
            complaints: Vec::new(),
        };
        for descriptor in [&process.stdin, &process.stdout, &process.stderr].into_iter().flatten() {
            rustix::io::ioctl_fionbio(descriptor, true)?;
            // A whole source or result fits, so that neither side waits for the other. Only a
            // wish: the kernel may say that this user has enough pipes already.
            #[cfg(target_os = "linux")]
            let _: Result<usize, Errno> = rustix::pipe::fcntl_setpipe_size(descriptor, 1 << 20);
        }
        Ok(process)
    }

    /// Queues bytes and sends what fits.
    pub(super) fn send(&mut self, parts: impl IntoIterator<Item = Outgoing>) {
        self.outgoing.extend(parts);
        self.write();
    }

    /// What was received and not taken.
    pub(super) fn received(&self) -> &[u8] {
        self.received.get(self.taken..).unwrap_or_default()
    }

    /// Takes bytes off [`Process::received`].
    pub(super) fn take(&mut self, length: usize) {
        self.taken += length;
        if self.taken >= self.received.len() {
            self.received.clear();
            self.received.shrink_to(2 * READ_SIZE);
            self.taken = 0;
        } else if self.taken > 4 * READ_SIZE {
            self.received.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Whether the child will say nothing more.
    pub(super) fn is_over(&self) -> bool {
        self.stdout.is_none()
    }

    /// Moves bytes in all directions, until something was received or `wait` is over.
    pub(super) fn pump(&mut self, wait: Duration) -> io::Result<()> {
        let deadline = Instant::now() + wait;
        while !self.is_over() {
            let left = deadline.saturating_duration_since(Instant::now());
            let ready = self.poll(left)?;
            if ready.stderr {
                self.read_stderr();
            }
            if ready.stdin {
                self.write();
            }
            if ready.stdout {
                return self.read_stdout();
            }
            if left.is_zero() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn poll(&self, wait: Duration) -> io::Result<Ready> {
        let idle = self.outgoing.is_empty();
        let entry = |descriptor, flags| PollFd::from_borrowed_fd(descriptor, flags);
        let mut entries = Vec::with_capacity(3);
        let mut which = Vec::with_capacity(3);
        if let (Some(stdin), false) = (&self.stdin, idle) {
            entries.push(entry(stdin.as_fd(), PollFlags::OUT));
            which.push(0);
        }
        if let Some(stdout) = &self.stdout {
            entries.push(entry(stdout.as_fd(), PollFlags::IN));
            which.push(1);
        }
        if let Some(stderr) = &self.stderr {
            entries.push(entry(stderr.as_fd(), PollFlags::IN));
            which.push(2);
        }
        let timeout = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        match poll(&mut entries, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |number| {
            entries
                .iter()
                .zip(&which)
                .any(|(entry, which)| *which == number && !entry.revents().is_empty())
        };
        Ok(Ready { stdin: ready(0), stdout: ready(1), stderr: ready(2) })
    }

    fn write(&mut self) {
        let Some(stdin) = &self.stdin else { return };
        while let Some(first) = self.outgoing.front() {
            let rest = first.bytes().get(self.sent..).unwrap_or_default();
            if rest.is_empty() {
                self.outgoing.pop_front();
                self.sent = 0;
                continue;
            }
            match rustix::io::write(stdin, rest) {
                Ok(written) => self.sent += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // The reading side will see the end and say what happened.
                Err(_) => {
                    self.stdin = None;
                    self.outgoing.clear();
                    self.sent = 0;
                    return;
                }
            }
        }
    }

    fn read_stdout(&mut self) -> io::Result<()> {
        let Some(stdout) = &self.stdout else { return Ok(()) };
        self.received.reserve(READ_SIZE);
        match rustix::io::read(stdout, spare_capacity(&mut self.received)) {
            Ok(0) => self.stdout = None,
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn read_stderr(&mut self) {
        let Some(stderr) = &self.stderr else { return };
        let mut buffer = [0; 4096];
        match rustix::io::read(stderr, &mut buffer) {
            Ok(0) | Err(_) => self.stderr = None,
            Ok(length) => {
                let room = KEPT_STDERR.saturating_sub(self.complaints.len());
                self.complaints
                    .extend_from_slice(buffer.get(..length.min(room)).unwrap_or_default());
            }
        }
    }

    /// Ends the child, and says how it ended and what it complained of.
    pub(super) fn post_mortem(&mut self) -> String {
        let mut status = None;
        let deadline = Instant::now() + Duration::from_millis(200);
        while status.is_none() && Instant::now() < deadline {
            if self.stderr.is_some() && self.poll(Duration::from_millis(1)).is_ok_and(|r| r.stderr)
            {
                self.read_stderr();
                continue;
            }
            status = self.child.try_wait().ok().flatten();
        }
        while self.stderr.is_some() && self.poll(Duration::ZERO).is_ok_and(|ready| ready.stderr) {
            self.read_stderr();
        }
        let how = match status {
            Some(status) => format!("ended ({status})"),
            None => "closed its output without ending".to_owned(),
        };
        self.kill();
        match self.complaints() {
            Some(complaints) => format!("{how}, and printed: {complaints}"),
            None => how,
        }
    }

    /// What the child printed to its standard error so far, its beginning.
    pub(super) fn complaints(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.complaints);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn kill(&mut self) {
        // Collected children are not signalled: their number may belong to another by now.
        if matches!(self.child.try_wait(), Ok(None)) {
            if let Some(group) =
                i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw)
            {
                let _: Result<(), Errno> =
                    rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _: io::Result<()> = self.child.kill();
            let _: io::Result<std::process::ExitStatus> = self.child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Ready {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}
