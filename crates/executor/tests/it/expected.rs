//! Only expected outputs are written, whoever made them.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use bytekiln_action::{ActionResult, Digest, Outcome};
use bytekiln_cache::{MemoryStore, ResultEntry, Store};
use bytekiln_executor::{Event, Expected, JobEnd, Order, Report, Unplaced, Work, execute};
use expect_test::expect;

use crate::project::{Project, ends, imaginary_compiler, options, run};
use crate::scripted::Scripted;

fn expecting(work: &Work, expected: &[Expected], store: &dyn Store) -> (Report, Vec<String>) {
    let events = Mutex::new(Vec::new());
    let subscriber = |event: &Event<'_>| events.lock().unwrap().push(format!("{event:?}"));
    let (engine, cancel) = (Scripted::default(), AtomicBool::new(false));
    let report = execute(&Order {
        work,
        expected,
        unplaced: Unplaced::Digest,
        sources: None,
        engine: &engine,
        store: Some(store),
        remote: None,
        elsewhere: None,
        options: &options(),
        events: &subscriber,
        cancel: &cancel,
    });
    (report, events.into_inner().unwrap())
}

fn outputs(report: &Report) -> Vec<Digest> {
    let digest = |end: &JobEnd| match end {
        JobEnd::Compiled { output, .. } | JobEnd::Cached { output, .. } => Some(*output),
        JobEnd::Rejected { .. } | JobEnd::Failed(_) => None,
    };
    report.ends.iter().filter_map(digest).collect()
}

#[test]
fn another_output_than_the_expected_is_not_written_and_not_kept() {
    let (project, store) = (
        Project::new(&[("a.py", "fine"), ("b.py", "reject"), ("c.py", "other")]),
        MemoryStore::new(),
    );
    let work = project.work(&imaginary_compiler());
    let other = Expected::Output(Digest { hash: [0; 32], size: 1 });
    let (report, _) = expecting(&work, &[other, Expected::Nothing, Expected::Nothing], &store);
    let said = ends(&work, &report);
    assert_eq!(said.matches("UnexpectedOutput { expected: Some(0000").count(), 1, "{said}");
    assert_eq!(said.matches("UnexpectedOutput { expected: None").count(), 1, "{said}");
    assert!(said.contains("b.py: rejected, "), "{said}");
    assert_eq!(project.made(), []);
    let keys: Vec<_> = work.jobs.iter().map(|job| job.action.digest()).collect();
    let known = store.get_results(&keys).unwrap();
    assert_eq!(known.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_store_that_lies_is_not_believed() {
    let (first, store) =
        (Project::new(&[("a.py", "fine"), ("b.py", "fine too")]), MemoryStore::new());
    let work = first.work(&imaginary_compiler());
    let (report, _) = run(&work, &Scripted::default(), Some(&store), &options());
    let right = outputs(&report);
    // The results of the two sources, exchanged; a whole, valid cache each.
    let lie = |job: usize, output| ResultEntry {
        action: work.jobs[job].action.digest(),
        result: ActionResult {
            outcome: Outcome::Compiled { output },
            warnings: Vec::new(),
            compile_micros: 1,
        },
    };
    store.update_results(&[lie(0, right[1]), lie(1, right[0])]).unwrap();
    let second = Project::new(&[("a.py", "fine"), ("b.py", "fine too")]);
    let expected: Vec<Expected> = right.iter().copied().map(Expected::Output).collect();
    let work = second.work(&imaginary_compiler());
    let (report, events) = expecting(&work, &expected, &store);
    expect![[r#"
        a.py: compiled
        b.py: compiled
    "#]]
    .assert_eq(&ends(&work, &report));
    assert_eq!(outputs(&report), right);
    let discarded = events.iter().filter(|event| event.starts_with("EntryDiscarded")).count();
    assert_eq!(discarded, 2, "{events:#?}");
    assert_eq!(second.made(), first.made());
    // And it was set right.
    let (report, _) = expecting(&work, &expected, &store);
    assert!(ends(&work, &report).starts_with("a.py: cached (Output)\n"), "{report:?}");
}
