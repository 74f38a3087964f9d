//! What the store knows already: looks up, and restores outputs from results. Knows nothing of
//! compilers.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytekiln_action::{ActionDigest, ActionResult, Diagnostic, Digest, Outcome};
use bytekiln_cache::{Blob, LocalObject};
use bytekiln_planner::OutputPath;

use crate::execution::Execution;
use crate::outputs::{Content, LastFolder};
use crate::queue::Task;
use crate::record::{Kept, Origin};
use crate::result::{check_header, check_pyc};
use crate::{CacheOrigin, Event, Failure, Job, JobEnd, Unplaced};

/// Actions asked for at once: another machine may have the results of many under one key, if it is
/// asked for all of them.
const LOOK_UP_BATCH: usize = 8192;
/// Outputs restored by one thread before it looks for more.
const RESTORE_BATCH: usize = 64;
/// The same where another machine is asked…
const REMOTE_BATCH: usize = 1024;
/// …but no more bytes than travel in one message: what has come is hashed, looked at and written while
/// the processor still has it at hand.
const REMOTE_BYTES: u64 = 7 << 19;

/// A task with what is known of it.
pub(crate) struct Known {
    pub(crate) task: Task,
    result: ActionResult,
    origin: Origin,
}

/// What the stores say of one action.
type Answer = Option<(ActionResult, Origin)>;

/// The work's jobs by action: equal actions are one task.
pub(crate) fn tasks(execution: &Execution<'_>) -> Vec<Task> {
    let mut by_digest: HashMap<ActionDigest, usize> = HashMap::new();
    let mut tasks: Vec<Task> = Vec::new();
    for (index, job) in execution.work.jobs.iter().enumerate() {
        let digest = job.action.digest();
        let place = *by_digest.entry(digest).or_insert(tasks.len());
        match tasks.get_mut(place) {
            Some(task) => task.jobs.push(index),
            None => tasks.push(Task {
                digest,
                jobs: vec![index],
                size: job.action.source.size,
                losses: 0,
            }),
        }
    }
    tasks
}

/// Asks for all tasks; gives the known and the unknown ones, both in their order.
pub(crate) fn look_up(execution: &Execution<'_>, tasks: Vec<Task>) -> (Vec<Known>, Vec<Task>) {
    let answers: Mutex<Vec<(usize, Vec<Answer>)>> = Mutex::default();
    in_parallel(execution.options.jobs.get(), tasks.len(), LOOK_UP_BATCH, |start, end| {
        let batch = tasks.get(start..end).unwrap_or_default();
        let digests: Vec<ActionDigest> = batch.iter().map(|task| task.digest).collect();
        let known = if execution.interrupted() {
            vec![None; digests.len()]
        } else {
            execution.recorder.known(&digests)
        };
        answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((start, known));
    });
    let mut answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    answers.sort_by_key(|(start, _)| *start);
    let answers = answers.into_iter().flat_map(|(_, known)| known);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (task, answer) in tasks.into_iter().zip(answers) {
        match answer {
            Some((result, origin))
                if is_enough(execution, &task, &result)
                    && is_expected(execution, &task, &result) =>
            {
                known.push(Known { task, result, origin });
            }
            Some(_) | None => unknown.push(task),
        }
    }
    (known, unknown)
}

/// A digest without a blob answers those who only ask; who wants a file, or the bytes, needs more.
fn is_enough(execution: &Execution<'_>, task: &Task, result: &ActionResult) -> bool {
    let wants_bytes = |index: &usize| {
        execution.unplaced == Unplaced::Blob
            || execution.job(*index).is_some_and(|job| job.output.is_some())
    };
    !matches!(result.outcome, Outcome::Digested { .. }) || !task.jobs.iter().any(wants_bytes)
}

/// Whether no job of the task forbids this result; a store may have been tampered with.
fn is_expected(execution: &Execution<'_>, task: &Task, result: &ActionResult) -> bool {
    let found = match &result.outcome {
        Outcome::Compiled { output } | Outcome::Digested { output } => Some(*output),
        Outcome::Rejected { .. } => None,
    };
    if task.jobs.iter().all(|index| execution.allows(*index, found)) {
        return true;
    }
    let message = match found {
        Some(found) => format!("it names the output {found}, which is not the expected one"),
        None => "it says that the source is rejected, but an output is expected".to_owned(),
    };
    (execution.events)(&Event::EntryDiscarded { job: task.leader(), message });
    false
}

/// Ends what is known, and gives back the tasks whose output the store has lost.
pub(crate) fn restore(execution: &Execution<'_>, known: &[Known]) -> Vec<Task> {
    let lost: Mutex<Vec<Task>> = Mutex::default();
    let jobs = execution.options.jobs.get();
    // Whoever waits for another machine should ask it for much, and leaves the processor to others.
    let (threads, batches) = match execution.recorder.remote().answers() {
        true => (jobs + 2, batches(known, REMOTE_BATCH, REMOTE_BYTES)),
        false => (jobs, batches(known, RESTORE_BATCH, u64::MAX)),
    };
    in_parallel(threads, batches.len(), 1, |batch, _| {
        let mut last = LastFolder::default();
        let mut without_file = Vec::new();
        for known in batches.get(batch).copied().unwrap_or_default() {
            if execution.stopped() {
                return;
            }
            without_file.extend(restore_one(execution, &mut last, known));
        }
        let missing = restore_from_bytes(execution, &mut last, without_file);
        lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(missing);
    });
    lost.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Cuts into pieces of at most so many outputs, and of so many bytes if one alone has no more.
fn batches(known: &[Known], most: usize, bytes: u64) -> Vec<&[Known]> {
    let (mut batches, mut rest) = (Vec::new(), known);
    while !rest.is_empty() {
        let mut sum = 0_u64;
        let fits = |known: &&Known| {
            if let Outcome::Compiled { output } | Outcome::Digested { output } =
                &known.result.outcome
            {
                sum = sum.saturating_add(output.size);
            }
            sum <= bytes
        };
        let count = rest.iter().take(most).take_while(fits).count().max(1);
        let (batch, after) = rest.split_at(count);
        batches.push(batch);
        rest = after;
    }
    batches
}

/// A task that needs its output's bytes from the store.
struct Needed<'a> {
    task: Task,
    digest: Digest,
    result: &'a ActionResult,
    origin: Origin,
}

/// Ends all jobs of a task that need no bytes, or can get them from a file of the store. Gives
/// back the rest: all of them where the result is of another machine, because the codec has to see
/// what it names, wherever that lies.
fn restore_one<'a>(
    execution: &Execution<'_>,
    last: &mut LastFolder,
    known: &'a Known,
) -> Option<Needed<'a>> {
    let Known { task, result, origin } = known;
    let (warnings, origin) = (&result.warnings, *origin);
    let digest = match &result.outcome {
        Outcome::Rejected { error } => {
            for index in &task.jobs {
                let (error, warnings) = (error.clone(), warnings.clone());
                execution.end(*index, None, JobEnd::Rejected { error, warnings, cached: true });
            }
            return None;
        }
        Outcome::Compiled { output } | Outcome::Digested { output } => *output,
    };
    let mut waiting = Vec::new();
    for index in &task.jobs {
        let Some(job) = execution.job(*index) else { continue };
        let from = match &job.output {
            None if execution.unplaced == Unplaced::Digest => store_origin(origin),
            Some(output)
                if origin == Origin::Here && execution.outputs.holds(last, output, &digest) =>
            {
                CacheOrigin::Output
            }
            None | Some(_) => {
                waiting.push(*index);
                continue;
            }
        };
        execution.end(*index, None, cached(from, digest, warnings));
    }
    let first = execution.job(*waiting.first()?)?;
    let task = Task { digest: task.digest, jobs: waiting, size: task.size, losses: 0 };
    let object = match origin {
        Origin::Here => execution.recorder.object(&digest),
        Origin::Elsewhere => None,
    };
    if let Some(object) = object.filter(|object| is_usable(execution, &task, first, object)) {
        let evicted = |index: &usize| {
            let content = Content::File(&object.path);
            !place(execution, last, *index, content, digest, warnings, CacheOrigin::Store)
        };
        let jobs: Vec<usize> = task.jobs.iter().copied().filter(evicted).collect();
        if jobs.is_empty() {
            return None;
        }
        return Some(Needed { task: Task { jobs, ..task }, digest, result, origin });
    }
    Some(Needed { task, digest, result, origin })
}

fn restore_from_bytes(
    execution: &Execution<'_>,
    last: &mut LastFolder,
    needed: Vec<Needed<'_>>,
) -> Vec<Task> {
    if needed.is_empty() {
        return Vec::new();
    }
    let digests: Vec<Digest> = needed.iter().map(|needed| needed.digest).collect();
    let mut lost = Vec::new();
    let mut written = BTreeSet::new();
    for (needed, found) in needed.into_iter().zip(execution.recorder.bytes(&digests)) {
        let found = found.filter(|(blob, _)| is_valid(execution, &needed.task, blob));
        let Some((blob, whence)) = found else {
            lost.push(needed.task);
            continue;
        };
        let is_foreign = needed.origin == Origin::Elsewhere || whence == Origin::Elsewhere;
        let origin = if is_foreign { Origin::Elsewhere } else { Origin::Here };
        // Now that it is known to be good, the store may have it, too.
        let is_missing = whence == Origin::Elsewhere && written.insert(needed.digest);
        let kept = is_foreign.then(|| match is_missing {
            true => execution.recorder.keep_missing(&blob),
            false => execution.recorder.keep(&blob),
        });
        let content = match &kept {
            Some((Kept::InFile(object), _)) => Content::Both(&object.path, &blob.bytes),
            Some((Kept::InMemory, _)) | None => Content::Bytes(&blob.bytes),
        };
        for index in &needed.task.jobs {
            let (digest, warnings) = (needed.digest, &needed.result.warnings);
            let output = execution.job(*index).and_then(|job| job.output.as_ref());
            if output.is_some_and(|output| execution.outputs.holds(last, output, &digest)) {
                execution.end(*index, None, cached(CacheOrigin::Output, digest, warnings));
                continue;
            }
            let from = store_origin(origin);
            place(execution, last, *index, content, digest, warnings, from);
        }
        if kept.is_some_and(|(_, recordable)| recordable) {
            execution.recorder.record(needed.task.digest, needed.result.clone());
        }
    }
    lost
}

fn store_origin(origin: Origin) -> CacheOrigin {
    match origin {
        Origin::Here => CacheOrigin::Store,
        Origin::Elsewhere => CacheOrigin::Remote,
    }
}

/// A file of a store on this machine: its digest was checked just now, and it was recorded after
/// the codec had seen it.
fn is_usable(execution: &Execution<'_>, task: &Task, job: &Job, object: &LocalObject) -> bool {
    let mut beginning = [0; 16];
    let header = match File::open(&object.path).and_then(|mut file| file.read_exact(&mut beginning))
    {
        Ok(()) => check_header(&job.action, &beginning),
        Err(error) => Err(format!("could not read `{}`: {error}", object.path.display())),
    };
    keep_or_discard(execution, task, header)
}

/// Bytes from elsewhere: the codec has to see them before anything else does.
fn is_valid(execution: &Execution<'_>, task: &Task, blob: &Blob) -> bool {
    let Some(job) = execution.job(task.leader()) else { return false };
    // If the source cannot be read now, the compilation that follows will say so.
    let Ok(hash) = execution.source_hash_of(task.leader(), job) else { return false };
    keep_or_discard(execution, task, check_pyc(&job.action, hash, &blob.bytes))
}

fn keep_or_discard(execution: &Execution<'_>, task: &Task, checked: Result<(), String>) -> bool {
    match checked {
        Ok(()) => true,
        Err(message) => {
            (execution.events)(&Event::EntryDiscarded { job: task.leader(), message });
            false
        }
    }
}

/// Ends a job, unless the store's file has gone meanwhile: another process may evict it.
fn place(
    execution: &Execution<'_>,
    last: &mut LastFolder,
    index: usize,
    content: Content<'_>,
    digest: Digest,
    warnings: &[Diagnostic],
    origin: CacheOrigin,
) -> bool {
    let output: Option<&OutputPath> = execution.job(index).and_then(|job| job.output.as_ref());
    let Some(output) = output else {
        execution.end(index, None, cached(origin, digest, warnings));
        return true;
    };
    let end = match execution.outputs.place(last, output, content) {
        Ok(()) => cached(origin, digest, warnings),
        Err(error) => {
            if let Content::File(file) = content
                && error.is_about(file)
            {
                return false;
            }
            JobEnd::Failed(Failure::OutputUnwritable(error.to_string()))
        }
    };
    execution.end(index, None, end);
    true
}

fn cached(origin: CacheOrigin, output: Digest, warnings: &[Diagnostic]) -> JobEnd {
    JobEnd::Cached { origin, output, warnings: warnings.to_vec() }
}

/// Calls `work` for all batches of `count`, on so many threads as there are batches for.
fn in_parallel(threads: usize, count: usize, batch: usize, work: impl Fn(usize, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let run = || loop {
        let start = next.fetch_add(batch, Ordering::Relaxed);
        if start >= count {
            return;
        }
        work(start, (start + batch).min(count));
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count.div_ceil(batch)) {
            scope.spawn(run);
        }
        run();
    });
}
