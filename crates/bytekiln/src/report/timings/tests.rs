//! The page's data against the events it was made of, and names that try to break out.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytekiln_action::{
    Action, CompileFlags, Diagnostic, DiagnosticKind, Digest, Position, RecordedPath, Toolchain,
};
use bytekiln_executor::{Compiler, Job};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use expect_test::expect;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn toolchain(minor: u8) -> Arc<Toolchain> {
    Arc::new(Toolchain {
        release: Release::from_minor(minor).unwrap(),
        implementation: "cpython".to_owned(),
        version: format!("3.{minor}.1"),
        build: String::new(),
        cache_tag: format!("cpython-3{minor}"),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    })
}

/// Each name compiled for 3.11, and for 3.12 with `-O`.
fn work(names: &[&[u8]]) -> Work {
    let compilers: Vec<Compiler> = [11, 12]
        .map(|minor| Compiler { toolchain: toolchain(minor), executable: "python".into() })
        .into();
    let jobs = names.iter().flat_map(|name| {
        compilers.iter().enumerate().map(|(compiler, it)| Job {
            source: RepoPath::new(name).unwrap(),
            action: Action {
                source: Digest::of(name),
                recorded_path: RecordedPath::from_file_system(name),
                toolchain: Arc::clone(&it.toolchain),
                toolchain_digest: it.toolchain.digest(),
                level: OptimizationLevel::from_u8(compiler as u8).unwrap(),
                mode: InvalidationMode::CheckedHash,
                flags: CompileFlags { debug_ranges: true },
                canonical_form: 1,
            },
            compiler,
            output: None,
        })
    });
    let jobs = jobs.collect();
    Work { roots: Vec::new(), compilers, jobs, removals: Vec::new() }
}

fn header(members: &[(&str, &str)]) -> TimingsHeader {
    let member = |(prefix, name): &(&str, &str)| {
        (RepoPath::new(prefix.as_bytes()).unwrap(), (*name).to_owned())
    };
    TimingsHeader {
        title: "release".to_owned(),
        wall: Duration::from_millis(100),
        jobs: NonZeroUsize::MIN.get(),
        members: members.iter().map(member).collect(),
        version: "1.2.3",
    }
}

/// What a browser finds in the data element.
fn embedded(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn ended(worker: Option<usize>, job: usize, end: &JobEnd, compile: u64) -> Event<'_> {
    Event::JobEnded { job, worker, end, compile: Duration::from_micros(compile) }
}

fn rejected() -> JobEnd {
    let error = Diagnostic {
        kind: DiagnosticKind::Error,
        category: "SyntaxError".to_owned(),
        message: "no </script> here".to_owned(),
        start: Some(Position { line: 3, column: None }),
        end: None,
        line_text: None,
    };
    JobEnd::Rejected { error, warnings: Vec::new(), cached: false }
}

fn compiled() -> JobEnd {
    JobEnd::Compiled {
        output: Digest::of(b""),
        warnings: Vec::new(),
        by: bytekiln_executor::CompiledBy::Worker,
    }
}

fn cached(origin: CacheOrigin) -> JobEnd {
    JobEnd::Cached { origin, output: Digest::of(b""), warnings: Vec::new() }
}

#[test]
fn the_data_are_the_events() {
    let work = work(&[b"libs/money/src/coin.py", b"libs/a.py", b"run.py"]);
    let recorder = TimingsRecorder::new();
    let event =
        |micros: u64, event: &Event<'_>| recorder.event(event, Duration::from_micros(micros));
    event(1_000, &Event::Started { jobs: 6, removals: 1 });
    event(1_100, &Event::Removed { removal: 0 });
    event(2_000, &Event::LookedUp { hits: 2, misses: 4 });
    event(2_100, &ended(None, 0, &cached(CacheOrigin::Store), 0));
    event(2_200, &ended(None, 1, &cached(CacheOrigin::Output), 0));
    let elapsed = Duration::from_millis(9);
    event(12_000, &Event::WorkerStarted { worker: 0, compiler: 1, elapsed });
    event(12_001, &Event::JobStarted { job: 2, worker: 0 });
    event(12_500, &Event::JobStarted { job: 3, worker: 0 });
    event(12_600, &ended(Some(0), 2, &compiled(), 450));
    let reason = "killed by signal 11".to_owned();
    event(13_000, &Event::WorkerLost { worker: 0, job: Some(3), reason, retry: true });
    event(22_000, &Event::WorkerStarted { worker: 1, compiler: 1, elapsed });
    event(22_001, &Event::JobStarted { job: 3, worker: 1 });
    event(23_000, &ended(Some(1), 3, &rejected(), 900));
    event(23_100, &ended(None, 4, &JobEnd::Failed(Failure::SourceChanged), 0));
    event(23_200, &ended(None, 5, &JobEnd::Failed(Failure::NotTried), 0));
    let members = [("", "root"), ("libs/money", "money"), ("libs/mon", "mon")];
    let data = embedded(&recorder.page(&work, &header(&members)));
    let lines: Vec<String> =
        data.as_object().unwrap().iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    expect![[r#"
        compilers: ["CPython 3.11.1","CPython 3.12.1"]
        counts: [1,1,1,1,1,1]
        files: [[0,"coin.py",1,22],[1,"a.py",0,9],[2,"run.py",0,6]]
        folders: ["libs/money/src","libs","."]
        hits: 2
        jobs: [[0,0,1,-1,-1,2100,0],[0,1,2,-1,-1,2200,0],[1,0,0,0,12001,12600,450],[1,1,3,1,22001,23000,900],[2,0,4,-1,-1,23100,0],[2,1,5,-1,-1,23200,0]]
        looked_up: 2000
        losses: [[0,13000,3,12500]]
        members: ["root","money","mon"]
        messages: [[13000,3,"worker 0 was lost: killed by signal 11; tried again"],[23000,3,"SyntaxError: line 3: no </script> here"],[23100,4,"changed while it was built; build again when the tree is still"]]
        misses: 4
        outcomes: ["compiled","from cache","unchanged","rejected","failed","not tried"]
        removed: 1
        started: 1000
        targets: ["CPython 3.11.1","CPython 3.12.1 -O"]
        title: "release"
        unsaid: 0
        version: "1.2.3"
        wall: 100000
        workers: [[0,1,12000,9000],[1,1,22000,9000]]
        workers_at_most: 1
    "#]].assert_eq(&lines.concat());
}

#[test]
fn names_stay_names() {
    let hostile: &[&[u8]] = &[
        b"a</script><script>alert(1)</script>.py",
        b"<!--<script>/\"'&amp;\\.py",
        b"{{data}}/{{script}}.py",
        b"caf\xe9/new\nline\x1b[0m.py",
        "\u{2028}\u{202e}.py".as_bytes(),
        b"</SCRIPT >/]]>.py",
    ];
    let work = work(hostile);
    let recorder = TimingsRecorder::new();
    recorder.event(&ended(Some(0), 0, &rejected(), 7), Duration::from_micros(9));
    let title = "</title><script>{{data}}".to_owned();
    let header = TimingsHeader { title: title.clone(), ..header(&[("", "<b>{{data}}")]) };
    let page = recorder.page(&work, &header);
    // One for the data, one for the code.
    assert_eq!(page.to_lowercase().matches("</script").count(), 2);
    assert_eq!(page.matches("<title>").count(), page.matches("</title>").count());
    assert!(!page.contains("<!--"));
    let data = embedded(&page);
    assert_eq!(data["title"], title);
    for (number, name) in hostile.iter().enumerate() {
        let (folder, file) = (&data["files"][number][0], &data["files"][number][1]);
        let folder = data["folders"][folder.as_u64().unwrap() as usize].as_str().unwrap();
        let path = RepoPath::parse_display(folder).unwrap();
        let file = RepoPath::parse_display(file.as_str().unwrap()).unwrap();
        assert_eq!(path.join(file.as_bytes()).as_bytes(), *name);
    }
}

#[test]
fn a_page_needs_nothing_else() {
    let page = TimingsRecorder::new().page(&work(&[]), &header(&[]));
    for sign in ["http:", "https:", "src=", "url(", "import ", "fetch(", "innerHTML", "{{", "}}\n<"]
    {
        assert!(!page.contains(sign), "{sign}");
    }
    assert_eq!(embedded(&page)["counts"], serde_json::json!([0, 0, 0, 0, 0, 0]));
}

#[test]
fn a_large_page_is_bounded() {
    let names: Vec<String> =
        (0..5_000).map(|n| format!("libs/member{}/package/module_{n}.py", n / 50)).collect();
    let names: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    let work = work(&names);
    let recorder = TimingsRecorder::new();
    for job in 0..work.jobs.len() {
        let at = Duration::from_micros(60_000_000 + job as u64);
        recorder.event(&Event::JobStarted { job, worker: 1 }, at);
        recorder.event(&ended(Some(1), job, &rejected(), 12_345), at + Duration::from_millis(13));
    }
    let header = header(&[("libs", "libs")]);
    let empty = TimingsRecorder::new().page(&self::work(&[]), &header).len();
    let page = recorder.page(&work, &header);
    assert!(page.len() - empty < 150 * work.jobs.len(), "{}", page.len());
    assert_eq!(embedded(&page)["unsaid"], work.jobs.len() - MESSAGES_AT_MOST);
}

proptest! {
    #[test]
    fn whatever_comes_is_counted_once(
        events in proptest::collection::vec((0..5_usize, 0..8_usize, 0..6_u8, any::<u64>()), 0..60),
    ) {
        let work = work(&[b"a.py", b"b.py", b"c/d.py"]);
        let recorder = TimingsRecorder::new();
        for (worker, job, kind, micros) in events {
            let at = Duration::from_micros(micros);
            match kind {
                0 => recorder.event(&Event::JobStarted { job, worker }, at),
                1 => recorder.event(&ended(Some(worker), job, &compiled(), micros), at),
                2 => recorder.event(&ended(None, job, &cached(CacheOrigin::Store), 0), at),
                3 => recorder.event(&ended(Some(worker), job, &rejected(), micros), at),
                4 => {
                    let reason = String::new();
                    let lost = Event::WorkerLost { worker, job: Some(job), reason, retry: false };
                    recorder.event(&lost, at);
                }
                _ => recorder.event(&Event::LookedUp { hits: job, misses: worker }, at),
            }
        }
        let data = embedded(&recorder.page(&work, &header(&[("c", "c")])));
        let counts: u64 = data["counts"].as_array().unwrap().iter().filter_map(Value::as_u64).sum();
        prop_assert_eq!(counts, 6);
        prop_assert_eq!(data["jobs"].as_array().unwrap().len(), 6);
        prop_assert_eq!(data["files"].as_array().unwrap().len(), 3);
    }
}
