//! A store on another machine: what it knows is used, what it claims is checked, and what it does
//! not do is nobody's loss.

use bytekiln_action::{ActionResult, Digest, Outcome};
use bytekiln_cache::{Blob, MemoryStore, ResultEntry, Store};
use bytekiln_executor::Work;
use expect_test::expect;

use crate::project::{Project, ends, imaginary_compiler, options, run_with_remote};
use crate::scripted::Scripted;
use crate::stores::Broken;

fn project() -> (Project, Work) {
    let project = Project::new(&[("a.py", "fine"), ("b.py", "reject"), ("c.py", "fine too")]);
    let work = project.work(&imaginary_compiler());
    (project, work)
}

fn entry(work: &Work, job: usize, output: Digest) -> ResultEntry {
    let outcome = Outcome::Compiled { output };
    let result = ActionResult { outcome, warnings: Vec::new(), compile_micros: 1 };
    ResultEntry { action: work.jobs[job].action.digest(), result }
}

#[test]
fn what_one_compiles_another_does_not() {
    let remote = MemoryStore::new();
    let here = MemoryStore::new();
    let (first, work) = project();
    let (_, events) =
        run_with_remote(&work, &Scripted::default(), Some(&here), Some(&remote), &options());
    let uploaded = "Uploaded { results: 3, missed: 0, said: false }".to_owned();
    assert!(events.contains(&uploaded), "{events:#?}");

    // With a store of its own, and without any.
    let there = MemoryStore::new();
    for store in [Some(&there as &dyn Store), None] {
        let (second, work) = project();
        let engine = Scripted::default();
        let (report, events) = run_with_remote(&work, &engine, store, Some(&remote), &options());
        expect![[r#"
            a.py: cached (Remote)
            b.py: rejected (cached), ? SyntaxError: no | ?
            c.py: cached (Remote)
        "#]]
        .assert_eq(&ends(&work, &report));
        assert_eq!((engine.opened(), second.made()), (0, first.made()));
        assert!(!events.iter().any(|event| event.starts_with("Uploaded")), "{events:#?}");
    }

    // Outputs are kept here from then on; a rejection, which nobody can check, is asked for again.
    let (_third, work) = project();
    let (report, _) = run_with_remote(&work, &Scripted::default(), Some(&there), None, &options());
    expect![[r#"
        a.py: cached (Store)
        b.py: rejected, ? SyntaxError: no | ?
        c.py: cached (Store)
    "#]]
    .assert_eq(&ends(&work, &report));
}

#[test]
fn what_is_uploaded_later_comes_from_the_store_of_this_machine() {
    let scratch = bytekiln_test_support::Scratch::new();
    let disk = bytekiln_cache::DiskStore::open(&scratch.join("cache"), Default::default()).unwrap();
    let remote = MemoryStore::new();
    let (_project, work) = project();
    run_with_remote(&work, &Scripted::default(), Some(&disk), Some(&remote), &options());
    let (second, work) = project();
    let (report, _) = run_with_remote(&work, &Scripted::default(), None, Some(&remote), &options());
    assert!(ends(&work, &report).starts_with("a.py: cached (Remote)\n"), "{report:?}");
    assert_eq!(second.made().len(), 2);
}

#[test]
fn no_claim_is_believed() {
    let remote = MemoryStore::new();
    let here = MemoryStore::new();
    let (first, work) = project();
    run_with_remote(&work, &Scripted::default(), Some(&here), None, &options());
    let good = first.made();
    // Of a.py: bytes that are no cache, under their own true digest. Of c.py: the good output of
    // a.py, which lies in the store of this machine.
    let wrong = Blob::of(b"wrong".as_slice());
    let other = Blob::of(good[0].1.to_vec());
    remote.write_blobs(&[wrong.clone(), other.clone()]).unwrap();
    remote.update_results(&[entry(&work, 0, wrong.digest), entry(&work, 2, other.digest)]).unwrap();
    let there = MemoryStore::new();
    there.write_blobs(std::slice::from_ref(&other)).unwrap();
    // Whatever stands in the output's place is no witness, either.
    let (second, work) = project();
    let place = second.path(good[0].0.to_str().unwrap().as_bytes());
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, b"wrong").unwrap();
    let (report, events) =
        run_with_remote(&work, &Scripted::default(), Some(&there), Some(&remote), &options());
    expect![[r#"
        a.py: compiled
        b.py: rejected, ? SyntaxError: no | ?
        c.py: compiled
    "#]]
    .assert_eq(&ends(&work, &report));
    let discarded = events.iter().filter(|event| event.starts_with("EntryDiscarded")).count();
    assert_eq!((discarded, second.made()), (2, good), "{events:#?}");
    assert_eq!(there.find_missing(&[wrong.digest]).unwrap(), [wrong.digest]);
    // And the other machine knows better now.
    let (_third, work) = project();
    let (report, _) = run_with_remote(&work, &Scripted::default(), None, Some(&remote), &options());
    assert!(ends(&work, &report).starts_with("a.py: cached (Remote)\n"), "{report:?}");
}

#[test]
fn a_remote_that_fails_is_complained_of_once() {
    let (project, work) = project();
    let here = MemoryStore::new();
    let (report, events) =
        run_with_remote(&work, &Scripted::default(), Some(&here), Some(&Broken), &options());
    assert!(ends(&work, &report).starts_with("a.py: compiled\n"), "{report:?}");
    assert_eq!(project.made().len(), 2);
    let said = |start| events.iter().filter(|event| event.starts_with(start)).collect::<Vec<_>>();
    expect![[r#"
        [
            "StoreTrouble { message: \"broken store: could not do that: it is on fire\" }",
        ]
    "#]]
    .assert_debug_eq(&said("StoreTrouble"));
    assert_eq!(said("Uploaded"), ["Uploaded { results: 0, missed: 3, said: true }"]);
    // The store of this machine is as good as ever.
    let (report, _) = run_with_remote(&work, &Scripted::default(), Some(&here), None, &options());
    assert!(ends(&work, &report).contains("a.py: cached"), "{report:?}");
}
