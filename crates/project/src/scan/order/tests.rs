//! The order of a descent against that of a plain sort.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::scan::{FileKind, Stamp};

/// Beginnings of each other, with bytes on both sides of `/` behind them.
const NAMES: [&str; 11] =
    ["a", "a-", "a-b", "a.b", "a.py", "a0", "aa", "b", "b-.py", "b.py", "b0.py"];

/// Folders with the files and folders in them.
type Tree = BTreeMap<RepoPath, (BTreeSet<RepoPath>, BTreeSet<RepoPath>)>;

fn tree(paths: &[Vec<usize>]) -> Tree {
    let mut tree = Tree::from([(RepoPath::default(), Default::default())]);
    for path in paths {
        let mut folder = RepoPath::default();
        let Some((file, above)) = path.split_last() else { continue };
        for name in above {
            let path = folder.join(NAMES[*name].as_bytes());
            let (files, folders) = tree.get_mut(&folder).unwrap();
            // What is a file stays one.
            if files.contains(&path) {
                break;
            }
            folders.insert(path.clone());
            tree.entry(path.clone()).or_default();
            folder = path;
        }
        let path = folder.join(NAMES[*file].as_bytes());
        let (files, folders) = tree.get_mut(&folder).unwrap();
        if !folders.contains(&path) {
            files.insert(path);
        }
    }
    tree
}

fn task(path: RepoPath, member: u32, is_start: bool) -> Task {
    Task { path, member, ignores: None, is_start, number: 0, before: 0 }
}

/// Walks `tree` from `starts`, each folder on some of three threads; those that `fails` says cannot be listed.
fn walk(
    tree: &Tree,
    starts: &[RepoPath],
    mut thread: impl FnMut() -> usize,
    fails: impl Fn(&RepoPath) -> bool,
) -> (Vec<FoundFolder>, Vec<FoundFile>, Vec<FoundFolder>, Vec<FoundFile>) {
    let tasks = (0..).zip(starts).map(|(member, path)| task(path.clone(), member, true)).collect();
    let queue = Queue::new(tasks);
    let mut listings: Vec<Listings> = (0..3).map(|_| Listings::default()).collect();
    let (mut all_folders, mut all_files) = (Vec::new(), Vec::new());
    let mut below = Vec::new();
    while let Some(task) = queue.next() {
        let done = crate::scan::queue::Done { queue: &queue, found: &mut below };
        if fails(&task.path) {
            continue;
        }
        let (files, folders) = &tree[&task.path];
        let files: Vec<FoundFile> = files
            .iter()
            .map(|path| FoundFile {
                path: path.clone(),
                stamp: Stamp::default(),
                member: task.member,
                kind: FileKind::Data,
            })
            .collect();
        let inner = |path: &RepoPath| self::task(path.clone(), task.member, false);
        done.found.extend(folders.iter().map(inner));
        let folder = FoundFolder {
            path: task.path,
            stamp: Stamp::default(),
            ignore_file: None,
            cache: None,
            entries: 0,
        };
        all_folders.push(folder.clone());
        all_files.extend(files.clone());
        let spot = (task.number, task.before);
        let listings = &mut listings[thread()];
        for file in files {
            listings.file(file);
        }
        listings.folder(spot, folder, done.found, &queue);
    }
    let starts = u32::try_from(starts.len()).unwrap();
    let (folders, files) = in_order(listings, &queue, starts, NonZeroUsize::MIN, |file| file);
    all_folders.sort_by(|a, b| a.path.cmp(&b.path));
    all_folders.dedup();
    all_files.sort_by(|a, b| (&a.path, a.member).cmp(&(&b.path, b.member)));
    (folders, files, all_folders, all_files)
}

proptest! {
    #[test]
    fn a_descent_gives_the_order_of_paths(
        paths in proptest::collection::vec(proptest::collection::vec(0..NAMES.len(), 1..5), 1..80),
        starts in proptest::collection::vec(any::<Index>(), 1..4),
        threads in proptest::collection::vec(0_usize..3, 1..9),
        failing in proptest::option::of(any::<Index>()),
        whole in any::<bool>(),
    ) {
        let tree = tree(&paths);
        let folders: Vec<&RepoPath> = tree.keys().collect();
        // Some in others, some twice.
        let starts: Vec<RepoPath> = match whole {
            true => vec![RepoPath::default()],
            false => starts.iter().map(|start| (*start.get(&folders)).clone()).collect(),
        };
        let mut threads = threads.iter().copied().cycle();
        let failing = failing.map(|failing| (*failing.get(&folders)).clone());
        let fails = |path: &RepoPath| failing.as_ref() == Some(path);
        let (folders, files, all_folders, all_files) =
            walk(&tree, &starts, || threads.next().unwrap_or(0), fails);
        prop_assert_eq!(files, all_files);
        prop_assert_eq!(folders, all_folders);
    }
}
