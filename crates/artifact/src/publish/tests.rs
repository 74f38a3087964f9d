//! What has the final name, and what is left beside it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_has_its_name_when_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("app.pyz");
    std::fs::write(&target, "old").unwrap();
    let dropped = PendingFile::create(&target).unwrap();
    dropped.output().file.write_all(b"half").unwrap();
    assert_eq!(names(folder.path()).len(), 2);
    drop(dropped);
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    let pending = PendingFile::create(&target).unwrap();
    pending.output().file.write_all(b"new").unwrap();
    pending.make_executable().unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    pending.publish().unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"new");
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    assert_eq!(names(folder.path()), ["app.pyz"]);
}

#[test]
fn a_folder_is_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("site");
    for content in ["first", "second"] {
        let pending = PendingFolder::create(&target).unwrap();
        std::fs::write(pending.path().join(content), content).unwrap();
        pending.publish().unwrap();
        assert_eq!(names(&target), [content]);
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    }
    let dropped = PendingFolder::create(&target).unwrap();
    std::fs::write(dropped.path().join("half"), "").unwrap();
    drop(dropped);
    // As on a file system that cannot exchange.
    let mut pending = PendingFolder::create(&target).unwrap();
    std::fs::write(pending.path().join("third"), "").unwrap();
    pending.replace_in_two_steps().unwrap();
    drop(pending);
    assert_eq!(names(&target), ["third"]);
    assert_eq!(names(folder.path()), ["site"]);
}

#[test]
fn what_the_dead_left_is_removed_and_what_the_living_write_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("app.pyz");
    let living = PendingFile::create(&target).unwrap();
    let dead = living
        .path()
        .with_file_name(living.path().file_name().unwrap().to_str().unwrap().to_owned() + "-old");
    std::fs::create_dir(&dead).unwrap();
    std::fs::write(dead.join("half"), "").unwrap();
    let other = PendingFile::create(&folder.path().join("other.pyz")).unwrap();
    assert!(dead.exists());
    let second = PendingFile::create(&target).unwrap();
    assert!(!dead.exists() && living.path().exists() && other.path().exists());
    living.publish().unwrap();
    second.publish().unwrap();
    other.publish().unwrap();
    assert_eq!(names(folder.path()), ["app.pyz", "other.pyz"]);
}

#[test]
fn what_cannot_be_replaced_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, below) = (folder.path().join("file"), folder.path().join("folder"));
    std::fs::write(&file, "").unwrap();
    std::fs::create_dir(&below).unwrap();
    let error = PendingFolder::create(&file).unwrap_err().to_string();
    assert!(
        error.ends_with("something that is no folder has this name; remove it first"),
        "{error}"
    );
    let error = PendingFile::create(&below).unwrap_err().to_string();
    assert!(error.ends_with("a folder has this name; remove it first"), "{error}");
    let error = PendingFile::create(&folder.path().join("none/x")).unwrap_err().to_string();
    assert!(error.contains("none/x`: could not create it under a temporary name"), "{error}");
    assert!(PendingFile::create(Path::new("/")).is_err());
    let late = folder.path().join("late");
    let pending = PendingFolder::create(&late).unwrap();
    std::os::unix::fs::symlink("folder", &late).unwrap();
    assert!(pending.publish().is_err());
    std::fs::remove_file(&late).unwrap();
    assert_eq!(names(folder.path()), ["file", "folder"]);
}

/// The name may be taken between two looks at it; also where two folders cannot be exchanged.
#[test]
fn folders_published_at_once() {
    publish_at_once(PendingFolder::publish);
    publish_at_once(|mut pending| pending.replace_in_two_steps());
}

fn publish_at_once(publish: fn(PendingFolder) -> Result<(), PublishError>) {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..200 {
        let target = folder.path().join(round.to_string());
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (target, together) = (&target, &together);
                scope.spawn(move || {
                    let pending = PendingFolder::create(target).unwrap();
                    std::fs::write(pending.path().join("file"), number.to_string()).unwrap();
                    together.wait();
                    publish(pending).unwrap();
                });
            }
        });
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), 1);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 200);
}
