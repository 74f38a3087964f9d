//! Zips and tars: what is in them by our own reader and by CPython's, that bytes depend on nothing
//! but the entries and the options, and what cannot be written.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{
    Artifact, Content, DeflateLevel, Item, ItemKind, Links, OpenOptions, Output, Owner,
    TarCompression, TarOptions, WriteError, ZipCompression, ZipFolders, ZipOptions, ZstdLevel,
    lay_out, write_tar, write_zip,
};
use bytekiln_test_support::pythons;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::contents::{file, jobs, link, noise, tar_options, zip_options};

/// How it is written.
#[derive(Debug, Clone)]
enum Form {
    Zip(ZipOptions),
    Tar(TarOptions),
}

fn write(
    path: &Path,
    items: Vec<Item>,
    form: &Form,
) -> Result<(Digest, Option<Digest>), WriteError> {
    let entries = lay_out(items, Links::Relative).unwrap();
    // Not published: nothing here is worth the wait until it is on the disk.
    let file =
        std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    let output = Output { file: &file.unwrap(), name: path };
    let digests = match form {
        Form::Zip(options) => {
            let written = write_zip(output, &entries, options)?;
            (written.digest, None)
        }
        Form::Tar(options) => {
            let written = write_tar(output, &entries, options)?;
            assert_eq!(written.entries, entries.items().len());
            (written.digest, Some(written.diff_id))
        }
    };
    // What is told is what is there.
    assert_eq!(digests.0, Digest::of(&std::fs::read(path).unwrap()));
    Ok(digests)
}

fn forms() -> Vec<(&'static str, Form)> {
    let zip = |compression| Form::Zip(ZipOptions { compression, ..zip_options() });
    let tar = |compression| Form::Tar(TarOptions { compression, ..tar_options() });
    vec![
        ("stored.zip", zip(ZipCompression::Stored)),
        ("deflated.zip", zip(ZipCompression::Deflated(DeflateLevel::DEFAULT))),
        ("plain.tar", tar(TarCompression::None)),
        ("packed.tar.gz", tar(TarCompression::Gzip(DeflateLevel::DEFAULT))),
        ("packed.tar.zst", tar(TarCompression::Zstd(ZstdLevel::DEFAULT))),
    ]
}

/// Small, empty, executable, linked, with long and strange names, and larger than all blocks.
fn items() -> Vec<Item> {
    let long = format!("{}/{}.py", "folder".repeat(20), "name".repeat(30));
    vec![
        file("pkg/__init__.py", b""),
        file("pkg/a.py", &b"a = 1\n".repeat(500)),
        file("pkg-b.py", b"b"),
        Item {
            path: RepoPath::new(b"bin/run").unwrap(),
            kind: ItemKind::File {
                content: Content::Bytes(b"#!/bin/sh\n".as_slice().into()),
                executable: true,
            },
        },
        file("caf\u{e9}/\u{4e2d}.py", b"x = 1\n"),
        file(&long, b"long\n"),
        link("pkg/link.py", "a.py"),
        link("long-link", &long),
        Item { path: RepoPath::new(b"empty").unwrap(), kind: ItemKind::Directory },
        file("large.bin", &noise(3 << 20)),
        file("zeros.bin", &vec![0; 5 << 20]),
    ]
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for (name, form) in forms() {
        let path = folder.path().join(name);
        write(&path, items(), &form).unwrap();
        let artifact = Artifact::open(&path, &OpenOptions::new(jobs(2))).unwrap();
        assert_eq!(artifact.problems(), [], "{name}");
        let entries = lay_out(items(), Links::Relative).unwrap();
        assert_eq!(artifact.entries().len(), entries.items().len(), "{name}");
        for (index, (read, item)) in artifact.entries().iter().zip(entries.items()).enumerate() {
            assert_eq!(read.path, item.path, "{name}");
            if let ItemKind::File { content: Content::Bytes(bytes), .. } = &item.kind {
                assert!(artifact.read(index).unwrap() == **bytes, "{name}: {}", item.path);
            }
        }
        // And once more from the archive, members read in parts.
        let artifact = Arc::new(artifact);
        let again = crate::contents::members(&artifact);
        let copy = folder.path().join("copy");
        let (copied, _) = write(&copy, again, &Form::Tar(tar_options())).unwrap();
        let not_executable = items().into_iter().map(|mut item| {
            if let ItemKind::File { executable, .. } = &mut item.kind {
                *executable = false;
            }
            item
        });
        let (plain, _) = write(&copy, not_executable.collect(), &Form::Tar(tar_options())).unwrap();
        assert_eq!(copied, plain, "{name}");
    }
}

/// Bytes that may only change when somebody means it: they pin the libraries too, whatever the
/// processor that the test runs on.
#[test]
fn golden_digests() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = String::new();
    for (name, form) in forms() {
        let (digest, diff_id) = write(&folder.path().join(name), items(), &form).unwrap();
        let short = |digest: Digest| format!("{} {}", &digest.to_hex()[..16], digest.size);
        let diff_id = diff_id.map_or(String::new(), |diff_id| format!(" of {}", short(diff_id)));
        told += &format!("{name}: {}{diff_id}\n", short(digest));
    }
    expect![[r#"
        stored.zip: 806a6002cc6553e1 8393986
        deflated.zip: c7cf4263ffcd9c23 1712181
        plain.tar: 6bcd0f706f0b13e0 8407552 of 6bcd0f706f0b13e0 8407552
        packed.tar.gz: 29b3238f86e52198 1711235 of 6bcd0f706f0b13e0 8407552
        packed.tar.zst: a4254d8cfad62cf8 1633268 of 6bcd0f706f0b13e0 8407552
    "#]]
    .assert_eq(&told);
}

const LIST: &str = r##"
import hashlib, stat, sys, tarfile, zipfile
path = sys.argv[1]
def show(name, mode, time, size, what):
    print(ascii(name if len(name) < 60 else name[:20] + "..." + str(len(name))), stat.filemode(mode), time, size, what)
if path.endswith(".zip"):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            show(info.filename, info.external_attr >> 16, "%d-%02d-%02d %02d:%02d:%02d" % info.date_time, info.file_size,
                 "%s %d %#x" % (info.compress_type, info.create_system, info.flag_bits))
else:
    with tarfile.open(path) as archive:
        for info in archive:
            kind = stat.S_IFDIR if info.isdir() else stat.S_IFLNK if info.issym() else stat.S_IFREG
            if info.isreg():
                assert len(archive.extractfile(info).read()) == info.size
            show(info.name, kind | info.mode, info.mtime, info.size,
                 "%d:%d %r %r %s" % (info.uid, info.gid, info.uname, info.gname, sorted(info.pax_headers)))
"##;

fn list_with_python(path: &Path) -> Option<String> {
    let python = pythons::any_or_skip()?;
    let output = Command::new(&python.path).args(["-I", "-c", LIST]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn check_with_python(name: &str, items: Vec<Item>, form: &Form, expected: &Expect) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    write(&path, items, form).unwrap();
    if let Some(listing) = list_with_python(&path) {
        expected.assert_eq(&listing);
    }
}

#[test]
fn python_lists_a_zip() {
    let form = Form::Zip(zip_options());
    check_with_python(
        "a.zip",
        items(),
        &form,
        &expect![[r#"
        'bin/' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x0
        'bin/run' -rwxr-xr-x 2023-11-14 22:13:20 10 0 3 0x0
        'caf\xe9/' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x800
        'caf\xe9/\u4e2d.py' -rw-r--r-- 2023-11-14 22:13:20 6 0 3 0x800
        'empty/' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x0
        'folderfolderfolderfo...121' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x0
        'folderfolderfolderfo...244' -rw-r--r-- 2023-11-14 22:13:20 5 0 3 0x0
        'large.bin' -rw-r--r-- 2023-11-14 22:13:20 3145728 8 3 0x0
        'long-link' lrwxrwxrwx 2023-11-14 22:13:20 244 0 3 0x0
        'pkg/' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x0
        'pkg-b.py' -rw-r--r-- 2023-11-14 22:13:20 1 0 3 0x0
        'pkg/__init__.py' -rw-r--r-- 2023-11-14 22:13:20 0 0 3 0x0
        'pkg/a.py' -rw-r--r-- 2023-11-14 22:13:20 3000 8 3 0x0
        'pkg/link.py' lrwxrwxrwx 2023-11-14 22:13:20 4 0 3 0x0
        'zeros.bin' -rw-r--r-- 2023-11-14 22:13:20 5242880 8 3 0x0
    "#]],
    );
    // As a wheel: no folders but the empty one, and one folder last.
    let last = RepoPath::new(b"pkg");
    let wheel = ZipOptions { folders: ZipFolders::Empty, last, ..zip_options() };
    let form = Form::Zip(ZipOptions { compression: ZipCompression::Stored, ..wheel });
    let names = vec![
        file("pkg/a.py", b"x"),
        file("z.py", b""),
        file("pkg-1/b", b""),
        Item { path: RepoPath::new(b"none").unwrap(), kind: ItemKind::Directory },
    ];
    check_with_python(
        "b.zip",
        names,
        &form,
        &expect![[r#"
        'none/' drwxr-xr-x 2023-11-14 22:13:20 0 0 3 0x0
        'pkg-1/b' -rw-r--r-- 2023-11-14 22:13:20 0 0 3 0x0
        'z.py' -rw-r--r-- 2023-11-14 22:13:20 0 0 3 0x0
        'pkg/a.py' -rw-r--r-- 2023-11-14 22:13:20 1 0 3 0x0
    "#]],
    );
}

#[test]
fn python_lists_a_tar() {
    let form = Form::Tar(TarOptions {
        compression: TarCompression::Gzip(DeflateLevel::new(1).unwrap()),
        owner: Owner { user: 1000, group: 4_000_000_000 },
        ..tar_options()
    });
    check_with_python(
        "a.tar.gz",
        items(),
        &form,
        &expect![[r#"
        'bin' drwxr-xr-x 1700000000 0 1000:4000000000 '' '' ['gid']
        'bin/run' -rwxr-xr-x 1700000000 10 1000:4000000000 '' '' ['gid']
        'caf\xe9' drwxr-xr-x 1700000000 0 1000:4000000000 '' '' ['gid', 'path']
        'caf\xe9/\u4e2d.py' -rw-r--r-- 1700000000 6 1000:4000000000 '' '' ['gid', 'path']
        'empty' drwxr-xr-x 1700000000 0 1000:4000000000 '' '' ['gid']
        'folderfolderfolderfo...120' drwxr-xr-x 1700000000 0 1000:4000000000 '' '' ['gid', 'path']
        'folderfolderfolderfo...244' -rw-r--r-- 1700000000 5 1000:4000000000 '' '' ['gid', 'path']
        'large.bin' -rw-r--r-- 1700000000 3145728 1000:4000000000 '' '' ['gid']
        'long-link' lrwxrwxrwx 1700000000 0 1000:4000000000 '' '' ['gid', 'linkpath']
        'pkg' drwxr-xr-x 1700000000 0 1000:4000000000 '' '' ['gid']
        'pkg-b.py' -rw-r--r-- 1700000000 1 1000:4000000000 '' '' ['gid']
        'pkg/__init__.py' -rw-r--r-- 1700000000 0 1000:4000000000 '' '' ['gid']
        'pkg/a.py' -rw-r--r-- 1700000000 3000 1000:4000000000 '' '' ['gid']
        'pkg/link.py' lrwxrwxrwx 1700000000 0 1000:4000000000 '' '' ['gid']
        'zeros.bin' -rw-r--r-- 1700000000 5242880 1000:4000000000 '' '' ['gid']
    "#]],
    );
    let far = Form::Tar(TarOptions { modified: 1 << 40, ..tar_options() });
    check_with_python(
        "a.tar",
        vec![file("a", b"")],
        &far,
        &expect![[r#"
        'a' -rw-r--r-- 1099511627776.0 0 0:0 '' '' ['mtime']
    "#]],
    );
    let before = Form::Tar(TarOptions { modified: -1, ..tar_options() });
    check_with_python(
        "a.tar",
        vec![file("a", b"")],
        &before,
        &expect![[r#"
        'a' -rw-r--r-- 0 0 0:0 '' '' []
    "#]],
    );
}

#[test]
fn names_that_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let strange = |name: &[u8]| Item { path: RepoPath::new(name).unwrap(), ..file("x", b"x") };
    let long = [&b"caf\xe9"[..], &b"x".repeat(200)].concat();
    let items = vec![strange(b"caf\xe9"), strange(&long)];
    write(&path, items.clone(), &Form::Tar(tar_options())).unwrap();
    let artifact = Artifact::open(&path, &OpenOptions::new(jobs(1))).unwrap();
    let names: Vec<&[u8]> = artifact.entries().iter().map(|entry| entry.path.as_bytes()).collect();
    assert_eq!(names, [&b"caf\xe9"[..], &long]);
    let error = write(&path, items, &Form::Zip(zip_options())).unwrap_err().to_string();
    let error = error.replace(path.to_str().unwrap(), "ARTIFACT");
    expect![[r#"`caf\xe9` cannot be in `ARTIFACT`: names in zips are UTF-8; rename it, or write a folder or a tar"#]].assert_eq(&error);
}

#[test]
fn what_a_zip_cannot_hold_without_zip64() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.zip");
    let items = |count: usize| (0..count).map(|at| file(&format!("{at:06}"), b"")).collect();
    let narrow = ZipOptions { zip64: false, ..zip_options() };
    write(&path, items(65_534), &Form::Zip(narrow.clone())).unwrap();
    let error = write(&path, items(65_535), &Form::Zip(narrow)).unwrap_err().to_string();
    let error = error.replace(path.to_str().unwrap(), "ARTIFACT");
    expect!["`ARTIFACT`: 65,535 entries or 4 GiB and more need Zip64; allow that, or pack less"]
        .assert_eq(&error);
    write(&path, items(65_536), &Form::Zip(zip_options())).unwrap();
    let artifact = Artifact::open(&path, &OpenOptions::new(jobs(1))).unwrap();
    assert_eq!((artifact.entries().len(), artifact.problems()), (65_536, &[][..]));
    if let Some(listing) = list_with_python(&path) {
        assert_eq!(listing.lines().count(), 65_536);
    }
}

#[test]
fn contents_that_are_not_what_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let large = noise(2 << 20);
    let mut told = String::new();
    for content in [b"a = 1\n".to_vec(), large] {
        std::fs::write(&source, &content).unwrap();
        let digest = Digest::of(&content);
        let planned = |digest| {
            let content = Content::File { path: source.clone(), digest };
            Item { kind: ItemKind::File { content, executable: false }, ..file("m.py", b"") }
        };
        for (_, form) in forms() {
            let path = folder.path().join("out");
            write(&path, vec![planned(Some(digest))], &form).unwrap();
            write(&path, vec![planned(None)], &form).unwrap();
            let mut other = content.clone();
            other[0] ^= 1;
            let of_other = Digest::of(&other);
            let shorter = Digest::of(&other[1..]);
            for digest in [of_other, shorter] {
                let error = write(&path, vec![planned(Some(digest))], &form).unwrap_err();
                assert!(matches!(error, WriteError::Changed { .. }), "{error}");
                told = error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER");
            }
        }
    }
    expect!["`FOLDER/source` changed while it was packed as `m.py`; pack again"].assert_eq(&told);
    std::fs::remove_file(&source).unwrap();
    let content = Content::File { path: source, digest: None };
    let item = Item { kind: ItemKind::File { content, executable: false }, ..file("m.py", b"") };
    let error = write(&folder.path().join("out"), vec![item], &forms()[0].1).unwrap_err();
    expect!["`FOLDER/source` could not be read for `m.py`: No such file or directory (os error 2)"]
        .assert_eq(&error.to_string().replace(folder.path().to_str().unwrap(), "FOLDER"));
}

fn any_content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..2000),
        1 => (500_000..1_700_000_usize).prop_map(noise),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn bytes_depend_on_entries_and_options_alone(
        files in proptest::collection::btree_map("[a-c]{1,2}/[a-z]{1,9}", any_content(), 0..90),
        threads in 1..5_usize,
        form in 0..5_usize,
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (_, form) = forms().swap_remove(form);
        let items: Vec<Item> = files.iter().map(|(path, content)| file(path, content)).collect();
        let once = write(&folder.path().join("once"), items.clone(), &form).unwrap();
        let mut shuffled = items;
        shuffled.sort_by_key(|item| Digest::of(&[item.path.as_bytes(), &seed.to_le_bytes()].concat()));
        let threads = NonZeroUsize::new(threads).unwrap();
        let form = match form {
            Form::Zip(options) => Form::Zip(ZipOptions { jobs: threads, ..options }),
            Form::Tar(options) => Form::Tar(TarOptions { jobs: threads, ..options }),
        };
        std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
        let twice = write(&folder.path().join("elsewhere/twice"), shuffled, &form).unwrap();
        prop_assert_eq!(once, twice);
    }
}
