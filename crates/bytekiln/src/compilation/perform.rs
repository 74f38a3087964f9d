//! Carries a compilation out: reads, compiles or looks up, writes, and says what came of it. Knows
//! nothing of who asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use bytekiln_action::{Action, CompileFlags, Diagnostic, Digest, RecordedPath, RepoPath};
use bytekiln_cache::Store;
use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_executor::{
    Compiler, Event, Failure, InterpreterPool, Job, JobEnd, LinkPolicy, Options,
    Order as ExecutorOrder, Sources, Unplaced, Work, execute,
};
use bytekiln_planner::OutputPath;

use super::base::Base;
use super::depfile;
use super::identity::{Mismatch, document};
use super::manifest::{OutputRow, render as render_manifest};
use super::order::{CompileOrder, Placed, Placement};
use super::report::{CompileReport, SourceReport};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::diagnostic::{Style, render};
use crate::report::human::failure_text;

/// Sources are kept from hashing to compiling as long as there are no more bytes of them.
const KEPT_BYTES: u64 = 64 << 20;

/// With what a compilation is carried out.
pub(crate) struct Means<'a> {
    pub(crate) base: &'a Base,
    pub(crate) pool: &'a InterpreterPool,
    /// The interpreter of the order, introduced and checked.
    pub(crate) compiler: &'a Compiler,
    pub(crate) store: Option<&'a dyn Store>,
    pub(crate) claims: &'a dyn Claims,
    pub(crate) style: Style,
    /// Deprecations are said as well.
    pub(crate) all_warnings: bool,
    pub(crate) cancel: &'a AtomicBool,
}

/// What the caller says of files without reading them.
pub(crate) trait Claims: Sync {
    /// The digest of a source that the caller has vouched for, so that it need not be read.
    fn vouched(&self, source: &Path, place: &Path) -> Option<Digest>;

    /// A source has been read: whether it may be what the caller says.
    fn check(&self, source: &Path, digest: &Digest) -> Result<(), String>;
}

/// Nobody says anything.
pub(crate) struct NoClaims;

impl Claims for NoClaims {
    fn vouched(&self, _source: &Path, _place: &Path) -> Option<Digest> {
        None
    }

    fn check(&self, _source: &Path, _digest: &Digest) -> Result<(), String> {
        Ok(())
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Performed {
    /// Success, failure or interrupted.
    pub(crate) status: ExitStatus,
    /// Diagnostics and faults, in the order of the sources; ends with a newline unless empty.
    pub(crate) messages: String,
    pub(crate) compiled: usize,
    pub(crate) cached: usize,
    pub(crate) failed: usize,
}

/// Who compiles, as JSON, in place of compiling.
pub(crate) fn print_identity(
    order: &CompileOrder,
    pool: &InterpreterPool,
) -> Result<String, CommandFailure> {
    let compiler =
        pool.introduce(&order.python, order.flags).map_err(CommandFailure::environment)?;
    let other = |Mismatch(message): Mismatch| CommandFailure::environment(message);
    order.expectation.check_compiler().map_err(other)?;
    order.expectation.check_python(&compiler.toolchain).map_err(other)?;
    Ok(document(&compiler.toolchain))
}

/// Says in the report who would have compiled, where somebody else was expected.
pub(crate) fn report_stranger(
    order: &CompileOrder,
    base: &Base,
    compiler: &Compiler,
) -> Result<(), CommandFailure> {
    match &order.out_report {
        Some(path) => {
            let text = CompileReport::new(&compiler.toolchain, Vec::new()).render();
            write(path, base, text.as_bytes())
        }
        None => Ok(()),
    }
}

/// Compiles everything. What was written is whole, also when something else failed; a rejected
/// source, or one that is gone, leaves no output of an older text behind.
pub(crate) fn perform(
    order: &CompileOrder,
    means: &Means<'_>,
) -> Result<Performed, CommandFailure> {
    let toolchain = &means.compiler.toolchain;
    let placement = order.placement(&toolchain.cache_tag, means.base)?;
    let toolchain_digest = toolchain.digest();
    let flags =
        CompileFlags { debug_ranges: order.flags.debug_ranges || toolchain.release.minor() < 11 };
    let Reading { read, unreadable, gone } = read_sources(order, means)?;
    let mut jobs = Vec::with_capacity(read.len());
    for source in &read {
        let Some((entry, placed)) = pair(order, &placement, source.entry) else { continue };
        jobs.push(Job {
            source: RepoPath::new(source.entry.to_string().as_bytes()).unwrap_or_default(),
            action: Action {
                source: source.digest,
                recorded_path: RecordedPath::from_file_system(&entry.recorded),
                toolchain: Arc::clone(toolchain),
                toolchain_digest,
                level: order.level,
                mode: order.mode,
                flags,
                canonical_form: CANONICAL_FORM_VERSION,
            },
            compiler: 0,
            output: Some(placed.place.clone()),
        });
    }
    let work = Work {
        roots: placement.roots.clone(),
        compilers: vec![means.compiler.clone()],
        jobs,
        removals: Vec::new(),
    };
    let notes = Mutex::new(Vec::new());
    let times: Mutex<Vec<u64>> = Mutex::new(vec![0; read.len()]);
    let events = |event: &Event<'_>| {
        if let Event::JobEnded { job, compile, .. } = event
            && let Some(place) = times.lock().unwrap_or_else(PoisonError::into_inner).get_mut(*job)
        {
            *place = u64::try_from(compile.as_micros()).unwrap_or(u64::MAX);
        }
        let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
        note(event, order, &read, &mut notes);
    };
    let options = Options {
        jobs: order.jobs,
        keep_going: true,
        link: LinkPolicy::Copy,
        timeout: order.timeout,
    };
    let started = std::time::SystemTime::now();
    let report = execute(&ExecutorOrder {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: Some(&InMemory { order, means, read: &read }),
        engine: means.pool,
        store: means.store,
        remote: None,
        elsewhere: None,
        options: &options,
        events: &events,
        cancel: means.cancel,
    });
    if let Some(path) = &order.out_report {
        let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = read.iter().zip(&report.ends).zip(times);
        let ended = ended.map(|((source, end), micros)| (source.entry, (end, micros)));
        let ended: std::collections::BTreeMap<usize, (&JobEnd, u64)> = ended.collect();
        let sources = order.entries.iter().zip(&placement.outputs).enumerate();
        let rows = sources.map(|(index, (entry, placed))| {
            let (end, micros) = ended.get(&index).copied().unzip();
            SourceReport::new(&entry.source, &placed.shown, end, micros.unwrap_or_default())
        });
        let text = CompileReport::new(toolchain, rows.collect()).render();
        write(path, means.base, text.as_bytes())?;
    }
    let mut outcome = Outcome {
        order,
        placement: &placement,
        means,
        messages: unreadable,
        outdated: gone
            .iter()
            .filter_map(|index| placement.outputs.get(*index))
            .map(|placed| placed.place.clone())
            .collect(),
        counts: [0; 3],
    };
    for (source, end) in read.iter().zip(&report.ends) {
        outcome.add(source.entry, end);
    }
    let Outcome { messages, outdated, counts: [compiled, cached, rejected], .. } = outcome;
    let failed = rejected + (order.entries.len() - read.len());
    let mut text: String = notes.into_inner().unwrap_or_else(PoisonError::into_inner).concat();
    text.extend(messages.into_values());
    text.push_str(&remove_outdated(outdated, work.roots, means));
    let status = match (report.interrupted, failed) {
        (true, _) => ExitStatus::Interrupted,
        (false, 0) => ExitStatus::Success,
        (false, _) => ExitStatus::Failure,
    };
    if status == ExitStatus::Success {
        write_by_products(order, &placement, means.base, started)?;
    }
    Ok(Performed { status, messages: text, compiled, cached, failed })
}

/// Messages by entry.
type Messages = std::collections::BTreeMap<usize, String>;

/// A source whose digest is known.
struct ReadSource {
    entry: usize,
    digest: Digest,
    /// Unless there was too much, or somebody vouched for it.
    bytes: Option<Arc<[u8]>>,
}

/// What came of reading all sources.
struct Reading {
    read: Vec<ReadSource>,
    unreadable: Messages,
    /// Entries of those whose source is not there.
    gone: Vec<usize>,
}

fn read_sources(order: &CompileOrder, means: &Means<'_>) -> Result<Reading, CommandFailure> {
    let mut read = Vec::with_capacity(order.entries.len());
    let (mut unreadable, mut gone) = (Messages::new(), Vec::new());
    let mut kept = 0;
    for (index, entry) in order.entries.iter().enumerate() {
        let place = means.base.resolve(&entry.source)?;
        if let Some(digest) = means.claims.vouched(&entry.source, &place) {
            read.push(ReadSource { entry: index, digest, bytes: None });
            continue;
        }
        let fault = match read_file(&place) {
            Ok(bytes) => {
                let digest = Digest::of(&bytes);
                match means.claims.check(&entry.source, &digest) {
                    Ok(()) => {
                        kept += digest.size;
                        let bytes = (kept <= KEPT_BYTES).then_some(bytes);
                        read.push(ReadSource { entry: index, digest, bytes });
                        continue;
                    }
                    Err(fault) => fault,
                }
            }
            Err(error) => {
                if error.kind() == std::io::ErrorKind::NotFound {
                    gone.push(index);
                }
                format!("could not be read: {error}")
            }
        };
        unreadable.insert(index, format!("error: `{}`: {fault}\n", entry.source.display()));
    }
    Ok(Reading { read, unreadable, gone })
}

/// Regular files only: a pipe in the place of a source must not make us wait.
fn read_file(place: &Path) -> std::io::Result<Arc<[u8]>> {
    if !std::fs::metadata(place)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    std::fs::read(place).map(Into::into)
}

struct InMemory<'a> {
    order: &'a CompileOrder,
    means: &'a Means<'a>,
    read: &'a [ReadSource],
}

impl Sources for InMemory<'_> {
    fn read(&self, index: usize, _job: &Job) -> Result<Arc<[u8]>, Failure> {
        let missing = || Failure::SourceUnreadable("there is no source".to_owned());
        let source = self.read.get(index).ok_or_else(missing)?;
        if let Some(bytes) = &source.bytes {
            return Ok(Arc::clone(bytes));
        }
        let entry = self.order.entries.get(source.entry).ok_or_else(missing)?;
        let place = self.means.base.resolve(&entry.source).map_err(|_| missing())?;
        read_file(&place).map_err(|error| Failure::SourceUnreadable(error.to_string()))
    }
}

fn pair<'a>(
    order: &'a CompileOrder,
    placement: &'a Placement,
    index: usize,
) -> Option<(&'a super::entries::Entry, &'a Placed)> {
    Some((order.entries.get(index)?, placement.outputs.get(index)?))
}

/// What is said of events that fail nothing.
fn note(event: &Event<'_>, order: &CompileOrder, read: &[ReadSource], notes: &mut Vec<String>) {
    let name = |job: usize| {
        let entry = read.get(job).and_then(|source| order.entries.get(source.entry));
        entry.map(|entry| entry.source.display().to_string()).unwrap_or_default()
    };
    let text = match event {
        Event::WorkerLost { job, reason, retry, .. } => {
            let file = job.map_or(String::new(), |job| format!(" on `{}`", name(job)));
            let next = if *retry { "; trying once more" } else { "" };
            format!("a compiler was lost{file}: {reason}{next}")
        }
        Event::StoreTrouble { message } => format!("{message}; going on without"),
        Event::StoreWarning { message } => message.clone(),
        Event::EntryDiscarded { job, message } => {
            format!("the cached result for `{}` is not usable: {message}", name(*job))
        }
        _ => return,
    };
    notes.push(format!("warning: {text}\n"));
}

/// Collects how sources ended.
struct Outcome<'a> {
    order: &'a CompileOrder,
    placement: &'a Placement,
    means: &'a Means<'a>,
    messages: Messages,
    /// Outputs of sources that were rejected or are gone.
    outdated: Vec<OutputPath>,
    /// Compiled, cached, failed.
    counts: [usize; 3],
}

impl Outcome<'_> {
    fn add(&mut self, index: usize, end: &JobEnd) {
        let Some((entry, placed)) = pair(self.order, self.placement, index) else { return };
        let source = entry.source.display().to_string();
        let (warnings, error, count): (&[Diagnostic], _, _) = match end {
            JobEnd::Compiled { warnings, .. } => (warnings, None, 0),
            JobEnd::Cached { warnings, .. } => (warnings, None, 1),
            JobEnd::Rejected { error, warnings, .. } => (warnings, Some(error), 2),
            JobEnd::Failed(failure) => {
                let text = format!("error: `{source}`: {}\n", failure_text(failure));
                self.messages.insert(index, text);
                self.counts[2] += 1;
                return;
            }
        };
        let shown = warnings
            .iter()
            .filter(|warning| self.means.all_warnings || warning.category != "DeprecationWarning");
        let text: String = shown
            .chain(error)
            .map(|diagnostic| render(diagnostic, &source, &[], &self.means.style))
            .collect();
        if error.is_some() {
            self.outdated.push(placed.place.clone());
        }
        if let Some(count) = self.counts.get_mut(count) {
            *count += 1;
        }
        if !text.is_empty() {
            self.messages.insert(index, text);
        }
    }
}

/// Removes what stands in the place of outputs that there are none of now: it would go on being
/// loaded. Says what could not be removed.
fn remove_outdated(removals: Vec<OutputPath>, roots: Vec<PathBuf>, means: &Means<'_>) -> String {
    if removals.is_empty() {
        return String::new();
    }
    let options = Options {
        jobs: std::num::NonZeroUsize::MIN,
        keep_going: true,
        link: LinkPolicy::Copy,
        timeout: std::time::Duration::ZERO,
    };
    let report = execute(&ExecutorOrder {
        work: &Work { roots, compilers: Vec::new(), jobs: Vec::new(), removals },
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine: means.pool,
        store: None,
        remote: None,
        elsewhere: None,
        options: &options,
        events: &|_| {},
        cancel: &AtomicBool::new(false),
    });
    let said = report.not_removed.iter().map(|(output, error)| {
        format!("error: the stale output `{}` could not be removed: {error}\n", output.path)
    });
    said.collect()
}

/// Manifest and depfile, and times of outputs where make wants them.
fn write_by_products(
    order: &CompileOrder,
    placement: &Placement,
    base: &Base,
    started: std::time::SystemTime,
) -> Result<(), CommandFailure> {
    if order.touch {
        for placed in &placement.outputs {
            let place = base.resolve(&placed.shown)?;
            touch(&place, started).map_err(|error| unwritten(&placed.shown, &error))?;
        }
    }
    if let Some(path) = &order.out_manifest {
        let rows: Vec<OutputRow<'_>> = order
            .entries
            .iter()
            .zip(&placement.outputs)
            .map(|(entry, placed)| OutputRow {
                name: match &placed.name {
                    Some(name) => String::from_utf8_lossy(name.as_bytes()).into_owned(),
                    None => placed.shown.display().to_string(),
                },
                path: placed.shown.display().to_string(),
                origin: entry.origin.as_ref(),
            })
            .collect();
        write(path, base, render_manifest(&rows).as_bytes())?;
    }
    if let Some(path) = &order.depfile {
        let python = std::iter::once(&order.python_as_named);
        let inputs: BTreeSet<&PathBuf> = order
            .entries
            .iter()
            .map(|entry| &entry.source)
            .chain(&order.also_read)
            .chain(python)
            .collect();
        let outputs = placement.outputs.iter().map(|placed| placed.shown.as_path());
        let text = depfile::render(outputs, inputs.into_iter().map(PathBuf::as_path));
        let Some(text) = text else {
            return Err(CommandFailure::usage("a path with a line end can be in no depfile"));
        };
        write(path, base, &text)?;
    }
    Ok(())
}

fn touch(place: &Path, now: std::time::SystemTime) -> std::io::Result<()> {
    std::fs::File::options().write(true).open(place)?.set_modified(now)
}

fn write(path: &Path, base: &Base, bytes: &[u8]) -> Result<(), CommandFailure> {
    let place = base.resolve(path)?;
    let written = match place.parent() {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    };
    written.and_then(|()| std::fs::write(place, bytes)).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> CommandFailure {
    CommandFailure::failure(format!("could not write `{}`: {error}", path.display()))
}
