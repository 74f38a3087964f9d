//! The pool's logic, with an engine that does what the sources say.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytekiln_action::{CompileFlags, Diagnostic, DiagnosticKind};
use bytekiln_executor::{
    Compiler, Engine, EngineChain, EngineError, Event, Failure, JobEnd, Options, Order, Reply,
    Request, Session, SessionLost, Unplaced, Verdict, execute,
};
use expect_test::{Expect, expect};

use crate::project::{Project, ends, imaginary_compiler, options, run};

/// What CPython 3.11 makes of an empty `m.py`.
pub(crate) const EMPTY_MODULE: &[u8] = b"\x63\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xf3\x06\x00\x00\x00\x97\x00\x64\x00\x53\x00\x29\x01\x4e\xa9\x00\x72\x01\x00\x00\x00\xf3\x00\x00\x00\x00\xfa\x04\x6d\x2e\x70\x79\xfa\x08\x3c\x6d\x6f\x64\x75\x6c\x65\x3e\x72\x04\x00\x00\x00\x01\x00\x00\x00\x73\x0f\x00\x00\x00\xf0\x03\x01\x01\x01\xf0\x00\x01\x01\x01\xf0\x00\x01\x01\x01\x72\x02\x00\x00\x00";

/// Does to each request what the source says.
#[derive(Default)]
pub(crate) struct Scripted {
    /// Sources seen before, for those that fail once.
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    opened: AtomicUsize,
    /// Cannot be opened any more after so many times.
    limit: Option<usize>,
    /// Answers the newest request first.
    reverse: bool,
}

impl Scripted {
    /// How many sessions were opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// How often something was compiled.
    pub(crate) fn compiled(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

impl Engine for Scripted {
    fn open(&self, _: &Compiler, _: CompileFlags) -> Result<Box<dyn Session>, EngineError> {
        if self.opened.fetch_add(1, Ordering::Relaxed) >= self.limit.unwrap_or(usize::MAX) {
            return Err(EngineError { message: "no more of these".to_owned() });
        }
        let (seen, reverse) = (Arc::clone(&self.seen), self.reverse);
        Ok(Box::new(ScriptedSession { seen, reverse, asked: VecDeque::new() }))
    }
}

struct ScriptedSession {
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    reverse: bool,
    asked: VecDeque<Request>,
}

impl Session for ScriptedSession {
    fn ready(&mut self, _: Duration) -> Result<bool, EngineError> {
        Ok(true)
    }

    fn submit(&mut self, request: Request) -> Result<(), SessionLost> {
        self.asked.push_back(request);
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> Result<Option<Reply>, SessionLost> {
        let next = if self.reverse { self.asked.pop_back() } else { self.asked.pop_front() };
        let Some(request) = next else { return Ok(None) };
        let mut source = request.source.to_vec();
        let seen = {
            let mut seen = self.seen.lock().unwrap();
            let known = seen.contains(&source);
            seen.push(source.clone());
            known
        };
        if source.ends_with(b" once") {
            source.truncate(source.len() - 5);
            if seen {
                source.clear();
            }
        }
        let verdict = match source.as_slice() {
            b"crash" => return Err(SessionLost { reason: "it crashed".to_owned() }),
            b"hang" => {
                self.asked.push_front(request);
                std::thread::sleep(wait);
                return Ok(None);
            }
            b"stranger" => {
                let (verdict, warnings) = (Verdict::Refused, Vec::new());
                return Ok(Some(Reply { id: 99_999, verdict, warnings, compile: Duration::ZERO }));
            }
            b"refuse" => Verdict::Refused,
            b"garbage" => Verdict::Compiled { payload: b"no code object".to_vec() },
            b"exhaust" => Verdict::OutOfResources { message: "MemoryError: ".to_owned() },
            b"reject" => Verdict::Rejected {
                error: Diagnostic {
                    kind: DiagnosticKind::Error,
                    category: "SyntaxError".to_owned(),
                    message: "no".to_owned(),
                    start: None,
                    end: None,
                    line_text: None,
                },
            },
            _ => Verdict::Compiled { payload: EMPTY_MODULE.to_vec() },
        };
        let compile = Duration::from_millis(1);
        Ok(Some(Reply { id: request.id, verdict, warnings: Vec::new(), compile }))
    }
}

#[track_caller]
fn check(
    engine: &dyn Engine,
    files: &[(&str, &str)],
    options: &Options,
    expect: &Expect,
) -> Vec<String> {
    let project = Project::new(files);
    let work = project.work(&imaginary_compiler());
    let (report, events) = run(&work, engine, None, options);
    expect.assert_eq(&ends(&work, &report));
    for (path, bytes) in project.made() {
        assert!(bytes.ends_with(b"\0") && bytes.len() > 60, "{path:?} is no whole cache");
        assert!(path.extension().is_some_and(|suffix| suffix == "pyc"), "{path:?} was left");
    }
    events
}

#[test]
fn every_verdict_has_its_end_and_harms_no_other() {
    let files = [
        ("a.py", "fine"),
        ("b.py", "crash"),
        ("c.py", "crash once"),
        ("d.py", "refuse"),
        ("e.py", "garbage"),
        ("f.py", "exhaust"),
        ("g.py", "reject"),
        ("h.py", "stranger once"),
        ("i.py", "also fine"),
    ];
    let engine = Scripted::default();
    let events = check(
        &engine,
        &files,
        &options(),
        &expect![[r#"
            a.py: compiled
            b.py: WorkerDied("it crashed")
            c.py: compiled
            d.py: CompilerUnusable("no engine compiles such a source")
            e.py: InvalidResult("unknown type byte 0x6e at byte 1 of the marshal payload")
            f.py: OutOfResources("MemoryError: ")
            g.py: rejected, ? SyntaxError: no | ?
            h.py: compiled
            i.py: compiled
        "#]],
    );
    let lost = events.iter().filter(|event| event.starts_with("WorkerLost")).count();
    assert_eq!(lost, 4, "{events:#?}");
    assert_eq!(engine.opened(), 5);
}

#[test]
fn replies_in_any_order() {
    let engine = Scripted { reverse: true, ..Scripted::default() };
    let files: Vec<(String, String)> =
        (0..40).map(|number| (format!("m{number:02}.py"), format!("source {number}"))).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    let project = Project::new(&files);
    let work = project.work(&imaginary_compiler());
    let (report, events) = run(&work, &engine, None, &options());
    assert!(report.ends.iter().all(|end| matches!(end, JobEnd::Compiled { .. })));
    assert_eq!(project.made().len(), 40);
    let started = events.iter().filter(|event| event.starts_with("JobStarted")).count();
    assert_eq!(started, 40);
}

#[test]
fn a_hung_worker_is_replaced_and_its_file_named() {
    let quick = Options { timeout: Duration::from_millis(100), ..options() };
    check(
        &Scripted::default(),
        &[("a.py", "hang"), ("b.py", "hang once"), ("c.py", "fine")],
        &quick,
        &expect![[r#"
            a.py: TimedOut(100ms)
            b.py: compiled
            c.py: compiled
        "#]],
    );
}

#[test]
fn the_next_engine_takes_what_the_first_refuses() {
    let (first, second) =
        (Scripted::default(), Scripted { seen: Arc::default(), ..Scripted::default() });
    let chain = EngineChain::new(vec![&first, &second]);
    check(
        &chain,
        &[("a.py", "fine"), ("b.py", "refuse once"), ("c.py", "refuse"), ("d.py", "reject")],
        &options(),
        &expect![[r#"
            a.py: compiled
            b.py: CompilerUnusable("no engine compiles such a source")
            c.py: CompilerUnusable("no engine compiles such a source")
            d.py: rejected, ? SyntaxError: no | ?
        "#]],
    );
    let seen = Arc::clone(&first.seen);
    let (first, second) = (
        Scripted { seen: Arc::clone(&seen), ..Scripted::default() },
        Scripted { seen, ..Scripted::default() },
    );
    let chain = EngineChain::new(vec![&first, &second]);
    check(
        &chain,
        &[("b.py", "refuse this once")],
        &options(),
        &expect![[r#"
            b.py: compiled
        "#]],
    );
}

#[test]
fn workers_that_cannot_be_started() {
    let engine = Scripted { limit: Some(0), ..Scripted::default() };
    check(
        &engine,
        &[("a.py", "fine"), ("b.py", "fine too")],
        &options(),
        &expect![[r#"
            a.py: CompilerUnusable("no more of these")
            b.py: CompilerUnusable("no more of these")
        "#]],
    );
    assert_eq!(engine.opened(), 1, "not tried for every file");
}

#[test]
fn a_compiler_that_always_dies_is_given_up() {
    let files: Vec<String> = (0..100).map(|number| format!("m{number:02}.py")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|name| (name.as_str(), "crash")).collect();
    let project = Project::new(&files);
    let mut work = project.work(&imaginary_compiler());
    // Equal actions would be one: give each a path of its own.
    for (number, job) in work.jobs.iter_mut().enumerate() {
        job.action.recorded_path =
            bytekiln_action::RecordedPath::from_file_system(format!("{number}").as_bytes());
    }
    let engine = Scripted::default();
    let one = Options { jobs: NonZeroUsize::MIN, ..options() };
    let (report, _) = run(&work, &engine, None, &one);
    let died = |end: &&JobEnd| matches!(end, JobEnd::Failed(Failure::WorkerDied(_)));
    let unusable = |end: &&JobEnd| matches!(end, JobEnd::Failed(Failure::CompilerUnusable(_)));
    assert_eq!(report.ends.iter().filter(died).count(), 8);
    assert_eq!(report.ends.iter().filter(unusable).count(), 92);
    assert_eq!(engine.opened(), 16);
}

#[test]
fn equal_actions_are_compiled_once() {
    let project = Project::new(&[("a.py", "same"), ("b.py", "same"), ("c.py", "same")]);
    let mut work = project.work(&imaginary_compiler());
    let path = work.jobs[0].action.recorded_path.clone();
    for job in &mut work.jobs {
        job.action.recorded_path = path.clone();
    }
    // The one that would stand for all has gone: another one does.
    std::fs::remove_file(project.path(b"a.py")).unwrap();
    let engine = Scripted::default();
    let (report, _) = run(&work, &engine, None, &options());
    assert!(matches!(&report.ends[0], JobEnd::Failed(Failure::SourceUnreadable(_))), "{report:?}");
    assert!(matches!(&report.ends[1..], [JobEnd::Compiled { .. }, JobEnd::Compiled { .. }]));
    assert_eq!(engine.seen.lock().unwrap().len(), 1);
    assert_eq!(project.made().len(), 2);
}

#[test]
fn sources_that_changed_are_refused() {
    let project = Project::new(&[("a.py", "one"), ("b.py", "two"), ("c.py", "three")]);
    let work = project.work(&imaginary_compiler());
    std::fs::write(project.path(b"a.py"), "oNe").unwrap();
    std::fs::write(project.path(b"b.py"), "longer than before").unwrap();
    std::fs::remove_file(project.path(b"c.py")).unwrap();
    std::fs::create_dir(project.path(b"c.py")).unwrap();
    let (report, _) = run(&work, &Scripted::default(), None, &options());
    expect![[r#"
        a.py: SourceChanged
        b.py: SourceChanged
        c.py: SourceChanged
    "#]]
    .assert_eq(&ends(&work, &report));
    assert!(project.made().is_empty());
}

#[test]
fn the_first_failure_stops_if_asked_to() {
    let files: Vec<(String, &str)> = (0..50)
        .map(|number| (format!("m{number:02}.py"), if number == 0 { "reject" } else { "fine" }))
        .collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    let project = Project::new(&files);
    let work = project.work(&imaginary_compiler());
    let stop = Options { keep_going: false, ..options() };
    let (report, _) = run(&work, &Scripted::default(), None, &stop);
    let not_tried = |end: &&JobEnd| matches!(end, JobEnd::Failed(Failure::NotTried));
    assert!(report.ends.iter().filter(not_tried).count() > 40, "{report:?}");
    assert!(!report.interrupted);
}

#[test]
fn an_interruption_is_noticed_at_once() {
    let project = Project::new(&[("a.py", "hang"), ("b.py", "hang too once"), ("c.py", "hang")]);
    let work = project.work(&imaginary_compiler());
    let cancel = AtomicBool::new(false);
    let interrupted = AtomicUsize::new(0);
    let subscriber = |event: &Event<'_>| {
        if matches!(event, Event::Interrupted) {
            interrupted.fetch_add(1, Ordering::Relaxed);
        }
    };
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            cancel.store(true, Ordering::Relaxed);
        });
        let began = Instant::now();
        let engine = Scripted::default();
        let report = execute(&Order {
            work: &work,
            expected: &[],
            unplaced: Unplaced::Digest,
            sources: None,
            engine: &engine,
            store: None,
            remote: None,
            elsewhere: None,
            options: &options(),
            events: &subscriber,
            cancel: &cancel,
        });
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        report
    });
    assert!(report.interrupted);
    assert_eq!(interrupted.into_inner(), 1);
    assert!(matches!(report.ends[0], JobEnd::Failed(Failure::NotTried)), "{report:?}");
}
