//! Sources in a temporary folder, and work made of them. Knows nothing of expectations.

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytekiln_action::{
    Action, CompileFlags, Digest, IDENTITY_SCRIPT, RecordedPath, RepoPath, Toolchain,
    parse_identity,
};
use bytekiln_cache::Store;
use bytekiln_executor::{
    Compiler, Engine, Event, InterpreterEngine, InterpreterOptions, Job, JobEnd, LinkPolicy,
    Options, Order, RemoteAccess, RemoteCache, Report, Unplaced, Work, execute,
};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release, cache_file_name};
use bytekiln_test_support::Scratch;

/// A folder of sources.
pub(crate) struct Project {
    folder: Scratch,
    sources: Vec<RepoPath>,
}

impl Project {
    pub(crate) fn new<B: AsRef<[u8]>>(files: &[(&str, B)]) -> Project {
        let mut project = Project { folder: Scratch::new(), sources: Vec::new() };
        for (name, content) in files {
            project.add(name.as_bytes(), content.as_ref());
        }
        project
    }

    pub(crate) fn add(&mut self, name: &[u8], content: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self.sources.push(RepoPath::new(name).unwrap());
    }

    pub(crate) fn path(&self, name: &[u8]) -> PathBuf {
        self.root().join(std::ffi::OsStr::from_bytes(name))
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// One job a source, in the order in which they were added.
    pub(crate) fn work(&self, compiler: &Compiler) -> Work {
        Work {
            roots: vec![self.root().to_owned()],
            compilers: vec![compiler.clone()],
            jobs: self.sources.iter().map(|source| self.job(source, compiler)).collect(),
            removals: Vec::new(),
        }
    }

    fn job(&self, source: &RepoPath, compiler: &Compiler) -> Job {
        let level = OptimizationLevel::Zero;
        let toolchain = &compiler.toolchain;
        let name = cache_file_name(source.stem(), &toolchain.cache_tag, level);
        let path = source.parent().unwrap_or_default().join(b"__pycache__").join(&name);
        Job {
            source: source.clone(),
            action: Action {
                source: Digest::of(&std::fs::read(self.path(source.as_bytes())).unwrap()),
                recorded_path: RecordedPath::from_file_system(source.as_bytes()),
                toolchain: Arc::clone(toolchain),
                toolchain_digest: toolchain.digest(),
                level,
                mode: InvalidationMode::CheckedHash,
                flags: CompileFlags { debug_ranges: true },
                canonical_form: bytekiln_codec::CANONICAL_FORM_VERSION,
            },
            compiler: 0,
            output: Some(OutputPath { root: RootId::WORKSPACE, path }),
        }
    }

    /// Everything below the folder that is no source, with its bytes, ordered.
    pub(crate) fn made(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.root(), &mut files);
        files.retain(|path| path.extension().is_none_or(|suffix| suffix != "py"));
        files.retain(|path| !path.is_symlink());
        files.sort();
        files
            .into_iter()
            .map(|path| {
                let bytes = std::fs::read(&path).unwrap();
                (path.strip_prefix(self.root()).unwrap().to_owned(), bytes)
            })
            .collect()
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

/// How tests work, unless they say otherwise.
pub(crate) fn options() -> Options {
    Options {
        jobs: NonZeroUsize::MIN.saturating_add(1),
        keep_going: true,
        link: LinkPolicy::Link,
        timeout: Duration::from_secs(60),
    }
}

/// Executes, and collects the events as text.
pub(crate) fn run(
    work: &Work,
    engine: &dyn Engine,
    store: Option<&dyn Store>,
    options: &Options,
) -> (Report, Vec<String>) {
    run_with_remote(work, engine, store, None, options)
}

/// The same with a store on another machine.
pub(crate) fn run_with_remote(
    work: &Work,
    engine: &dyn Engine,
    store: Option<&dyn Store>,
    remote: Option<&dyn Store>,
    options: &Options,
) -> (Report, Vec<String>) {
    let events = Mutex::new(Vec::new());
    let subscriber = |event: &Event<'_>| events.lock().unwrap().push(format!("{event:?}"));
    let report = execute(&Order {
        work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine,
        store,
        remote: remote.map(|store| RemoteCache {
            store,
            access: RemoteAccess::ReadWrite,
            source_hashes: None,
        }),
        elsewhere: None,
        options,
        events: &subscriber,
        cancel: &AtomicBool::new(false),
    });
    (report, events.into_inner().unwrap())
}

/// Ends as one line each: `a.py: compiled`.
pub(crate) fn ends(work: &Work, report: &Report) -> String {
    let line = |(job, end): (&Job, &JobEnd)| {
        let end = match end {
            JobEnd::Compiled { warnings, .. } if warnings.is_empty() => "compiled".to_owned(),
            JobEnd::Compiled { warnings, .. } => format!("compiled, {}", said(warnings)),
            JobEnd::Cached { origin, .. } => format!("cached ({origin:?})"),
            JobEnd::Rejected { error, warnings, cached } => {
                let mut diagnostics = vec![error.clone()];
                diagnostics.extend_from_slice(warnings);
                format!(
                    "rejected{}, {}",
                    if *cached { " (cached)" } else { "" },
                    said(&diagnostics)
                )
            }
            JobEnd::Failed(failure) => format!("{failure:?}"),
        };
        format!("{}: {end}\n", job.source)
    };
    work.jobs.iter().zip(&report.ends).map(line).collect()
}

fn said(diagnostics: &[bytekiln_action::Diagnostic]) -> String {
    let one = |diagnostic: &bytekiln_action::Diagnostic| {
        let at = diagnostic.start.map_or("?".to_owned(), |start| match start.column {
            Some(column) => format!("{}:{column}", start.line),
            None => start.line.to_string(),
        });
        let text = diagnostic.line_text.as_deref().unwrap_or("?").replace('\0', "\\0");
        format!("{at} {}: {} | {text}", diagnostic.category, diagnostic.message)
    };
    diagnostics.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The compiler that an executable says it is.
pub(crate) fn compiler(executable: &Path) -> Compiler {
    let script = format!("{IDENTITY_SCRIPT}\nprint(bytekiln_identity())");
    let said = Command::new(executable).args(["-S", "-c", &script]).output().unwrap();
    let toolchain = Arc::new(parse_identity(&said.stdout).unwrap().toolchain);
    Compiler { toolchain, executable: executable.to_owned() }
}

/// A compiler for engines that start nothing.
pub(crate) fn imaginary_compiler() -> Compiler {
    let toolchain = Toolchain {
        release: Release::from_minor(11).unwrap(),
        implementation: "cpython".to_owned(),
        version: "3.11.7".to_owned(),
        build: "3.11.7 (imaginary)".to_owned(),
        cache_tag: "cpython-311".to_owned(),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    };
    Compiler { toolchain: Arc::new(toolchain), executable: PathBuf::from("/imaginary/python3.11") }
}

/// The interpreter engine.
pub(crate) fn interpreters(start_timeout: Duration) -> InterpreterEngine {
    InterpreterEngine::new(InterpreterOptions { start_timeout, environment: Vec::new() })
}

/// An engine that waits long enough for a loaded machine.
pub(crate) fn patient_interpreters() -> InterpreterEngine {
    interpreters(Duration::from_secs(60))
}
