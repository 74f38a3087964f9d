//! Restoring twenty thousand caches from a server on the same machine against restoring them from the
//! local cache. Both take turns, each into a tree without caches. Knows no other contender.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::corpora::python_3_11;
use super::measure::median;
use crate::shell;

/// What the title of the section has in it, for `--only`.
pub(super) const TITLE: &str = "remote cache, 20,000 sources";

/// In whose `bin` the server is; the tests are told by it too.
const SERVER_VARIABLE: &str = "BYTEKILN_TEST_BUILDBOX";
const SOURCES: usize = 20_000;
/// At most so many times a local restore.
const GOAL: f64 = 3.0;

/// Copies the library's modules again and again, with a comment each, until there are enough.
const MAKE_TREE: &str = "
import pathlib, sys, sysconfig
library, tree, wanted = pathlib.Path(sysconfig.get_path('stdlib')), pathlib.Path(sys.argv[1]), int(sys.argv[2])
without = {'test', 'tests', 'site-packages', 'lib2to3', 'idlelib', 'turtledemo', 'ensurepip'}
modules = [path for path in sorted(library.rglob('*.py')) if not without.intersection(path.parts)]
for number in range(wanted):
    copy, module = divmod(number, len(modules))
    path = tree / f'copy{copy}' / modules[module].relative_to(library)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(modules[module].read_bytes() + b'\\n# copy %d\\n' % copy)
(tree / 'bytekiln.toml').write_text('[workspace]\\nmembers = [\".\"]\\n')
print(len(modules))
";

/// Measures, and writes the section; `None`, said aloud, where there is no server.
pub(super) fn measure(bytekiln: &Path, runs: usize) -> Result<Option<String>> {
    let Some(server) = std::env::var_os(SERVER_VARIABLE)
        .map(|folder| PathBuf::from(folder).join("bin/buildbox-casd"))
        .filter(|program| program.is_file())
    else {
        eprintln!(
            "not measured: {TITLE}: {SERVER_VARIABLE} names no folder with bin/buildbox-casd"
        );
        return Ok(None);
    };
    let folder = tempfile::Builder::new().prefix("bytekiln-bench-").tempdir()?;
    let folder = Folder { path: folder.path().to_owned(), removed: 0, _kept: folder };
    let tree = folder.path.join("tree");
    let mut make = Command::new(python_3_11()?);
    make.args(["-c", MAKE_TREE]).arg(&tree).arg(SOURCES.to_string());
    let modules = shell::read(&mut make)?.trim().to_owned();
    let server = Server::start(&server, &folder.path.join("store"))?;
    Bench { bytekiln, tree, folder, server }.measure(&modules, runs).map(Some)
}

/// Where all of it is. What is removed is only put aside: see [`super::contender::Workplace::remove`].
struct Folder {
    path: PathBuf,
    removed: usize,
    _kept: tempfile::TempDir,
}

impl Folder {
    fn remove(&mut self, path: &Path) -> Result<()> {
        if path.exists() {
            self.removed += 1;
            fs::rename(path, self.path.join(format!("removed-{}", self.removed)))?;
        }
        Ok(())
    }
}

struct Bench<'a> {
    bytekiln: &'a Path,
    tree: PathBuf,
    folder: Folder,
    server: Server,
}

/// What a build took, and said.
struct Run {
    wall: Duration,
    /// Of the build and what it started.
    processor: Duration,
    /// Of the server meanwhile.
    server: Duration,
    said: String,
}

impl Bench<'_> {
    fn measure(mut self, modules: &str, runs: usize) -> Result<String> {
        eprintln!("measuring: {TITLE} ({runs} runs)");
        let filled = self.build("local-cache", true)?;
        let (mut locals, mut remotes) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            self.clean()?;
            locals.push(self.build("local-cache", false)?);
            self.clean()?;
            remotes.push(self.build("empty-cache", true)?);
        }
        for run in &remotes {
            ensure!(!run.said.contains(" compiled"), "a restore has compiled:\n{}", run.said);
        }
        let ratios = locals.iter().zip(&remotes);
        let mut ratios: Vec<f64> =
            ratios.map(|(l, r)| r.wall.as_secs_f64() / l.wall.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
        let mut text = format!(
            "{SOURCES} sources: {modules} modules of the standard library of CPython 3.11, copied with a \
             comment each. The server is on the same machine and shares its processors.\n\n\
             | | wall, median | fastest to slowest | user + system | of the server |\n\
             |---|---|---|---|---|\n"
        );
        for (name, runs) in [
            ("nothing known: compiled and uploaded", std::slice::from_ref(&filled)),
            ("restored from the local cache", &locals),
            ("restored from the server into an empty local cache", &remotes),
        ] {
            let middle = |time: fn(&Run) -> Duration| {
                median(&runs.iter().map(time).collect::<Vec<_>>()).as_secs_f64()
            };
            let walls = || runs.iter().map(|run| run.wall.as_secs_f64());
            writeln!(
                text,
                "| {name} | {:.2} s | {:.2} to {:.2} s | {:.2} s | {:.2} s |",
                middle(|run| run.wall),
                walls().fold(f64::INFINITY, f64::min),
                walls().fold(0.0, f64::max),
                middle(|run| run.processor),
                middle(|run| run.server),
            )?;
        }
        let met = if ratio <= GOAL { "met" } else { "**not met**" };
        let requests = |run: Option<&Run>| {
            let said = run.map_or("", |run| &run.said).lines();
            said.filter_map(|line| line.trim().strip_prefix("Remote ")).collect::<String>()
        };
        writeln!(
            text,
            "\nGoal: a remote restore takes at most {GOAL} times a local one. Median of the rounds: {ratio:.2} \
             ({:.2} to {:.2}): {met}.\n\n\
             What `-v` says of the upload: {}; of a restore: {}.\n\n\
             - `buildbox-casd --bind 127.0.0.1:PORT --quota-high 4G --reserved 1M STORE`\n\
             - `bytekiln build -v --invalidation-mode unchecked-hash --python 3.11 --jobs 2 --manifest-path tree \
             --cache-dir local-cache --remote-cache grpc://127.0.0.1:PORT`, then in turns, without \
             `__pycache__` and `.bytekiln`: with `--no-remote-cache`, and with an empty `--cache-dir`",
            ratios.first().unwrap_or(&0.0),
            ratios.last().unwrap_or(&0.0),
            requests(Some(&filled)),
            requests(remotes.last()),
        )?;
        Ok(text)
    }

    /// Puts aside all caches of the tree, what is known of it, and the cache that is to be empty.
    fn clean(&mut self) -> Result<()> {
        let mut found = vec![self.tree.join(".bytekiln"), self.folder.path.join("empty-cache")];
        let mut folders = vec![self.tree.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry.file_name() == "__pycache__" {
                    found.push(entry.path());
                } else if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        found.iter().try_for_each(|path| self.folder.remove(path))
    }

    fn build(&self, cache: &str, remote: bool) -> Result<Run> {
        // What the run before left to be written is not this run's work.
        let _ = Command::new("sync").status();
        let mut command = Command::new(self.bytekiln);
        command.args(["build", "-v", "--invalidation-mode", "unchecked-hash", "--python"]);
        command.arg(python_3_11()?).args(["--jobs", "2", "--manifest-path"]).arg(&self.tree);
        command.arg("--cache-dir").arg(self.folder.path.join(cache));
        if remote {
            command.arg("--remote-cache").arg(format!("grpc://127.0.0.1:{}", self.server.port));
        } else {
            command.arg("--no-remote-cache");
        }
        let (server, children) = (self.server.processor()?, processor("self", 15..17)?);
        let start = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        let wall = start.elapsed();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            bail!("`{}` failed: {said}", shell::display(&command));
        }
        Ok(Run {
            wall,
            processor: processor("self", 15..17)?.saturating_sub(children),
            server: self.server.processor()?.saturating_sub(server),
            said,
        })
    }
}

/// A server that runs until it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, store: &Path) -> Result<Server> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = Command::new(program);
        command.arg("--bind").arg(format!("127.0.0.1:{port}"));
        command.args(["--quota-high", "4G", "--reserved", "1M"]).arg(store);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| shell::display(&command))?;
        let server = Server { child, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < deadline, "`{}` does not answer", shell::display(&command));
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn processor(&self) -> Result<Duration> {
        processor(&self.child.id().to_string(), 13..15)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a process, or of its ended children: fields of `/proc/ID/stat`, in hundredths of a
/// second on every Linux.
fn processor(id: &str, fields: std::ops::Range<usize>) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The second field is a name, in parentheses, with whatever in it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let wanted = after.split_whitespace().skip(fields.start - 2).take(fields.len());
    let ticks: u64 = wanted.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
