//! Folders and archives through one face: what is listed, what is refused, and that broken and
//! hostile ones are errors.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod samples;

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Artifact, EntryKind, LocatedKind, Modified, OpenOptions, locate};
use expect_test::{Expect, expect};
use samples::{Member, gzip, tar, zip, zstd};

fn options() -> OpenOptions {
    OpenOptions::new(NonZeroUsize::new(2).unwrap())
}

/// Container, entries with their contents, problems.
fn listing(artifact: &Artifact) -> String {
    let mut out = format!("{:?}\n", artifact.container());
    for (index, entry) in artifact.entries().iter().enumerate() {
        let content = match artifact.read(index) {
            Ok(bytes) => format!("{:?}", String::from_utf8_lossy(&bytes)),
            Err(_) if entry.kind == EntryKind::Directory => "folder".to_owned(),
            Err(error) => error.to_string().replace(artifact.path().to_str().unwrap(), "ARTIFACT"),
        };
        let link = match &entry.kind {
            EntryKind::Symlink(target) => format!(" -> {}", target.escape_ascii()),
            _ => String::new(),
        };
        writeln!(out, "{}{link} {content}", entry.path).unwrap();
    }
    for problem in artifact.problems() {
        writeln!(out, "! {problem}").unwrap();
    }
    out
}

fn check(name: &str, bytes: &[u8], expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let told = match Artifact::open(&path, &options()) {
        Ok(artifact) => listing(&artifact),
        Err(error) => error.to_string().replace(path.to_str().unwrap(), "ARTIFACT"),
    };
    expected.assert_eq(&told);
}

fn members() -> Vec<Member> {
    vec![
        Member::file("pkg/b.py", "b = 1\n"),
        Member::deflated("pkg/a.py", &"a = 1\n".repeat(4)),
        Member::file("x-1.dist-info/RECORD", "pkg/a.py,,\n"),
    ]
}

#[test]
fn a_wheel_is_a_zip_with_a_record() {
    let expected = expect![[r#"
        Wheel
        pkg/a.py "a = 1\na = 1\na = 1\na = 1\n"
        pkg/b.py "b = 1\n"
        x-1.dist-info/RECORD "pkg/a.py,,\n"
    "#]];
    check("x-1-py3-none-any.whl", &zip(&members()), &expected);
    // A program with a first line for the shell.
    let mut program = b"#!/usr/bin/env python3\n".to_vec();
    program.extend_from_slice(&zip(&members()[..1]));
    let expected = expect![[r#"
        Zip
        pkg/b.py "b = 1\n"
    "#]];
    check("app.pyz", &program, &expected);
}

#[test]
fn what_a_zip_should_not_have_is_told() {
    let bad = vec![
        Member::file("../up.py", "x"),
        Member::file("/abs.py", "x"),
        Member::file("twice.py", "first"),
        Member::file("twice.py", "second"),
        Member { flags: 1, ..Member::file("secret.py", "x") },
        Member { method: 12, ..Member::file("bzip2.py", "x") },
        Member { crc: 1, ..Member::file("crc.py", "x") },
        Member { mode: 0o120_777, ..Member::file("inside.py", "twice.py") },
        Member { mode: 0o120_777, ..Member::file("outside.py", "../x.py") },
        Member::file("folder/", ""),
        Member { flags: 0, ..Member::file("caf\u{e9}.py", "x") },
    ];
    check(
        "bad.zip",
        &zip(&bad),
        &expect![[r#"
            Zip
            café.py "x"
            crc.py `crc.py` in `ARTIFACT` is damaged: its checksum is 8cdc1683 where the directory says 00000001
            folder folder
            inside.py -> twice.py "second"
            outside.py -> ../x.py `outside.py` in `ARTIFACT` is not a file
            twice.py "second"
            ! `../up.py` has a name that leads out of the artifact
            ! `/abs.py` has a name that leads out of the artifact
            ! `bzip2.py` is compressed with method 12, which is not supported
            ! `outside.py` is a link out of the artifact
            ! `secret.py` is encrypted
            ! `twice.py` is there more than once
        "#]],
    );
}

#[test]
fn dos_times_are_as_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.zip");
    // Month 0 of 1980: libraries call it invalid, `zipimport` compares it.
    let member = Member { date: 0, time: 0xbf7d, ..Member::file("a.py", "") };
    std::fs::write(&path, zip(&[member])).unwrap();
    let artifact = Artifact::open(&path, &options()).unwrap();
    let modified: Vec<Modified> = artifact.entries().iter().map(|entry| entry.modified).collect();
    assert_eq!(modified, [Modified::Dos { date: 0, time: 0xbf7d }]);
}

#[test]
fn tars_with_long_names_links_and_devices() {
    let long = format!("pkg/{}/m.py", "long".repeat(30));
    let archive = tar(&[
        ("./", tar::EntryType::Directory, "", ""),
        ("./pkg/a.py", tar::EntryType::Regular, "", "a = 1\n"),
        ("pkg/link.py", tar::EntryType::Symlink, "a.py", ""),
        ("pkg/hard.py", tar::EntryType::Link, "./pkg/a.py", ""),
        ("pkg/lost.py", tar::EntryType::Link, "pkg/none.py", ""),
        ("pkg/pipe", tar::EntryType::Fifo, "", ""),
        ("../up.py", tar::EntryType::Regular, "", "x"),
        (&long, tar::EntryType::Regular, "", "m = 1\n"),
    ]);
    let expected = expect![[r#"
        Tar
        pkg/a.py "a = 1\n"
        pkg/hard.py "a = 1\n"
        pkg/link.py -> a.py "a = 1\n"
        pkg/longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong/m.py "m = 1\n"
        pkg/lost.py `pkg/lost.py` in `ARTIFACT` is not a file
        ! `../up.py` has a name that leads out of the artifact
        ! `pkg/lost.py` is a link to nothing
        ! `pkg/pipe` is neither file nor folder nor link
    "#]];
    check("layer.tar", &archive, &expected);
    // Two gzip members one after the other are one stream.
    let (first, second) = archive.split_at(700);
    check("layer.tar.gz", &[gzip(first), gzip(second)].concat(), &expected);
    // And so are two frames of zstd, also after one that is to be skipped.
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec();
    check("layer.tar.zst", &[skipped, zstd(first), zstd(second)].concat(), &expected);
}

#[test]
fn a_folder_is_not_left_through_links() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("site");
    std::fs::create_dir_all(root.join("lib/pkg")).unwrap();
    std::fs::write(root.join("lib/pkg/a.py"), "a = 1\n").unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    symlink("lib", root.join("lib64")).unwrap();
    symlink("../lib64/pkg/a.py", root.join("lib/b.py")).unwrap();
    symlink("../secret", root.join("out.py")).unwrap();
    symlink(".", root.join("lib/loop")).unwrap();
    let artifact = Artifact::open(&root, &options()).unwrap();
    expect![[r#"
        Directory
        lib folder
        lib/b.py -> ../lib64/pkg/a.py "a = 1\n"
        lib/loop -> . `lib/loop` in `ARTIFACT` is not a file
        lib/pkg folder
        lib/pkg/a.py "a = 1\n"
        lib64 -> lib `lib64` in `ARTIFACT` is not a file
        out.py -> ../secret `out.py` in `ARTIFACT` is not a file
        ! `out.py` is a link out of the artifact
    "#]]
    .assert_eq(&listing(&artifact));
    assert_eq!(artifact.find(&RepoPath::new(b"lib/pkg/a.py").unwrap()), Some(4));
}

#[test]
fn limits_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb");
    let zeros = "\0".repeat(1 << 20);
    let small = OpenOptions { max_file_bytes: 1000, max_total_bytes: 1 << 19, ..options() };
    let open = |bytes: &[u8], options: &OpenOptions| {
        std::fs::write(&path, bytes).unwrap();
        let artifact = Artifact::open(&path, options);
        let told = artifact.and_then(|artifact| artifact.read(0)).unwrap_err().to_string();
        told.replace(path.to_str().unwrap(), "ARTIFACT")
    };
    let archive = tar(&[("a", tar::EntryType::Regular, "", &zeros)]);
    let packed = zip(&[Member::deflated("a", &zeros)]);
    expect!["`ARTIFACT` is larger than the limit of 524288 bytes"]
        .assert_eq(&open(&gzip(&archive), &small));
    expect!["`ARTIFACT` is larger than the limit of 524288 bytes"]
        .assert_eq(&open(&zstd(&archive), &small));
    expect!["`ARTIFACT` is larger than the limit of 524288 bytes"]
        .assert_eq(&open(&packed, &small));
    // A frame that asks for a window of 2 GiB.
    let greedy = [&b"\x28\xb5\x2f\xfd\x00\xa8"[..], &[1, 0, 0]].concat();
    expect!["`ARTIFACT` is damaged: its zstd stream: Frame requires too much memory for decoding"]
        .assert_eq(&open(&greedy, &small));
    let half = zstd(&archive);
    expect!["`ARTIFACT` is damaged: its zstd stream: incomplete frame"]
        .assert_eq(&open(&half[..half.len() - 9], &options()));
    let one_file = OpenOptions { max_total_bytes: 1 << 30, ..small };
    expect!["`a` in `ARTIFACT` is larger than the limit of 1000 bytes"]
        .assert_eq(&open(&packed, &one_file));
    // The directory promises little, much comes out.
    let lie = Member { size: 10, ..Member::deflated("a", &zeros) };
    expect!["`a` in `ARTIFACT` is damaged: its data do not inflate: more comes out than the directory says"]
        .assert_eq(&open(&zip(&[lie]), &options()));
    let lie = Member { size: 1 << 28, ..Member::deflated("a", "x") };
    expect!["`a` in `ARTIFACT` is damaged: its data do not inflate: more is promised than deflate can pack"]
        .assert_eq(&open(&zip(&[lie]), &options()));
    expect!["`ARTIFACT` is neither a folder nor a zip, wheel, tar, tar.gz or tar.zst"]
        .assert_eq(&open(b"import os\n", &options()));
}

/// Whatever is broken about an archive, opening and reading it ends, with an error or without.
#[test]
fn every_prefix_and_every_flip_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken");
    let mut refused = 0;
    let mut look = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Artifact::open(&path, &options()) {
            Ok(artifact) => drop(listing(&artifact)),
            Err(_) => refused += 1,
        }
    };
    let plain = tar(&[
        ("pkg/a.py", tar::EntryType::Regular, "", "a = 1\n"),
        ("pkg/b.py", tar::EntryType::Link, "pkg/a.py", ""),
    ]);
    let plain = &plain[..2048];
    for sample in [zip(&members()), gzip(plain), zstd(plain), plain.to_vec()] {
        for length in (0..sample.len()).step_by(if sample.len() < 1000 { 1 } else { 7 }) {
            look(&sample[..length]);
        }
        for at in (0..sample.len()).filter(|at| sample.len() < 1000 || sample[*at] != 0) {
            let mut bytes = sample.clone();
            bytes[at] ^= 0x41;
            look(&bytes);
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn paths_go_on_inside_archives() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("app.zip"), zip(&members())).unwrap();
    std::fs::write(root.join("m.py"), "pass\n").unwrap();
    let at = |path: &str| match locate(&root.join(path)) {
        Ok(found) => {
            let outside =
                found.path.strip_prefix(root).unwrap_or(Path::new("?")).display().to_string();
            format!("{outside:?} {:?} {:?}", found.kind, found.inside)
        }
        Err(error) => error.to_string().replace(root.to_str().unwrap(), "ROOT"),
    };
    assert_eq!(at("app.zip/pkg/a.py"), r#""app.zip" Archive "pkg/a.py""#);
    assert_eq!(at("app.zip/"), r#""app.zip" Archive ".""#);
    assert_eq!(at("app.zip"), r#""app.zip" Archive ".""#);
    assert_eq!(at("m.py"), r#""m.py" File ".""#);
    assert_eq!(at(""), r#""" Directory ".""#);
    expect!["`ROOT/m.py/x` could not be read: Not a directory (os error 20)"]
        .assert_eq(&at("m.py/x"));
    expect!["`ROOT/none/x` could not be read: No such file or directory (os error 2)"]
        .assert_eq(&at("none/x"));
    assert_eq!(locate(root).unwrap().kind, LocatedKind::Directory);
}
