//! What `stats` counts, and what `gc` and `clear` remove.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytekiln_action::{ActionResult, Digest, Outcome};
use bytekiln_cache::{DiskOptions, DiskStats, DiskStore, GcOptions, GcReport, ResultEntry, Store};
use bytekiln_test_support::Scratch;
use bytekiln_test_support::store_conformance::{action, blob, compiled, rejected};

use crate::open;

/// File systems stamp with the clock's tick, 10 ms at the coarsest.
fn tick() {
    std::thread::sleep(Duration::from_millis(25));
}

/// Four objects of 100 bytes, the first used least recently, with a result each.
fn four(root: &Path) -> Vec<Digest> {
    let store = open(root);
    let put = |number: u8| {
        let blob = blob(&[number; 100]);
        store.write_blobs(std::slice::from_ref(&blob)).unwrap();
        let result = compiled(blob.digest);
        store.update_results(&[ResultEntry { action: action(number.into()), result }]).unwrap();
        tick();
        blob.digest
    };
    (0..4).map(put).collect()
}

fn present(store: &DiskStore, digests: &[Digest]) -> Vec<usize> {
    let missing = store.find_missing(digests).unwrap();
    (0..digests.len()).filter(|at| !missing.contains(&digests[*at])).collect()
}

fn at_most(bytes: u64) -> GcOptions {
    GcOptions { max_bytes: Some(bytes), max_age: None }
}

#[test]
fn the_least_recently_used_go_first() {
    let scratch = Scratch::new();
    let digests = four(scratch.path());
    let options = DiskOptions { touch_after: Duration::ZERO, ..DiskOptions::default() };
    let store = DiskStore::open(scratch.path(), options).unwrap();
    // 0 is linked to an output, which is a use; 1 is read, which is one, too.
    let object = open(scratch.path()).local_object(&digests[0]).unwrap().unwrap();
    let written = fs::metadata(&object.path).unwrap().modified().unwrap();
    fs::hard_link(&object.path, scratch.join("output")).unwrap();
    tick();
    store.read_blobs(&[digests[1]]).unwrap();

    let report = store.gc(&at_most(400)).unwrap();
    assert_eq!((report.removed_objects, report.results_kept), (0, 4));
    let report = store.gc(&at_most(399)).unwrap();
    assert_eq!(
        report,
        GcReport {
            objects_before: 4,
            bytes_before: 400,
            removed_objects: 1,
            removed_bytes: 100,
            freed_bytes: 100,
            results_kept: 3,
            results_dropped: 1,
            removed_temporaries: 0,
        }
    );
    assert_eq!(present(&store, &digests), [0, 1, 3]);
    store.gc(&at_most(100)).unwrap();
    assert_eq!(present(&store, &digests), [1]);
    // The output has outlived its object, unchanged to those who watch its time stamp.
    assert_eq!(fs::read(scratch.join("output")).unwrap(), [0; 100]);
    assert_eq!(fs::metadata(scratch.join("output")).unwrap().modified().unwrap(), written);
    let found = store.get_results(&[0, 1, 2, 3].map(action)).unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
}

#[test]
fn a_use_is_marked_without_changing_the_modification_time() {
    let scratch = Scratch::new();
    let digest = four(scratch.path())[0];
    let marks = |touch_after| {
        let options = DiskOptions { touch_after, ..DiskOptions::default() };
        let store = DiskStore::open(scratch.path(), options).unwrap();
        let path = store.local_object(&digest).unwrap().unwrap().path;
        let metadata = fs::metadata(path).unwrap();
        (metadata.modified().unwrap(), (metadata.ctime(), metadata.ctime_nsec()))
    };
    let first = marks(Duration::from_secs(3600));
    assert_eq!(marks(Duration::from_secs(3600)), first, "used lately: nothing to mark");
    let second = marks(Duration::ZERO);
    assert_eq!(second.0, first.0);
    assert!(second.1 > first.1);
}

#[test]
fn what_is_too_old_goes() {
    let scratch = Scratch::new();
    let digests = four(scratch.path());
    let store = open(scratch.path());
    let rejection = ResultEntry { action: action(9), result: rejected("old") };
    store.update_results(&[rejection]).unwrap();
    drop(store);
    std::thread::sleep(Duration::from_millis(300));
    let store = open(scratch.path());
    let fresh = blob(b"fresh");
    store.write_blobs(std::slice::from_ref(&fresh)).unwrap();
    let keep = GcOptions { max_bytes: None, max_age: Some(Duration::from_secs(3600)) };
    assert_eq!(store.gc(&keep).unwrap().results_kept, 5);
    let drop_old = GcOptions { max_bytes: None, max_age: Some(Duration::from_millis(200)) };
    let report = store.gc(&drop_old).unwrap();
    assert_eq!((report.removed_objects, report.results_dropped, report.results_kept), (4, 5, 0));
    assert_eq!(present(&store, &digests), [0; 0]);
    assert_eq!(present(&store, &[fresh.digest]), [0]);
}

#[test]
fn a_digest_that_never_had_a_blob_stays_for_its_age() {
    let scratch = Scratch::new();
    let output = blob(b"never kept").digest;
    let digested = ResultEntry {
        action: action(9),
        result: ActionResult {
            outcome: Outcome::Digested { output },
            warnings: Vec::new(),
            compile_micros: 1,
        },
    };
    open(scratch.path()).update_results(std::slice::from_ref(&digested)).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let store = open(scratch.path());
    assert_eq!(store.gc(&at_most(0)).unwrap().results_kept, 1);
    assert_eq!(store.get_results(&[action(9)]).unwrap(), [Some(digested.result)]);
    let drop_old = GcOptions { max_bytes: None, max_age: Some(Duration::from_millis(20)) };
    assert_eq!(store.gc(&drop_old).unwrap().results_dropped, 1);
}

#[test]
fn stale_temporaries_go_and_strangers_stay() {
    let scratch = Scratch::new();
    let digests = four(scratch.path());
    let folder = scratch.join(&format!("objects/{}", &digests[0].to_hex()[..2]));
    let make = |name: &str, age: u64| {
        let file = fs::File::create(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age * 3600)).unwrap();
    };
    make(".tmp-old", 25);
    make(".tmp-young", 23);
    make("README", 1000);
    let store = open(scratch.path());
    assert_eq!(store.gc(&at_most(0)).unwrap().removed_temporaries, 1);
    assert!(!folder.join(".tmp-old").exists());
    assert!(folder.join(".tmp-young").exists());
    assert!(folder.join("README").exists());
}

#[test]
fn statistics() {
    let scratch = Scratch::new();
    let store = open(scratch.path());
    assert_eq!(store.stats().unwrap(), DiskStats::default());
    let digests = four(scratch.path());
    let object = store.local_object(&digests[2]).unwrap().unwrap();
    fs::hard_link(object.path, scratch.join("output")).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!(
        (stats.objects, stats.bytes, stats.shared_objects, stats.shared_bytes),
        (4, 400, 1, 100)
    );
    assert_eq!((stats.results, stats.journals), (4, 1));
    assert!(stats.result_bytes > 0);
    assert!(stats.oldest_use < stats.newest_use);
    store.gc(&GcOptions::default()).unwrap();
    let stats = store.stats().unwrap();
    assert_eq!((stats.results, stats.journals), (4, 0));
}

#[test]
fn clear_leaves_an_empty_cache_that_its_users_can_go_on_with() {
    let scratch = Scratch::new();
    let digests = four(scratch.path());
    let user = open(scratch.path());
    let entry = ResultEntry { action: action(7), result: rejected("again") };
    user.update_results(std::slice::from_ref(&entry)).unwrap();
    let report = open(scratch.path()).clear().unwrap();
    assert_eq!((report.removed_objects, report.results_dropped), (4, 5));
    let empty = open(scratch.path());
    assert_eq!(present(&empty, &digests), [0; 0]);
    assert_eq!(empty.stats().unwrap(), DiskStats::default());
    user.update_results(std::slice::from_ref(&entry)).unwrap();
    user.write_blobs(&[blob(b"new")]).unwrap();
    assert_eq!(open(scratch.path()).get_results(&[action(7)]).unwrap(), [Some(entry.result)]);
}

#[test]
fn nothing_is_removed_without_the_marker() {
    let scratch = Scratch::new();
    let digests = four(scratch.path());
    let store = open(scratch.path());
    fs::remove_file(scratch.join("bytekiln-cache")).unwrap();
    assert!(store.gc(&at_most(0)).is_err());
    assert!(store.clear().is_err());
    assert_eq!(present(&store, &digests), [0, 1, 2, 3]);
}

#[test]
fn builds_trim_of_their_own_accord_when_it_is_time() {
    let scratch = Scratch::new();
    four(scratch.path());
    let store = open(scratch.path());
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(store.gc_if_due(&at_most(100), day).unwrap(), None, "a new cache is only noted");
    assert_eq!(store.gc_if_due(&at_most(100), day).unwrap(), None, "a day has not passed");
    let note = fs::File::options().write(true).open(scratch.join("last-gc")).unwrap();
    note.set_modified(SystemTime::now() - 2 * day).unwrap();
    let report = store.gc_if_due(&at_most(100), day).unwrap();
    assert_eq!(report.map(|report| report.removed_objects), Some(3));
    assert_eq!(store.gc_if_due(&at_most(0), day).unwrap(), None, "and it is noted again");
}
