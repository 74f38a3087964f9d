//! What every store must do, whatever it is made of. Knows only the trait.
//!
//! ```text
//! bytekiln_test_support::store_conformance::check(&|| Box::new(MemoryStore::new()));
//! ```

use bytekiln_action::{
    ActionDigest, ActionResult, Diagnostic, DiagnosticKind, Digest, Outcome, Position,
};
use bytekiln_cache::{Blob, ResultEntry, Store, StoreError};

/// A blob of these bytes with its digest.
pub fn blob(bytes: &[u8]) -> Blob {
    Blob::of(bytes.to_vec())
}

/// An action digest that depends on the number only.
pub fn action(number: u64) -> ActionDigest {
    ActionDigest(Digest::of(&number.to_le_bytes()).hash)
}

/// The result of an action that compiled to this blob.
pub fn compiled(output: Digest) -> ActionResult {
    ActionResult { outcome: Outcome::Compiled { output }, warnings: Vec::new(), compile_micros: 9 }
}

/// The result of an action whose source was rejected, with every field in use.
pub fn rejected(message: &str) -> ActionResult {
    let diagnostic = |kind, category: &str| Diagnostic {
        kind,
        category: category.to_owned(),
        message: message.to_owned(),
        start: Some(Position { line: 7, column: Some(3) }),
        end: Some(Position { line: 7, column: None }),
        line_text: Some("für = (".to_owned()),
    };
    ActionResult {
        outcome: Outcome::Rejected { error: diagnostic(DiagnosticKind::Error, "SyntaxError") },
        warnings: vec![diagnostic(DiagnosticKind::Warning, "SyntaxWarning")],
        compile_micros: u64::MAX,
    }
}

/// Runs the suite; each part on a new, empty store. Errors name what the store could not do.
///
/// # Panics
/// Where the store does not do what [`Store`] says.
pub fn check(new_store: &dyn Fn() -> Box<dyn Store>) {
    check_alone(new_store);
    run(new_store, threads_may_share_a_store);
}

/// As [`check`], for a server that may lose a result which two clients write at the same moment,
/// as buildbox-casd 1.4 does: a miss, and nothing worse.
///
/// # Panics
/// Where the store does not do what [`Store`] says.
pub fn check_server(new_store: &dyn Fn() -> Box<dyn Store>) {
    check_alone(new_store);
    run(new_store, threads_may_share_a_server);
}

fn check_alone(new_store: &dyn Fn() -> Box<dyn Store>) {
    let run = |part| run(new_store, part);
    run(an_empty_store_has_nothing);
    run(blobs_come_back);
    run(answers_are_in_the_order_of_the_question);
    run(wrong_bytes_are_refused);
    run(results_come_back);
    run(the_last_result_wins);
    run(local_objects_hold_the_bytes);
}

fn run(new_store: &dyn Fn() -> Box<dyn Store>, part: fn(&dyn Store) -> Result<(), StoreError>) {
    let store = new_store();
    if let Err(error) = part(&*store) {
        panic!("{}: {error}", store.describe());
    }
    assert_eq!(store.take_warnings(), [], "a sound store has nothing to warn of");
}

fn an_empty_store_has_nothing(store: &dyn Store) -> Result<(), StoreError> {
    let unknown = Digest::of(b"unknown");
    assert!(!store.describe().is_empty());
    assert_eq!(store.find_missing(&[unknown])?, [unknown]);
    assert!(store.read_blobs(&[unknown])?.iter().all(Option::is_none));
    assert_eq!(store.get_results(&[action(1)])?, [None]);
    assert!(store.local_object(&unknown)?.is_none());
    // Nothing asked, nothing answered.
    assert_eq!(store.find_missing(&[])?, []);
    assert!(store.read_blobs(&[])?.is_empty());
    assert!(store.get_results(&[])?.is_empty());
    store.write_blobs(&[])?;
    store.update_results(&[])
}

fn blobs_come_back(store: &dyn Store) -> Result<(), StoreError> {
    for bytes in [&b""[..], b"x", &[0xe3; 100_000]] {
        let blob = blob(bytes);
        store.write_blobs(&[blob.clone(), blob.clone()])?;
        store.write_blobs(std::slice::from_ref(&blob))?;
        assert_eq!(store.find_missing(&[blob.digest])?, []);
        expect_bytes(store, &blob)?;
    }
    Ok(())
}

fn expect_bytes(store: &dyn Store, blob: &Blob) -> Result<(), StoreError> {
    let found = store.read_blobs(&[blob.digest])?;
    let [Some(found)] = &found[..] else { panic!("`{}` is not there", blob.digest) };
    assert_eq!((found.digest, &found.bytes), (blob.digest, &blob.bytes));
    Ok(())
}

fn answers_are_in_the_order_of_the_question(store: &dyn Store) -> Result<(), StoreError> {
    let blobs: Vec<Blob> = (0..20_u8).map(|number| blob(&[number])).collect();
    let asked: Vec<Digest> = blobs.iter().rev().map(|blob| blob.digest).collect();
    let even: Vec<Blob> = blobs.iter().step_by(2).cloned().collect();
    store.write_blobs(&even)?;
    let found = store.read_blobs(&asked)?;
    assert_eq!(found.len(), asked.len());
    let mut missing = Vec::new();
    for (digest, found) in asked.iter().zip(found) {
        match found {
            Some(found) => assert_eq!(found.digest, *digest),
            None => missing.push(*digest),
        }
    }
    assert_eq!(missing.len(), 10);
    assert_eq!(store.find_missing(&asked)?, missing);

    let entry = |number| ResultEntry { action: action(number), result: compiled(even[0].digest) };
    store.update_results(&(0..200).step_by(2).map(entry).collect::<Vec<_>>())?;
    let order: Vec<u64> = (0..200).map(|number| number * 77 % 200).chain([4, 4, 5, 5]).collect();
    let keys: Vec<_> = order.iter().map(|number| action(*number)).collect();
    let there: Vec<bool> = store.get_results(&keys)?.iter().map(Option::is_some).collect();
    assert_eq!(there, order.iter().map(|number| number % 2 == 0).collect::<Vec<_>>());
    Ok(())
}

fn wrong_bytes_are_refused(store: &dyn Store) -> Result<(), StoreError> {
    let good = blob(b"good");
    let wrong = Blob::claimed(good.digest, &b"evil"[..]);
    assert!(store.write_blobs(std::slice::from_ref(&wrong)).is_err());
    assert!(store.write_local_object(&wrong).map_or(true, |object| object.is_none()));
    assert_eq!(store.find_missing(&[good.digest])?, [good.digest]);
    // A fault of the caller does no harm to the store.
    store.write_blobs(std::slice::from_ref(&good))?;
    expect_bytes(store, &good)
}

fn results_come_back(store: &dyn Store) -> Result<(), StoreError> {
    let output = blob(b"output");
    store.write_blobs(std::slice::from_ref(&output))?;
    let entries = [
        ResultEntry { action: action(1), result: compiled(output.digest) },
        ResultEntry { action: action(2), result: rejected("invalid syntax") },
        ResultEntry { action: action(3), result: rejected(&"long ".repeat(50_000)) },
    ];
    store.update_results(&entries)?;
    let found = store.get_results(&[action(3), action(9), action(1), action(2)])?;
    let [three, one, two] = [2, 0, 1].map(|at: usize| Some(entries[at].result.clone()));
    assert!(found == [three, None, one, two]);
    Ok(())
}

fn the_last_result_wins(store: &dyn Store) -> Result<(), StoreError> {
    for message in ["first", "second", "third"] {
        let entry = ResultEntry { action: action(1), result: rejected(message) };
        store.update_results(&[entry])?;
        assert_eq!(store.get_results(&[action(1)])?, [Some(rejected(message))]);
    }
    Ok(())
}

/// Stores without files pass, too: they give no object, and keep the blob or not as they like.
fn local_objects_hold_the_bytes(store: &dyn Store) -> Result<(), StoreError> {
    let written = blob(b"written at once");
    for _ in 0..2 {
        if let Some(object) = store.write_local_object(&written)? {
            assert_eq!(std::fs::read(&object.path).ok().as_deref(), Some(&*written.bytes));
            expect_bytes(store, &written)?;
            let again = store.local_object(&written.digest)?;
            assert_eq!(again.map(|again| again.path), Some(object.path));
        }
    }
    Ok(())
}

fn threads_may_share_a_store(store: &dyn Store) -> Result<(), StoreError> {
    share_among_threads(store, |found, result| assert_eq!(found, [Some(result)]))
}

fn threads_may_share_a_server(store: &dyn Store) -> Result<(), StoreError> {
    share_among_threads(store, |found, result| {
        assert!(found == [None] || found == [Some(result)], "{found:?}");
    })
}

fn share_among_threads(
    store: &dyn Store,
    check_result: fn(Vec<Option<ActionResult>>, ActionResult),
) -> Result<(), StoreError> {
    std::thread::scope(|scope| {
        let work = |thread: u64| {
            move || {
                for number in 0..30 {
                    // Every second key is everybody's, the others are one thread's.
                    let number = if number % 2 == 0 { number } else { number + 1000 * thread };
                    let blob = blob(&number.to_le_bytes());
                    store.write_blobs(std::slice::from_ref(&blob))?;
                    let result = compiled(blob.digest);
                    let action = action(number);
                    store.update_results(&[ResultEntry { action, result: result.clone() }])?;
                    expect_bytes(store, &blob)?;
                    check_result(store.get_results(&[action])?, result);
                }
                Ok(())
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(work(thread))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
