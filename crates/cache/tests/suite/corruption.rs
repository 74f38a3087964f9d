//! Objects that are not what they were: each is a miss, is reported once, and can be written
//! again. And folders that are not caches.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_test_support::{Scratch, store_conformance::blob};
use expect_test::{Expect, expect};

use crate::open;

/// Breaks an object, and asks for it in each way.
fn check(break_it: impl Fn(&Path), expect: Expect) {
    let scratch = Scratch::new();
    let store = open(scratch.path());
    let blob = blob(&[b'x'; 5000]);
    let mut said = Vec::new();
    for ask in [
        (|store, blob| store.local_object(&blob.digest).unwrap().is_some())
            as fn(&DiskStore, &bytekiln_cache::Blob) -> bool,
        |store, blob| store.read_blobs(&[blob.digest]).unwrap()[0].is_some(),
    ] {
        let before = store.forgotten_objects();
        let object = store.write_local_object(&blob).unwrap().unwrap();
        break_it(&object.path);
        assert!(!ask(&store, &blob), "served a broken object");
        assert_eq!(store.forgotten_objects(), before + 1);
        assert_eq!(store.find_missing(&[blob.digest]).unwrap(), [blob.digest]);
        assert!(!ask(&store, &blob));
        let warnings = store.take_warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert_eq!(warnings[0].path.as_deref(), Some(&*object.path));
        said.push(warnings[0].message.clone());

        // Broken again, it is written again over what is in its place.
        store.write_blobs(std::slice::from_ref(&blob)).unwrap();
        break_it(&object.path);
        store.write_local_object(&blob).unwrap();
        assert_eq!(fs::read(&object.path).unwrap(), &*blob.bytes);
        assert_eq!(store.take_warnings().len(), 1);
    }
    said.dedup();
    expect.assert_eq(&said.join("\n"));
}

#[test]
fn cut_short() {
    check(
        |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4000).unwrap(),
        expect!["forgot a broken cache object: it has 4000 bytes instead of 5000"],
    );
}

#[test]
fn one_bit_flipped() {
    check(
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[4999] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        expect!["forgot a broken cache object: its content has another digest"],
    );
}

/// The hazard of hard links: an output that somebody edits in place is the object, too.
#[test]
fn an_output_was_edited_in_place() {
    check(
        |path| {
            let outputs = Scratch::new();
            let output = outputs.join("module.pyc");
            fs::hard_link(path, &output).unwrap();
            fs::write(&output, [b'y'; 5000]).unwrap();
        },
        expect!["forgot a broken cache object: its content has another digest"],
    );
}

#[test]
fn replaced_by_a_folder_with_something_in_it() {
    check(
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
            fs::write(path.join("file"), "").unwrap();
        },
        expect!["forgot a broken cache object: it is not a regular file"],
    );
}

#[test]
fn replaced_by_a_link_to_the_right_bytes() {
    check(
        |path| {
            let elsewhere = path.with_file_name("elsewhere");
            fs::rename(path, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, path).unwrap();
        },
        expect!["forgot a broken cache object: it is not a regular file"],
    );
}

#[test]
fn unreadable() {
    check(
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap(),
        expect!["forgot a broken cache object: its mode is 000 instead of 644"],
    );
}

#[test]
fn executable() {
    check(
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap(),
        expect!["forgot a broken cache object: its mode is 755 instead of 644"],
    );
}

#[test]
fn objects_have_one_mode_and_no_left_overs() {
    let scratch = Scratch::new();
    let blob = blob(b"bytes");
    let object = open(scratch.path()).write_local_object(&blob).unwrap().unwrap();
    assert_eq!(fs::metadata(&object.path).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(fs::read_dir(object.path.parent().unwrap()).unwrap().count(), 1);
    let hex = blob.digest.to_hex();
    assert!(object.path.ends_with(format!("objects/{}/{}", &hex[..2], &hex[2..])));
}

/// The umask belongs to the process, so it takes another one to change it.
#[test]
fn objects_have_one_mode_under_any_umask() {
    const ROOT: &str = "STORE_TEST_UMASK_ROOT";
    if let Ok(root) = std::env::var(ROOT) {
        open(Path::new(&root)).write_blobs(&[blob(b"bytes")]).unwrap();
        return;
    }
    for umask in ["077", "000"] {
        let scratch = Scratch::new();
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec \"$0\" --exact \"$1\" >/dev/null")])
            .arg(std::env::current_exe().unwrap())
            .arg("corruption::objects_have_one_mode_under_any_umask")
            .env(ROOT, scratch.path())
            .status()
            .unwrap();
        assert!(status.success());
        let store = open(scratch.path());
        let path = store.local_object(&blob(b"bytes").digest).unwrap().unwrap().path;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o644);
    }
}

#[test]
fn a_store_that_is_broken_all_over_does_not_repeat_itself() {
    let scratch = Scratch::new();
    let store = open(scratch.path());
    let blobs: Vec<_> = (0..60_u8).map(|number| blob(&[number])).collect();
    for blob in &blobs {
        let object = store.write_local_object(blob).unwrap().unwrap();
        fs::write(object.path, "").unwrap();
        assert!(store.local_object(&blob.digest).unwrap().is_none());
    }
    assert_eq!(store.forgotten_objects(), 60);
    let warnings = store.take_warnings();
    assert_eq!(warnings.len(), 51);
    assert_eq!(warnings[50].to_string(), "10 more like these");
    assert_eq!(store.take_warnings(), []);
}

#[test]
fn a_store_that_cannot_write_still_reads() {
    let scratch = Scratch::new();
    let (kept, other) = (blob(b"kept"), blob(b"other"));
    let store = open(scratch.path());
    store.write_blobs(std::slice::from_ref(&kept)).unwrap();
    // A file where a folder must be: stops writers whoever they are.
    let folder = scratch.join(&format!("objects/{}", &other.digest.to_hex()[..2]));
    fs::write(&folder, "").unwrap();
    let error = store.write_blobs(std::slice::from_ref(&other)).unwrap_err();
    assert!(error.to_string().starts_with("could not write blob"), "{error}");
    assert!(store.read_blobs(&[kept.digest]).unwrap()[0].is_some());
    assert!(store.read_blobs(&[other.digest]).unwrap()[0].is_none());
    fs::write(scratch.join("results-1"), "").unwrap();
    let entry = bytekiln_cache::ResultEntry {
        action: bytekiln_test_support::store_conformance::action(1),
        result: bytekiln_test_support::store_conformance::compiled(kept.digest),
    };
    let error = store.update_results(&[entry]).unwrap_err();
    assert!(error.to_string().starts_with("could not write results"), "{error}");
}

#[test]
fn the_marker_is_as_it_was() {
    let scratch = Scratch::new();
    open(scratch.path());
    open(scratch.path());
    let read = |name: &str| fs::read_to_string(scratch.join(name)).unwrap();
    expect![[r#"
        bytekiln cache layout 1
        Signature: 8a477f597d28d172789f06886806bc55
        # Made by bytekiln; everything in this folder can be made again.
    "#]]
    .assert_eq(&format!("{}{}", read("bytekiln-cache"), read("CACHEDIR.TAG")));
}

#[test]
fn folders_of_others_are_refused() {
    let check = |files: &[(&str, &str)], expect: Expect| {
        let scratch = Scratch::new();
        for (name, text) in files {
            fs::write(scratch.join(name), text).unwrap();
        }
        let error = DiskStore::open(scratch.path(), DiskOptions::default()).unwrap_err();
        let root = scratch.path().display().to_string();
        expect.assert_eq(&error.to_string().replace(&root, "ROOT"));
    };
    check(
        &[("thesis.tex", "")],
        expect![
            "could not use as a cache the folder `ROOT`: it has other files in it and no `bytekiln-cache` file; choose an empty folder"
        ],
    );
    check(
        &[("thesis.tex", ""), ("CACHEDIR.TAG", "")],
        expect![
            "could not use as a cache the folder `ROOT`: it has other files in it and no `bytekiln-cache` file; choose an empty folder"
        ],
    );
    check(
        &[("bytekiln-cache", "bytekiln cache layout 2\n")],
        expect![
            "could not use a cache of another layout, named in `ROOT/bytekiln-cache`: it was made by another version of bytekiln; choose another folder, or remove it"
        ],
    );
}
