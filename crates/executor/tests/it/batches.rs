//! Compilers on other machines that lie, fail, come late and never come: what they leave is compiled
//! here, to the same bytes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytekiln_action::RecordedPath;
use bytekiln_codec::{CanonicalOptions, Limits, NanPolicy, assemble, canonicalize, source_hash};
use bytekiln_executor::{
    BatchCompiler, BatchError, BatchOptions, BatchReply, Compiler, Event, Failure, JobEnd, Order,
    Report, Request, Unplaced, Work, execute,
};
use bytekiln_python::{InvalidationMode, Release};

use crate::project::{Project, imaginary_compiler, options, run};
use crate::scripted::{EMPTY_MODULE, Scripted};

type Replies = Result<Vec<BatchReply>, BatchError>;

/// A batch that came, and the right replies to it.
struct Batch<'a> {
    /// How many came before.
    before: usize,
    requests: &'a [Request],
    replies: Vec<BatchReply>,
    interrupted: &'a (dyn Fn() -> bool + Sync),
}

/// Compiles as the scripted engine does, and then does to its replies what a test says.
struct ScriptedBatches<F> {
    change: F,
    calls: AtomicUsize,
}

impl<F: Fn(Batch<'_>) -> Replies + Sync> ScriptedBatches<F> {
    fn new(change: F) -> ScriptedBatches<F> {
        ScriptedBatches { change, calls: AtomicUsize::new(0) }
    }
}

impl<F: Fn(Batch<'_>) -> Replies + Sync> BatchCompiler for ScriptedBatches<F> {
    fn describe(&self) -> String {
        "the script".to_owned()
    }

    fn compile(
        &self,
        _: &Compiler,
        _: BatchOptions,
        requests: &[Request],
        interrupted: &(dyn Fn() -> bool + Sync),
    ) -> Replies {
        let reply = |request: &Request| BatchReply {
            id: request.id,
            pyc: pyc(11, UNCHECKED, &request.recorded_path, &request.source),
            warnings: Vec::new(),
            compile: Duration::ZERO,
        };
        let before = self.calls.fetch_add(1, Ordering::Relaxed);
        let replies = requests.iter().map(reply).collect();
        (self.change)(Batch { before, requests, replies, interrupted })
    }
}

const UNCHECKED: InvalidationMode = InvalidationMode::UncheckedHash;

/// What a compiler makes of a source, with the header of 3.`minor`.
fn pyc(minor: u8, mode: InvalidationMode, path: &RecordedPath, source: &[u8]) -> Vec<u8> {
    let release = Release::from_minor(11).unwrap();
    let recorded_path = path.as_bytes();
    let (limits, nans) = (Limits::default(), NanPolicy::Kept);
    let options = CanonicalOptions { release, recorded_path, limits, nans };
    let payload = canonicalize(EMPTY_MODULE, &options).unwrap();
    let hash = source_hash(release, source);
    assemble(Release::from_minor(minor).unwrap(), mode, hash, &payload)
}

fn project(count: usize) -> Project {
    let files: Vec<(String, String)> =
        (0..count).map(|number| (format!("m{number:03}.py"), format!("source {number}"))).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    Project::new(&files)
}

/// Executes with this compiler elsewhere; gives the trouble and interruptions that were told as well.
fn run_elsewhere(
    work: &Work,
    engine: &Scripted,
    elsewhere: &dyn BatchCompiler,
    cancel: &AtomicBool,
) -> (Report, Vec<String>) {
    let told = Mutex::new(Vec::new());
    let subscriber = |event: &Event<'_>| match event {
        Event::ExecutorTrouble { message } => told.lock().unwrap().push(message.clone()),
        Event::Interrupted => told.lock().unwrap().push("interrupted".to_owned()),
        _ => {}
    };
    let report = execute(&Order {
        work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine,
        store: None,
        remote: None,
        elsewhere: Some(elsewhere),
        options: &options(),
        events: &subscriber,
        cancel,
    });
    (report, told.into_inner().unwrap())
}

fn compiled(report: &Report) -> usize {
    report.ends.iter().filter(|end| matches!(end, JobEnd::Compiled { .. })).count()
}

/// 40 sources in two batches: all have the right bytes, so many were compiled here, and this was told.
#[track_caller]
fn check(
    name: &str,
    here: std::ops::RangeInclusive<usize>,
    trouble: Option<&str>,
    change: impl Fn(Batch<'_>) -> Replies + Sync,
) {
    let (alone, project) = (project(40), project(40));
    run(&alone.work(&imaginary_compiler()), &Scripted::default(), None, &options());
    let (work, engine) = (project.work(&imaginary_compiler()), Scripted::default());
    let batches = ScriptedBatches::new(change);
    let (report, told) = run_elsewhere(&work, &engine, &batches, &AtomicBool::new(false));
    assert_eq!(compiled(&report), 40, "{name}: {report:?}");
    assert!(project.made() == alone.made(), "{name}: other bytes");
    assert!(here.contains(&engine.compiled()), "{name}: {} compiled here", engine.compiled());
    assert_eq!(told.len(), usize::from(trouble.is_some()), "{name}: {told:?}");
    if let Some(expected) = trouble {
        let begins = told[0].starts_with("the script: ");
        assert!(begins && told[0].contains(expected), "{name}: expected `{expected}`: {told:?}");
    }
}

#[test]
fn what_is_right_is_used() {
    check("right", 0..=0, None, |batch| Ok(batch.replies));
}

/// One of the first batch is wrong: only that, and what was not begun, is compiled here.
#[test]
fn a_wrong_file_is_not_used() {
    type Change = fn(&mut [BatchReply]);
    let cases: [(&str, Change, &str); 7] = [
        ("another's", |replies| replies[3].pyc = replies[4].pyc.clone(), ""),
        ("cut", |replies| replies[3].pyc.truncate(60), ""),
        ("header only", |replies| replies[3].pyc.truncate(16), ""),
        ("empty", |replies| replies[3].pyc.clear(), ""),
        ("more", |replies| replies[3].pyc.push(0), ""),
        ("no cache", |replies| replies[3].pyc = vec![0xff; 1000], ""),
        (
            "of another's path",
            |replies| {
                replies[3].pyc.truncate(16);
                let other = replies[4].pyc[16..].to_vec();
                replies[3].pyc.extend(other);
            },
            "",
        ),
    ];
    for (name, change, expected) in cases {
        let expected = format!("` is not usable: {expected}");
        check(name, 1..=9, Some(&expected), |mut batch| {
            if batch.before == 0 {
                change(&mut batch.replies);
            }
            Ok(batch.replies)
        });
    }
}

/// All are of one wrong kind, as another compiler would make them.
#[test]
fn files_of_another_kind_are_not_used() {
    type Make = fn(&Request) -> Vec<u8>;
    let cases: [(&str, Make); 4] = [
        ("release", |request| pyc(12, UNCHECKED, &request.recorded_path, &request.source)),
        ("mode", |request| {
            pyc(11, InvalidationMode::CheckedHash, &request.recorded_path, &request.source)
        }),
        ("path", |request| {
            let other = RecordedPath::from_file_system(b"other.py");
            pyc(11, UNCHECKED, &other, &request.source)
        }),
        ("source", |request| pyc(11, UNCHECKED, &request.recorded_path, b"another")),
    ];
    for (name, make) in cases {
        check(name, 40..=40, Some("` is not usable: "), |mut batch| {
            for (reply, request) in batch.replies.iter_mut().zip(batch.requests) {
                reply.pyc = make(request);
            }
            Ok(batch.replies)
        });
    }
}

#[test]
fn what_was_not_compiled_is_compiled_here() {
    check("fewer", 20..=20, None, |mut batch| {
        batch.replies.retain(|reply| reply.id % 2 == 0);
        Ok(batch.replies)
    });
    check("nothing", 40..=40, None, |_| Ok(Vec::new()));
    check("strangers", 2..=2, None, |mut batch| {
        batch.replies[0].id = 99_999;
        Ok(batch.replies)
    });
    // The first one of each counts.
    check("twice", 0..=0, None, |mut batch| {
        let mut again = batch.replies.clone();
        again.iter_mut().for_each(|reply| reply.pyc.clear());
        batch.replies.extend(again);
        Ok(batch.replies)
    });
    let trouble = || Err(BatchError::Trouble("out of order".to_owned()));
    check("error", 40..=40, Some("out of order"), |_| trouble());
    check("nobody has interrupted", 40..=40, None, |_| Err(BatchError::Interrupted));
    // It may have begun before the other one was known to be of no use; what it has is right.
    check("late", 8..=40, Some("out of order"), |batch| {
        if batch.before == 0 {
            return trouble();
        }
        std::thread::sleep(Duration::from_millis(100));
        Ok(batch.replies)
    });
}

/// More batches than are under way at once: those that were not begun are not begun.
#[test]
fn trouble_is_told_once_and_ends_all() {
    let project = project(60);
    let mut work = project.work(&imaginary_compiler());
    work.compilers = vec![imaginary_compiler(); 60];
    for (number, job) in work.jobs.iter_mut().enumerate() {
        job.compiler = number;
    }
    let batches = ScriptedBatches::new(|_| {
        std::thread::sleep(Duration::from_millis(20));
        Err(BatchError::Trouble("out of order".to_owned()))
    });
    let engine = Scripted::default();
    let (report, told) = run_elsewhere(&work, &engine, &batches, &AtomicBool::new(false));
    assert_eq!((compiled(&report), engine.compiled()), (60, 60));
    assert_eq!(told, ["the script: out of order"]);
    assert!(batches.calls.into_inner() <= 16);
}

#[test]
fn sources_that_changed_are_not_sent() {
    let project = Project::new(&[("a.py", "same"), ("b.py", "same"), ("c.py", "other")]);
    let mut work = project.work(&imaginary_compiler());
    work.jobs[1].action.recorded_path = work.jobs[0].action.recorded_path.clone();
    // The first stands for the second, which is as it was.
    std::fs::write(project.path(b"a.py"), "sAme").unwrap();
    let (engine, batches) = (Scripted::default(), ScriptedBatches::new(|batch| Ok(batch.replies)));
    let (report, told) = run_elsewhere(&work, &engine, &batches, &AtomicBool::new(false));
    assert!(matches!(report.ends[0], JobEnd::Failed(Failure::SourceChanged)), "{report:?}");
    assert_eq!((compiled(&report), engine.compiled()), (2, 1));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn an_interruption_ends_what_is_out() {
    let project = project(40);
    let (work, engine) = (project.work(&imaginary_compiler()), Scripted::default());
    let batches = ScriptedBatches::new(|batch| {
        while !(batch.interrupted)() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(BatchError::Interrupted)
    });
    let cancel = AtomicBool::new(false);
    let (report, told) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.store(true, Ordering::Relaxed);
        });
        let began = Instant::now();
        let ended = run_elsewhere(&work, &engine, &batches, &cancel);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        ended
    });
    assert!(report.interrupted);
    assert_eq!(told, ["interrupted"]);
    let not_tried = |end: &JobEnd| matches!(end, JobEnd::Failed(Failure::NotTried));
    assert!(report.ends.iter().all(not_tried), "{report:?}");
    assert_eq!((engine.opened(), project.made().len()), (0, 0));
}
