//! Compiles every `.py` below a folder and says how long it took. For measuring the executor
//! alone, without workspace, manifest and plan:
//! `cargo run --release -p bytekiln-executor --example compilation_throughput -- PYTHON FOLDER CACHE JOBS`
//! (`-` for no cache).

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytekiln_action::{
    Action, CompileFlags, Digest, IDENTITY_SCRIPT, RecordedPath, RepoPath, Toolchain,
    parse_identity,
};
use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_executor::{
    Compiler, InterpreterEngine, InterpreterOptions, Job, JobEnd, LinkPolicy, Options, Order,
    Unplaced, Work, execute,
};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_python::{InvalidationMode, OptimizationLevel, cache_file_name};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[expect(clippy::print_stdout, reason = "a measuring tool talks to its user")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [python, folder, cache, jobs] = arguments.as_slice() else {
        return Err("arguments: PYTHON FOLDER CACHE JOBS".into());
    };
    let began = Instant::now();
    let root = std::fs::canonicalize(folder)?;
    let compiler = identify(Path::new(python))?;
    let mut sources = Vec::new();
    walk(&root, &RepoPath::default(), &mut sources)?;
    sources.sort();
    let jobs_wanted: NonZeroUsize = jobs.parse()?;
    let work = Work {
        jobs: plan(&root, &sources, &compiler.toolchain, jobs_wanted)?,
        roots: vec![root],
        compilers: vec![compiler],
        removals: Vec::new(),
    };
    let planned = began.elapsed();
    let store = match cache.as_str() {
        "-" => None,
        cache => Some(DiskStore::open(Path::new(cache), DiskOptions::default())?),
    };
    let engine = InterpreterEngine::new(InterpreterOptions {
        start_timeout: Duration::from_secs(30),
        environment: Vec::new(),
    });
    let options = Options {
        jobs: jobs_wanted,
        keep_going: true,
        link: LinkPolicy::Link,
        timeout: Duration::from_secs(60),
    };
    let store = store.as_ref().map(|store| store as &dyn Store);
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine: &engine,
        store,
        remote: None,
        elsewhere: None,
        options: &options,
        events: &|_| (),
        cancel: &AtomicBool::new(false),
    });
    let mut counts = [0; 4];
    for (job, end) in work.jobs.iter().zip(&report.ends) {
        let kind = match end {
            JobEnd::Compiled { .. } => 0,
            JobEnd::Cached { .. } => 1,
            JobEnd::Rejected { .. } => 2,
            JobEnd::Failed(failure) => {
                println!("{}: {failure:?}", job.source);
                3
            }
        };
        counts[kind] += 1;
    }
    let [compiled, cached, rejected, failed] = counts;
    println!(
        "{:.3} s ({:.3} s until planned): {compiled} compiled, {cached} cached, {rejected} rejected, {failed} failed",
        began.elapsed().as_secs_f64(),
        planned.as_secs_f64(),
    );
    Ok(())
}

fn identify(python: &Path) -> Outcome<Compiler> {
    let script = format!("{IDENTITY_SCRIPT}\nprint(bytekiln_identity())");
    let said = Command::new(python).args(["-S", "-s", "-B", "-c", &script]).output()?;
    let toolchain = Arc::new(parse_identity(&said.stdout)?.toolchain);
    Ok(Compiler { toolchain, executable: python.to_owned() })
}

fn walk(root: &Path, below: &RepoPath, sources: &mut Vec<RepoPath>) -> Outcome<()> {
    let folder: PathBuf = root.join(std::ffi::OsStr::from_bytes(below.as_bytes()));
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = below.join(entry.file_name().as_bytes());
        if entry.file_type()?.is_dir() {
            walk(root, &path, sources)?;
        } else if path.as_bytes().ends_with(b".py") {
            sources.push(path);
        }
    }
    Ok(())
}

/// Hashes the sources on all threads, as the file index would.
fn plan(
    root: &Path,
    sources: &[RepoPath],
    toolchain: &Arc<Toolchain>,
    threads: NonZeroUsize,
) -> Outcome<Vec<Job>> {
    let size = sources.len().div_ceil(threads.get()).max(1);
    let parts: Vec<std::io::Result<Vec<Job>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = sources
            .chunks(size)
            .map(|chunk| {
                scope.spawn(|| chunk.iter().map(|path| job(root, path, toolchain)).collect())
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(std::io::Error::other("a panic"))))
            .collect()
    });
    Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

fn job(root: &Path, source: &RepoPath, toolchain: &Arc<Toolchain>) -> std::io::Result<Job> {
    let bytes = std::fs::read(root.join(std::ffi::OsStr::from_bytes(source.as_bytes())))?;
    let level = OptimizationLevel::Zero;
    let name = cache_file_name(source.stem(), &toolchain.cache_tag, level);
    let path = source.parent().unwrap_or_default().join(b"__pycache__").join(&name);
    Ok(Job {
        source: source.clone(),
        action: Action {
            source: Digest::of(&bytes),
            recorded_path: RecordedPath::from_file_system(source.as_bytes()),
            toolchain: Arc::clone(toolchain),
            toolchain_digest: toolchain.digest(),
            level,
            mode: InvalidationMode::UncheckedHash,
            flags: CompileFlags { debug_ranges: true },
            canonical_form: bytekiln_codec::CANONICAL_FORM_VERSION,
        },
        compiler: 0,
        output: Some(OutputPath { root: RootId::WORKSPACE, path }),
    })
}
