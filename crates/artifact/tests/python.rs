//! What CPython's `zipfile` and `tarfile` write, in all their variants, is read back.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;

use bytekiln_artifact::{Artifact, Container, Modified, OpenOptions};
use bytekiln_test_support::pythons;

const PROGRAM: &str = r##"
import io, os, sys, tarfile, zipfile
os.chdir(sys.argv[1])
FILES = {"pkg/a.py": b"a = 1\n" * 500, "pkg/b.py": b"", "caf\u00e9.py": b"x"}

class Pipe(io.RawIOBase):
    "Cannot seek: sizes follow the data."
    def __init__(self, path): self.out = open(path, "wb")
    def writable(self): return True
    def write(self, data): return self.out.write(data)
    def close(self): self.out.close(); super().close()

def fill(archive, method, zip64=False):
    for name, content in FILES.items():
        info = zipfile.ZipInfo(name, (1980 + len(content) % 100, 2, 3, 4, 5, 6))
        info.compress_type = method
        with archive.open(info, "w", force_zip64=zip64) as out:
            out.write(content)

for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(f"plain{method}.zip", "w") as archive:
        fill(archive, method)
        archive.comment = b"PK\x05\x06 is not the end" * 9
    with zipfile.ZipFile(f"large{method}.zip", "w") as archive:
        fill(archive, method, zip64=True)
    pipe = Pipe(f"pipe{method}.zip")
    with zipfile.ZipFile(pipe, "w") as archive:
        fill(archive, method)
    pipe.close()
with open("first.pyz", "wb") as out:
    out.write(b"#!/usr/bin/env python3\n")
with zipfile.ZipFile("first.pyz", "a") as archive:
    fill(archive, zipfile.ZIP_DEFLATED)
# Counts and offsets that only the zip64 end record has.
zipfile.ZIP_FILECOUNT_LIMIT = 1
with zipfile.ZipFile("many.zip", "w") as archive:
    fill(archive, zipfile.ZIP_DEFLATED)

for name, kind in ("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT):
    for mode, suffix in ("w", ".tar"), ("w:gz", ".tar.gz"):
        with tarfile.open(name + suffix, mode, format=kind) as archive:
            for path, content in FILES.items():
                info = tarfile.TarInfo(path)
                info.size = len(content)
                info.mtime = 1700000000.25 if name == "pax" else 1700000000
                archive.addfile(info, io.BytesIO(content))
"##;

fn read(path: &Path) -> (Artifact, Vec<(String, Vec<u8>)>) {
    let options = OpenOptions::new(NonZeroUsize::MIN);
    let artifact = Artifact::open(path, &options).unwrap();
    assert_eq!(artifact.problems(), [], "{}", path.display());
    let files = artifact.entries().iter().enumerate();
    let files = files
        .map(|(index, entry)| {
            let content = artifact.read(index).unwrap();
            assert_eq!(content.len() as u64, entry.size);
            (entry.path.to_string(), content)
        })
        .collect();
    (artifact, files)
}

#[test]
fn every_variant_is_read() {
    let Some(python) = pythons::any_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let status =
        Command::new(&python.path).args(["-I", "-c", PROGRAM]).arg(folder.path()).status().unwrap();
    assert!(status.success());
    let expected = vec![
        ("caf\u{e9}.py".to_owned(), b"x".to_vec()),
        ("pkg/a.py".to_owned(), b"a = 1\n".repeat(500)),
        ("pkg/b.py".to_owned(), Vec::new()),
    ];
    let mut archives: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    archives.sort();
    assert_eq!(archives.len(), 14);
    for path in archives {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (artifact, files) = read(&path);
        assert!(files == expected, "{name}: {files:?}");
        let wanted = match artifact.container() {
            Container::Zip => Modified::Dos {
                // `x` is one byte: 1981-02-03 04:05:06.
                date: 1 << 9 | 2 << 5 | 3,
                time: 4 << 11 | 5 << 5 | 3,
            },
            _ => Modified::Unix {
                seconds: 1_700_000_000,
                nanoseconds: if name.starts_with("pax") { 250_000_000 } else { 0 },
            },
        };
        assert_eq!(artifact.entries()[0].modified, wanted, "{name}");
    }
}
