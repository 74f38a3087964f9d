//! Stores that know, forget, lie and fail.

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome};
use bytekiln_cache::{Blob, DiskOptions, DiskStore, MemoryStore, ResultEntry, Store, StoreError};
use bytekiln_executor::{JobEnd, Work};
use bytekiln_test_support::Scratch;
use expect_test::expect;

use crate::project::{Project, ends, imaginary_compiler, options, run};
use crate::scripted::Scripted;

fn project() -> (Project, Work) {
    let project = Project::new(&[
        ("a.py", "fine"),
        ("b.py", "reject"),
        ("c.py", "fine too"),
        ("d.py", "exhaust"),
    ]);
    let work = project.work(&imaginary_compiler());
    (project, work)
}

#[test]
fn results_come_back_from_every_store() {
    let cache = Scratch::new();
    let disk = DiskStore::open(&cache.join("cache"), DiskOptions::default()).unwrap();
    let memory = MemoryStore::new();
    for store in [&disk as &dyn Store, &memory] {
        let (first, work) = project();
        run(&work, &Scripted::default(), Some(store), &options());
        let (second, mut work) = project();
        work.jobs[2].output = None;
        let engine = Scripted::default();
        let (report, events) = run(&work, &engine, Some(store), &options());
        expect![[r#"
            a.py: cached (Store)
            b.py: rejected (cached), ? SyntaxError: no | ?
            c.py: cached (Store)
            d.py: OutOfResources("MemoryError: ")
        "#]]
        .assert_eq(&ends(&work, &report));
        assert_eq!(engine.opened(), 1, "for the one that is not cached");
        assert!(events.contains(&"LookedUp { hits: 3, misses: 1 }".to_owned()), "{events:#?}");
        assert_eq!(second.made(), first.made()[..1]);
        let (report, _) = run(&work, &engine, Some(store), &options());
        assert!(ends(&work, &report).starts_with("a.py: cached (Output)\n"), "{report:?}");
    }
}

#[test]
fn broken_entries_are_misses() {
    let store = MemoryStore::new();
    let (_first, work) = project();
    // A result without its blob, and one whose blob is no cache of this source.
    let lost = ActionResult {
        outcome: Outcome::Compiled { output: Digest::of(b"nowhere") },
        warnings: Vec::new(),
        compile_micros: 1,
    };
    let wrong = Blob::of(b"wrong".as_slice());
    store.write_blobs(std::slice::from_ref(&wrong)).unwrap();
    let lying =
        ActionResult { outcome: Outcome::Compiled { output: wrong.digest }, ..lost.clone() };
    let entry = |job: usize, result| ResultEntry { action: work.jobs[job].action.digest(), result };
    store.update_results(&[entry(0, lost), entry(2, lying)]).unwrap();
    let (report, events) = run(&work, &Scripted::default(), Some(&store), &options());
    expect![[r#"
        a.py: compiled
        b.py: rejected, ? SyntaxError: no | ?
        c.py: compiled
        d.py: OutOfResources("MemoryError: ")
    "#]]
    .assert_eq(&ends(&work, &report));
    let discarded = events.iter().filter(|event| event.starts_with("EntryDiscarded")).count();
    assert_eq!(discarded, 1, "{events:#?}");
    // What was compiled has replaced both.
    let (_second, work) = project();
    let (report, _) = run(&work, &Scripted::default(), Some(&store), &options());
    assert!(
        matches!(report.ends[0], JobEnd::Cached { .. })
            && matches!(report.ends[2], JobEnd::Cached { .. })
    );
}

#[test]
fn a_digest_without_a_blob_answers_only_those_who_ask() {
    let store = MemoryStore::new();
    let (project, mut work) = project();
    let output = Digest::of(b"known");
    let known = ActionResult {
        outcome: Outcome::Digested { output },
        warnings: Vec::new(),
        compile_micros: 1,
    };
    let entry =
        |job: usize| ResultEntry { action: work.jobs[job].action.digest(), result: known.clone() };
    store.update_results(&[entry(0), entry(2)]).unwrap();
    work.jobs[2].output = None;
    let (report, _) = run(&work, &Scripted::default(), Some(&store), &options());
    expect![[r#"
        a.py: compiled
        b.py: rejected, ? SyntaxError: no | ?
        c.py: cached (Store)
        d.py: OutOfResources("MemoryError: ")
    "#]]
    .assert_eq(&ends(&work, &report));
    assert_eq!(project.made().len(), 1);
}

#[test]
fn a_broken_object_on_disk_is_a_miss() {
    let cache = Scratch::new();
    let store = DiskStore::open(&cache.join("cache"), DiskOptions::default()).unwrap();
    let (first, work) = project();
    run(&work, &Scripted::default(), Some(&store), &options());
    let good = first.made();
    // Truncating the output in place truncates the object that it is linked to.
    std::fs::write(first.root().join(&good[0].0), "short").unwrap();
    let (second, work) = project();
    let (report, _) = run(&work, &Scripted::default(), Some(&store), &options());
    assert!(ends(&work, &report).starts_with("a.py: compiled\n"), "{report:?}");
    assert_eq!(second.made(), good);
}

/// Fails in everything that is asked of it.
pub(crate) struct Broken;

impl Broken {
    fn fail<T>() -> Result<T, StoreError> {
        let source = std::io::Error::other("it is on fire");
        Err(StoreError { operation: "do that".to_owned(), path: None, source })
    }
}

impl Store for Broken {
    fn describe(&self) -> String {
        "broken store".to_owned()
    }
    fn find_missing(&self, _: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        Broken::fail()
    }
    fn read_blobs(&self, _: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        Broken::fail()
    }
    fn write_blobs(&self, _: &[Blob]) -> Result<(), StoreError> {
        Broken::fail()
    }
    fn get_results(&self, _: &[ActionDigest]) -> Result<Vec<Option<ActionResult>>, StoreError> {
        Broken::fail()
    }
    fn update_results(&self, _: &[ResultEntry]) -> Result<(), StoreError> {
        Broken::fail()
    }
}

#[test]
fn a_stores_failure_is_never_a_builds() {
    let (project, work) = project();
    let (report, events) = run(&work, &Scripted::default(), Some(&Broken), &options());
    assert!(matches!(report.ends[0], JobEnd::Compiled { .. }));
    assert_eq!(project.made().len(), 2);
    let trouble: Vec<_> = events.iter().filter(|event| event.starts_with("StoreTrouble")).collect();
    expect![[r#"
        [
            "StoreTrouble { message: \"broken store: could not do that: it is on fire\" }",
        ]
    "#]]
    .assert_debug_eq(&trouble);
}
