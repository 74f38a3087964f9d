//! Folders: modes, times and links whatever the umask; objects of a cache; no space left.

use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{
    Artifact, Content, EntryKind, Item, ItemKind, Links, OpenOptions, PendingFile, PendingFolder,
    Placement, TreeOptions, WriteError, WrittenTree, lay_out, write_tar, write_tree, write_zip,
};
use bytekiln_test_support::pythons::skip;
use expect_test::expect;

use crate::contents::{MODIFIED, file, jobs, link, noise, tar_options, zip_options};

fn options(placement: Placement) -> TreeOptions {
    TreeOptions { placement, modified: Some(MODIFIED), jobs: jobs(2) }
}

fn write(
    target: &Path,
    items: Vec<Item>,
    options: &TreeOptions,
) -> Result<WrittenTree, WriteError> {
    // For the whole process: all tests here are to pass with it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let entries = lay_out(items, Links::Relative).unwrap();
    let pending = PendingFolder::create(target).unwrap();
    let written = write_tree(pending.output(), &entries, options)?;
    pending.publish().unwrap();
    Ok(written)
}

/// Modes, times and sizes as they are on the disk.
fn listing(root: &Path) -> String {
    let artifact = Artifact::open(root, &OpenOptions::new(jobs(1))).unwrap();
    let mut out = String::new();
    for entry in artifact.entries() {
        let metadata = std::fs::symlink_metadata(root.join(entry.path.as_str().unwrap())).unwrap();
        let what = match &entry.kind {
            EntryKind::Symlink(target) => format!("-> {}", target.escape_ascii()),
            _ => entry.size.to_string(),
        };
        let mtime = metadata.mtime() - MODIFIED;
        writeln!(out, "{:06o} {mtime:+} {} {what}", metadata.mode(), entry.path).unwrap();
    }
    out
}

fn object(folder: &Path, name: &str, content: &[u8], mode: u32) -> (PathBuf, Digest) {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (path, Digest::of(content))
}

fn placed(path: &str, (object, digest): &(PathBuf, Digest), executable: bool) -> Item {
    let content = Content::Object { path: object.clone(), digest: *digest };
    let path = RepoPath::new(path.as_bytes()).unwrap();
    Item { path, kind: ItemKind::File { content, executable } }
}

#[test]
fn modes_and_times_are_fixed_and_objects_linked() {
    let folder = tempfile::tempdir().unwrap();
    let one = object(folder.path(), "one", b"one", 0o644);
    let private = object(folder.path(), "private", b"private", 0o600);
    let large = noise(700_000);
    let items = || {
        vec![
            file("pkg/a.py", b"a = 1\n"),
            file("pkg/large.bin", &large),
            link("pkg/b.py", "a.py"),
            placed("pkg/linked.pyc", &one, false),
            placed("pkg/run", &one, true),
            placed("pkg/private.pyc", &private, false),
            Item { path: RepoPath::new(b"empty").unwrap(), kind: ItemKind::Directory },
        ]
    };
    let target = folder.path().join("tree");
    let copied = write(&target, items(), &options(Placement::Copy)).unwrap();
    assert_eq!((copied.linked, copied.cloned + copied.copied, copied.others), (0, 5, 3));
    assert_eq!(copied.bytes, 6 + 700_000 + 3 + 3 + 7);
    let expected = expect![[r#"
        040755 +0 empty 0
        040755 +0 pkg 0
        100644 +0 pkg/a.py 6
        120777 +0 pkg/b.py -> a.py
        100644 +0 pkg/large.bin 700000
        100644 +0 pkg/linked.pyc 3
        100644 +0 pkg/private.pyc 7
        100755 +0 pkg/run 3
    "#]];
    let before = listing(&target);
    expected.assert_eq(&before);
    // An older tree is replaced. The object's own time stays.
    let time = rustix::fs::Timespec { tv_sec: MODIFIED + 5, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, &one.0, &times, rustix::fs::AtFlags::empty()).unwrap();
    let linked = write(&target, items(), &options(Placement::Link)).unwrap();
    assert_eq!((linked.linked, linked.cloned + linked.copied), (1, 4));
    assert_eq!(std::fs::metadata(&one.0).unwrap().nlink(), 2);
    assert_eq!(listing(&target).replace("+5", "+0"), before);
    assert_eq!(std::fs::read(target.join("pkg/large.bin")).unwrap(), large);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn broken_objects_are_found() {
    let folder = tempfile::tempdir().unwrap();
    for placement in [Placement::Link, Placement::Copy] {
        let (path, mut digest) = object(folder.path(), "one", b"one", 0o644);
        digest.hash[0] ^= 1;
        let item = placed("a.pyc", &(path, digest), false);
        let error = write(&folder.path().join("tree"), vec![item], &options(placement));
        let error = error.unwrap_err().to_string();
        let error = error.replace(folder.path().to_str().unwrap(), "FOLDER");
        assert_eq!(error, "`FOLDER/one` changed while it was packed as `a.pyc`; pack again");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// Undoes the mount when it goes.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn no_space_left_is_one_error_and_nothing_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return skip("needs to mount a tmpfs");
    }
    let mounted = Mounted(folder.path().to_owned());
    std::fs::write(folder.path().join("out"), "old").unwrap();
    let items = || vec![file("a.bin", &noise(800_000)), file("b.bin", &noise(4_000_000))];
    let entries = lay_out(items(), Links::Relative).unwrap();
    let target = folder.path().join("out");
    let zip = {
        let pending = PendingFile::create(&target).unwrap();
        write_zip(pending.output(), &entries, &zip_options()).unwrap_err()
    };
    let tar = {
        let pending = PendingFile::create(&target).unwrap();
        write_tar(pending.output(), &entries, &tar_options()).unwrap_err()
    };
    let tree = write(&folder.path().join("tree"), items(), &options(Placement::Copy)).unwrap_err();
    let told = format!("{zip}\n{tar}\n{tree}\n").replace(folder.path().to_str().unwrap(), "FOLDER");
    expect![[r#"
        no space left to write `FOLDER/out`; free some, or write to another disk (No space left on device (os error 28))
        no space left to write `FOLDER/out`; free some, or write to another disk (No space left on device (os error 28))
        no space left to write `FOLDER/tree/b.bin`; free some, or write to another disk (No space left on device (os error 28))
    "#]].assert_eq(&told);
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(mounted);
}
