//! What stands in an output's way, and what is left of it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use bytekiln_action::RepoPath;
use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_executor::{LinkPolicy, Options, Report, Work};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_test_support::{Scratch, as_user_without_rights, pythons::skip};
use expect_test::{Expect, expect};

use crate::project::{Project, ends, imaginary_compiler, options, run};
use crate::scripted::Scripted;

const OUTPUT: &[u8] = b"a/__pycache__/m.cpython-311.pyc";

fn build(project: &Project, store: Option<&dyn Store>, link: LinkPolicy) -> (Work, Report) {
    let work = project.work(&imaginary_compiler());
    let options = Options { link, ..options() };
    let (report, _) = run(&work, &Scripted::default(), store, &options);
    (work, report)
}

/// Without a store, with one, and from one: all say the same.
#[track_caller]
fn check(hinder: impl Fn(&Project), expect: &Expect) {
    let cache = Scratch::new();
    let store = DiskStore::open(&cache.join("cache"), DiskOptions::default()).unwrap();
    let fill = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
    build(&fill, Some(&store), LinkPolicy::Link);
    let empty = DiskStore::open(&cache.join("empty"), DiskOptions::default()).unwrap();
    for store in [None, Some(&empty), Some(&store)] {
        let project = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
        hinder(&project);
        let store = store.map(|store| store as &dyn Store);
        let (work, report) = build(&project, store, LinkPolicy::Link);
        let said = ends(&work, &report);
        let root = project.root().to_str().unwrap();
        let said = said.replace(root, "ROOT").replace("cached (Store)", "compiled");
        expect.assert_eq(&said);
        for (path, _) in project.made() {
            assert!(!path.to_string_lossy().contains(".tmp"), "{path:?} was left");
        }
    }
}

#[test]
fn folder_in_its_place() {
    check(
        |project| std::fs::create_dir_all(project.path(OUTPUT)).unwrap(),
        &expect![[r#"
            a/m.py: OutputUnwritable("`ROOT/a/__pycache__/m.cpython-311.pyc` is a folder, and a file is to be written there; move it away and build again")
            b/m.py: compiled
        "#]],
    );
}

#[test]
fn file_in_its_folders_place() {
    check(
        |project| std::fs::write(project.path(b"a/__pycache__"), "").unwrap(),
        &expect![[r#"
            a/m.py: OutputUnwritable("`ROOT/a/__pycache__` is not a folder, and one is needed there; move it away and build again")
            b/m.py: compiled
        "#]],
    );
}

#[test]
fn links_are_not_followed() {
    let elsewhere = Scratch::new();
    check(
        |project| symlink(elsewhere.path(), project.path(b"a/__pycache__")).unwrap(),
        &expect![[r#"
            a/m.py: OutputUnwritable("`ROOT/a/__pycache__` is a symbolic link, which is not followed when caches are written; move it away and build again")
            b/m.py: compiled
        "#]],
    );
    let target = elsewhere.join("target");
    check(
        |project| {
            std::fs::create_dir_all(project.path(b"a/__pycache__")).unwrap();
            symlink(&target, project.path(OUTPUT)).unwrap();
        },
        &expect![[r#"
            a/m.py: OutputUnwritable("`ROOT/a/__pycache__/m.cpython-311.pyc` is a symbolic link or special file, which is not replaced; move it away and build again")
            b/m.py: compiled
        "#]],
    );
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_linked_package_inside_the_tree_is_written_through() {
    let project = Project::new(&[("real/m.py", "1")]);
    symlink("real", project.path(b"linked")).unwrap();
    let mut work = project.work(&imaginary_compiler());
    let through = |path: &[u8]| {
        Some(OutputPath { root: RootId::WORKSPACE, path: RepoPath::new(path).unwrap() })
    };
    work.jobs[0].output = through(b"linked/__pycache__/m.cpython-311.pyc");
    let (report, _) = run(&work, &Scripted::default(), None, &options());
    assert_eq!(ends(&work, &report), "real/m.py: compiled\n");
    let elsewhere = Scratch::new();
    symlink(elsewhere.path(), project.path(b"out")).unwrap();
    work.jobs[0].output = through(b"out/__pycache__/m.cpython-311.pyc");
    let (report, _) = run(&work, &Scripted::default(), None, &options());
    assert!(ends(&work, &report).contains("is a symbolic link"), "{report:?}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn read_only_folder() {
    as_user_without_rights(|| {
        check(
            |project| {
                std::fs::set_permissions(
                    project.path(b"a"),
                    std::fs::Permissions::from_mode(0o555),
                )
                .unwrap();
            },
            &expect![[r#"
                a/m.py: OutputUnwritable("could not make the folder `ROOT/a/__pycache__`: Permission denied (os error 13); make it writable, or choose a layout that writes into another tree")
                b/m.py: compiled
            "#]],
        );
    });
}

#[test]
fn what_stands_there_is_replaced_as_a_whole_or_left() {
    let cache = Scratch::new();
    let store = DiskStore::open(&cache.join("cache"), DiskOptions::default()).unwrap();
    for store in [None, Some(&store as &dyn Store)] {
        for link in [LinkPolicy::Link, LinkPolicy::Copy] {
            let project = Project::new(&[("a/m.py", "1")]);
            let stat = || std::fs::metadata(project.path(OUTPUT)).unwrap();
            build(&project, store, link);
            let whole = project.made();
            let first = stat();
            assert_eq!(first.mode() & 0o7777, 0o644);
            assert_eq!(first.nlink() > 1, store.is_some() && link == LinkPolicy::Link);
            // The same bytes: the file is left alone.
            build(&project, store, link);
            assert_eq!((stat().ino(), stat().mtime_nsec()), (first.ino(), first.mtime_nsec()));
            // Another process holds the old file open: it keeps the whole old one.
            std::fs::remove_file(project.path(OUTPUT)).unwrap();
            std::fs::write(project.path(OUTPUT), "stale").unwrap();
            let open = std::fs::File::open(project.path(OUTPUT)).unwrap();
            build(&project, store, link);
            assert_eq!(std::io::read_to_string(open).unwrap(), "stale");
            assert_eq!(project.made(), whole);
            // Other permissions are not what was asked for.
            std::fs::remove_file(project.path(OUTPUT)).unwrap();
            std::fs::write(project.path(OUTPUT), &whole[0].1).unwrap();
            std::fs::set_permissions(project.path(OUTPUT), std::fs::Permissions::from_mode(0o600))
                .unwrap();
            build(&project, store, link);
            assert_eq!(stat().mode() & 0o7777, 0o644);
            assert_eq!(project.made(), whole);
        }
    }
}

#[test]
fn removals_take_empty_folders_with_them() {
    let project = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
    let tree = Scratch::new();
    let place =
        |root, path: &[u8]| OutputPath { root: RootId(root), path: RepoPath::new(path).unwrap() };
    for path in ["x/y/m.pyc", "x/n.pyc"] {
        std::fs::create_dir_all(tree.join(path).parent().unwrap()).unwrap();
        std::fs::write(tree.join(path), "").unwrap();
    }
    let mut work = project.work(&imaginary_compiler());
    run(&work, &Scripted::default(), None, &options());
    std::fs::write(project.path(b"b/__pycache__/other"), "").unwrap();
    std::fs::create_dir_all(project.path(b"c/__pycache__/m.pyc")).unwrap();
    work.jobs.clear();
    work.roots.push(tree.path().to_owned());
    work.removals = vec![
        place(0, OUTPUT),
        place(0, b"b/__pycache__/m.cpython-311.pyc"),
        place(0, b"gone/__pycache__/m.cpython-311.pyc"),
        place(0, b"c/__pycache__/m.pyc"),
        place(1, b"x/y/m.pyc"),
    ];
    let (report, _) = run(&work, &Scripted::default(), None, &options());
    assert_eq!((report.removed.len(), report.not_removed.len()), (4, 1), "{report:?}");
    assert!(project.path(b"a").exists() && !project.path(b"a/__pycache__").exists());
    assert!(project.path(b"b/__pycache__/other").exists());
    assert!(!tree.join("x/y").exists() && tree.join("x/n.pyc").exists());
}

#[test]
fn another_file_system_gets_copies() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        return skip("needs a second file system in /dev/shm");
    };
    let store = DiskStore::open(&other.path().join("cache"), DiskOptions::default()).unwrap();
    let project = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
    let same = std::fs::metadata(project.root()).unwrap().dev()
        == std::fs::metadata(other.path()).unwrap().dev();
    if same {
        return skip("needs a second file system in /dev/shm");
    }
    let (work, report) = build(&project, Some(&store), LinkPolicy::Link);
    assert_eq!(ends(&work, &report), "a/m.py: compiled\nb/m.py: compiled\n");
    let made = project.made();
    let again = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
    let (work, report) = build(&again, Some(&store), LinkPolicy::Link);
    assert_eq!(ends(&work, &report), "a/m.py: cached (Store)\nb/m.py: cached (Store)\n");
    assert_eq!(again.made(), made);
}

#[test]
fn full_disk() {
    // A file size limit of the process would hit all tests; /dev/full cannot be a folder. So: a
    // file system of its own, where that is allowed.
    let folder = Scratch::new();
    let mount = |arguments: &[&str]| {
        std::process::Command::new("mount").args(arguments).arg(folder.path()).output()
    };
    let mounted = mount(&["-t", "tmpfs", "-o", "size=64k,nr_inodes=1000", "tmpfs"]);
    if !mounted.is_ok_and(|output| output.status.success()) {
        return skip("needs to mount a tmpfs");
    }
    let _: std::io::Result<()> = std::fs::write(folder.join("ballast"), vec![0; 1 << 20]);
    let project = Project::new(&[("a/m.py", "1"), ("b/m.py", "2")]);
    let mut work = project.work(&imaginary_compiler());
    work.roots.push(folder.path().to_owned());
    if let Some(output) = &mut work.jobs[0].output {
        output.root = RootId(1);
    }
    let (report, _) = run(&work, &Scripted::default(), None, &options());
    let said = ends(&work, &report).replace(&folder.path().display().to_string(), "FULL");
    let left = std::fs::read_dir(folder.join("a/__pycache__")).map_or(0, Iterator::count);
    std::process::Command::new("umount").arg(folder.path()).status().unwrap();
    expect![[r#"
        a/m.py: OutputUnwritable("could not write `FULL/a/__pycache__/m.cpython-311.pyc`: No space left on device (os error 28); free some space and build again: what is done stays done")
        b/m.py: compiled
    "#]]
    .assert_eq(&said);
    assert_eq!(left, 0);
}
