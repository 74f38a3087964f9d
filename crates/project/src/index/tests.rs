//! State files: what is written comes back, and damage is noticed wherever it is.

use std::sync::Arc;

use bytekiln_action::{CompileFlags, Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_planner::{OutputPath, Problem, Record, Recorded, RootId, Severity, Slot};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use proptest::prelude::*;

use super::{
    FileIndex, IndexEntry, IndexedKind, Records, SettledFolder, SettledState, SettledSummary,
    StateFile, StateWriter, StoredRecord, Watch, check, lock_state, read_state, write_state,
};
use crate::scan::Stamp;
use crate::{CheckDepth, Date};

#[test]
fn a_body_in_parts_is_the_same_file_as_a_body_at_once() {
    let kind = StateFile { magic: *b"bktest\0\0", version: 3, what: "the test" };
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for length in [0, 1, 31, 32, 33, 1 << 18, (1 << 18) + 5, 1_000_003] {
        let body: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
        write_state(&whole, kind, &body).unwrap();
        for size in [7, 70_001, 300_000] {
            let mut out = StateWriter::create(&parts, kind).unwrap();
            for part in body.chunks(size) {
                out.write(part).unwrap();
            }
            assert_eq!(out.length(), u64::from(length));
            out.finish().unwrap();
            assert_eq!(std::fs::read(&parts).unwrap(), std::fs::read(&whole).unwrap());
        }
        assert_eq!(read_state(&parts, kind).unwrap().unwrap(), body);
    }
    drop(StateWriter::create(&parts, kind).unwrap());
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["parts", "whole"]);
}

fn stamp() -> impl Strategy<Value = Stamp> {
    let numbers = (any::<u64>(), any::<i64>(), any::<i64>(), any::<u64>(), any::<u32>());
    numbers.prop_map(|(size, mtime, ctime, inode, mode)| Stamp { size, mtime, ctime, inode, mode })
}

fn index() -> impl Strategy<Value = FileIndex> {
    let entry = (stamp(), any::<bool>(), any::<[u8; 32]>(), any::<u64>());
    let name = proptest::collection::vec(1_u8..=255, 1..12)
        .prop_filter_map("no path", |bytes| RepoPath::new(&bytes));
    proptest::collection::btree_map(name, entry, 0..12).prop_map(|entries| FileIndex {
        entries: entries
            .into_iter()
            .map(|(path, (stamp, is_source, hash, size))| IndexEntry {
                path,
                stamp,
                kind: if is_source { IndexedKind::Source } else { IndexedKind::Other },
                digest: Digest { hash, size },
            })
            .collect(),
    })
}

proptest! {
    #[test]
    fn an_index_round_trips(index in index()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index.write(&path).unwrap();
        prop_assert_eq!(FileIndex::read(&path).unwrap(), index);
    }
}

/// Changes every byte of the file, and cuts it at every length: `read` must notice each time.
fn damage_everywhere(bytes: &[u8], mut read: impl FnMut(&[u8]) -> bool) {
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= change;
            assert!(!read(&damaged), "byte {at} changed by {change:#x} was not noticed");
        }
        assert!(!read(&bytes[..at]), "cut at {at} was not noticed");
    }
    assert!(read(bytes));
}

#[test]
fn damage_of_the_index_is_noticed_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let entry = |name: &[u8]| IndexEntry {
        path: RepoPath::new(name).unwrap(),
        stamp: Stamp { size: 1, mtime: 2, ctime: 3, inode: 4, mode: 5 },
        kind: IndexedKind::Source,
        digest: Digest::of(name),
    };
    let index = FileIndex { entries: vec![entry(b"a.py"), entry(b"b/c.py")] };
    index.write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    damage_everywhere(&bytes, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        match FileIndex::read(&path) {
            Ok(read) => {
                assert_eq!(read, index);
                true
            }
            Err(_) => false,
        }
    });
    // Another version is ignored with a word of it, not an error.
    std::fs::write(&path, "something else").unwrap();
    let problem = FileIndex::<bytekiln_action::Digest>::read(&path).unwrap_err().problem();
    assert_eq!(problem.severity, Severity::Warning);
    assert!(problem.message.ends_with("is ignored: it is damaged, or of another version"));
}

fn records() -> Records {
    let toolchain = Toolchain {
        release: Release::from_minor(13).unwrap(),
        implementation: "cpython".to_owned(),
        version: "3.13.0".to_owned(),
        build: "main".to_owned(),
        cache_tag: "cpython-313".to_owned(),
        platform: "linux".to_owned(),
        free_threaded: true,
        debug: false,
    };
    let path = |name: &[u8]| RepoPath::new(name).unwrap();
    let record = |slot, result, stamp| StoredRecord {
        record: Record {
            slot,
            source: path(b"a.py"),
            content: Digest::of(b"A"),
            recorded_path: RecordedPath::from_file_system(b"caf\xe9.py"),
            toolchain_digest: toolchain.digest(),
            toolchain: Arc::new(toolchain.clone()),
            level: OptimizationLevel::Two,
            mode: InvalidationMode::UncheckedHash,
            flags: CompileFlags { debug_ranges: false },
            canonical_form: 7,
            result,
            warnings: 3,
        },
        stamp,
    };
    let output = |root, name| Slot::Output(OutputPath { root: RootId(root), path: path(name) });
    Records {
        roots: vec!["".into(), "/elsewhere".into()],
        records: vec![
            record(
                output(0, b"__pycache__/a.cpython-313.pyc"),
                Recorded::Written(Digest::of(b"B")),
                Some(Stamp { size: 9, mtime: 8, ctime: 7, inode: 6, mode: 5 }),
            ),
            record(output(1, b"a.pyc"), Recorded::Rejected, None),
            record(
                Slot::Check(path(b"tool"), "cpython-313".to_owned(), OptimizationLevel::One),
                Recorded::Checked,
                None,
            ),
        ],
    }
}

#[test]
fn records_come_back_and_damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.records");
    records().write(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    damage_everywhere(&bytes, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        Records::read(&path).is_ok_and(|read| {
            assert_eq!(read, records());
            true
        })
    });
}

#[test]
fn damage_of_the_settled_state_never_settles() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir(root.join("pkg")).unwrap();
    std::fs::write(root.join("pkg/a.py"), "A = 1").unwrap();
    let at = |path: &str| Stamp::of(&rustix::fs::stat(root.join(path)).unwrap());
    let day = |day| Date { year: 2026, month: 11, day };
    let state = SettledState {
        request: [1; 32],
        invocation: Some([2; 32]),
        days: (day(1), day(22)),
        summary: SettledSummary {
            sources: 1,
            targets: 1,
            warnings: 0,
            problems: vec![Problem {
                severity: Severity::Warning,
                path: Some(RepoPath::new(b"pkg/a.py").unwrap()),
                message: "odd".to_owned(),
                hint: None,
            }],
        },
        watches: vec![Watch::take(root.join("absent"))],
        folders: vec![SettledFolder {
            path: b"pkg".to_vec(),
            stamp: at("pkg"),
            cache: None,
            files: vec![(b"a.py".to_vec(), at("pkg/a.py"))],
            outputs: vec![(b"a.py".to_vec(), at("pkg/a.py"))],
        }],
    };
    let path = root.join("dev.settled");
    state.write(&path).unwrap();
    let threads = std::num::NonZeroUsize::MIN;
    let check = |today, depth| check(&path, root, day(today), depth, threads, |_| true);
    assert_eq!(check(22, CheckDepth::Folders), Some(state.summary.clone()));
    assert_eq!(check(22, CheckDepth::Outputs), Some(state.summary.clone()));
    assert_eq!(check(23, CheckDepth::Folders), None);
    assert_eq!(check(22, CheckDepth::Load), None);
    let bytes = std::fs::read(&path).unwrap();
    damage_everywhere(&bytes, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        check(22, CheckDepth::Folders).is_some()
    });
    std::fs::write(root.join("absent"), "").unwrap();
    assert_eq!(check(22, CheckDepth::Folders), None);
}

#[test]
fn the_lock_is_waited_for_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let held = lock_state(&state, &mut |_| panic!("nobody else has it")).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            lock_state(&state, &mut |path| sender.send(path.to_owned()).unwrap()).map(drop)
        });
        assert_eq!(receiver.recv().unwrap(), state.join("lock"));
        drop(held);
        waiting.join().unwrap().unwrap();
    });
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = lock_state(&folder.path().join("file"), &mut |_| {}).unwrap_err();
    assert!(error.to_string().starts_with("state cannot be kept in `"), "{error}");
}
