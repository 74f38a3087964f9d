//! Files of results that are not what they were: what is whole is found, nothing panics, nothing
//! fails, and something is said.

use std::fs;
use std::path::{Path, PathBuf};

use bytekiln_cache::{DiskOptions, DiskStore, GcOptions, ResultEntry, Store, StoreWarning};
use bytekiln_test_support::Scratch;
use bytekiln_test_support::store_conformance::{action, rejected};
use expect_test::expect;
use proptest::prelude::*;

use crate::open;

const COUNT: u64 = 100;

fn keep_results(root: &Path) {
    let entry =
        |number: u64| ResultEntry { action: action(number), result: rejected(&number.to_string()) };
    for numbers in [0..COUNT / 2, COUNT / 2..COUNT] {
        open(root).update_results(&numbers.map(entry).collect::<Vec<_>>()).unwrap();
    }
}

fn files(root: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root.join("results-1")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(suffix));
    paths.sort();
    paths
}

/// How many results are found, all of them right, and what is said.
fn ask(root: &Path) -> (usize, Vec<StoreWarning>) {
    let store = open(root);
    let keys: Vec<_> = (0..COUNT).map(action).collect();
    let mut count = 0;
    for (found, number) in store.get_results(&keys).unwrap().into_iter().zip(0..COUNT) {
        if let Some(found) = found {
            assert_eq!(found, rejected(&number.to_string()));
            count += 1;
        }
    }
    (count, store.take_warnings())
}

/// Flips a bit, and cuts if asked. Gives where the bit was.
fn damage(path: &Path, cut: Option<usize>, at: usize, bit: u8) -> usize {
    let mut bytes = fs::read(path).unwrap();
    let length = bytes.len();
    bytes[at % length] ^= 1 << bit;
    bytes.truncate(cut.map_or(length, |cut| cut % length));
    fs::write(path, bytes).unwrap();
    at % length
}

/// Bytes before the first record.
const HEADER: usize = 16;

/// Any place, but the header as often as the rest.
fn place() -> impl Strategy<Value = usize> {
    prop_oneof![0..HEADER, any::<usize>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_damaged_journal(at in place(), bit in 0_u8..8, cut in any::<Option<usize>>()) {
        let scratch = Scratch::new();
        keep_results(scratch.path());
        let at = damage(&files(scratch.path(), ".journal")[0], cut, at, bit);
        let (found, _) = ask(scratch.path());
        prop_assert!(found >= 50, "the other journal was lost, too: {}", found);
        if cut.is_none() {
            prop_assert_eq!(found, if at < HEADER { 50 } else { 99 });
        }
        // Merging leaves the damage behind, unless it looks like the work of another version.
        open(scratch.path()).gc(&GcOptions::default()).unwrap();
        let (after, warnings) = ask(scratch.path());
        prop_assert_eq!(after, found);
        prop_assert_eq!(warnings.len(), files(scratch.path(), ".journal").len());
        prop_assert!(at < HEADER || warnings.is_empty());
    }

    #[test]
    fn a_damaged_table(at in place(), bit in 0_u8..8, cut in any::<Option<usize>>()) {
        let scratch = Scratch::new();
        keep_results(scratch.path());
        open(scratch.path()).gc(&GcOptions::default()).unwrap();
        prop_assert_eq!(files(scratch.path(), ".journal").len(), 0);
        prop_assert_eq!(ask(scratch.path()), (100, vec![]));
        let at = damage(&files(scratch.path(), "table")[0], cut, at, bit);
        let (found, warnings) = ask(scratch.path());
        prop_assert_eq!(warnings.len(), 1);
        if cut.is_none() {
            prop_assert!(if at < HEADER { found == 0 } else { found >= 99 }, "{}", found);
        }
        keep_results(scratch.path());
        prop_assert_eq!(ask(scratch.path()).0, 100);
    }
}

#[test]
fn results_of_a_newer_version_are_left_alone() {
    let scratch = Scratch::new();
    keep_results(scratch.path());
    let journal = &files(scratch.path(), ".journal")[0];
    let mut bytes = fs::read(journal).unwrap();
    bytes[8] = 2;
    fs::write(journal, &bytes).unwrap();
    let (found, warnings) = ask(scratch.path());
    assert_eq!(found, 50);
    let messages: Vec<_> = warnings.iter().map(|warning| &*warning.message).collect();
    expect!["skipped results in an unknown format"].assert_eq(&messages.join("\n"));
    open(scratch.path()).gc(&GcOptions::default()).unwrap();
    assert_eq!(fs::read(journal).unwrap(), bytes);
    assert_eq!(files(scratch.path(), ".journal").len(), 1);
}

#[test]
fn many_journals_are_merged_by_the_first_question() {
    let scratch = Scratch::new();
    keep_results(scratch.path());
    let options = DiskOptions { merge_journals: 2, ..DiskOptions::default() };
    let store = DiskStore::open(scratch.path(), options).unwrap();
    assert_eq!(files(scratch.path(), ".journal").len(), 2);
    assert!(store.get_results(&[action(COUNT - 1)]).unwrap()[0].is_some());
    assert_eq!(files(scratch.path(), ".journal").len(), 0);
    assert_eq!(ask(scratch.path()), (100, vec![]));
}

#[test]
fn a_merge_that_fails_loses_nothing() {
    let scratch = Scratch::new();
    keep_results(scratch.path());
    // A folder that is not empty cannot be replaced by a table.
    fs::create_dir_all(scratch.join("results-1/table/file")).unwrap();
    assert!(open(scratch.path()).gc(&GcOptions::default()).is_err());
    assert_eq!(files(scratch.path(), ".journal").len(), 2);
    let (found, warnings) = ask(scratch.path());
    assert_eq!((found, warnings.len()), (100, 1));
    // Not even left-overs.
    let left = fs::read_dir(scratch.join("results-1")).unwrap();
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with(".tmp-")));
}

#[test]
fn others_see_results_at_once_and_keep_seeing_them_when_they_are_merged() {
    let scratch = Scratch::new();
    let entry = |number: u64| ResultEntry { action: action(number), result: rejected("no") };
    let (writer, early) = (open(scratch.path()), open(scratch.path()));
    for number in 0..5 {
        assert_eq!(early.get_results(&[action(number)]).unwrap(), [None]);
        writer.update_results(&[entry(number)]).unwrap();
        assert!(early.get_results(&[action(number)]).unwrap()[0].is_some());
    }
    let all: Vec<_> = (0..6).map(action).collect();
    let count = |store: &DiskStore| store.get_results(&all).unwrap().iter().flatten().count();
    // The writer lives: its journal is not merged.
    open(scratch.path()).gc(&GcOptions::default()).unwrap();
    assert_eq!(files(scratch.path(), ".journal").len(), 1);
    drop(writer);
    open(scratch.path()).gc(&GcOptions::default()).unwrap();
    assert_eq!(files(scratch.path(), ".journal").len(), 0);
    assert_eq!((count(&early), count(&open(scratch.path()))), (5, 5));
    open(scratch.path()).update_results(&[entry(5)]).unwrap();
    assert_eq!(count(&early), 6);
}
