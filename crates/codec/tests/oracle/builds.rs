//! Other builds of one version: free-threaded ones share the magic number and the cache tag of the
//! ordinary ones, debug builds everything. Their canonical forms must be the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytekiln_codec::{NanPolicy, canonicalize};
use bytekiln_python::Release;

use crate::process::Process;
use crate::{interpreters, is_full, options};

/// Files of the standard library that are compared by default.
const FILES: usize = 150;

/// Version and build: `3.13.15` and `t`.
fn build_of(interpreter: &Path) -> (String, String) {
    let text = answer(
        interpreter,
        "import sys; v = sys.version_info\n\
         print('%d.%d.%d' % v[:3] + ' ' + sys.abiflags, end='')",
    );
    let (version, flags) = text.rsplit_once(' ').expect("two words");
    (version.to_owned(), flags.to_owned())
}

fn library_of(interpreter: &Path) -> PathBuf {
    answer(interpreter, "import sysconfig; print(sysconfig.get_paths()['stdlib'], end='')").into()
}

fn answer(interpreter: &Path, question: &str) -> String {
    let output = Command::new(interpreter).args(["-I", "-c", question]).output();
    let text = String::from_utf8(output.expect("the interpreter starts").stdout);
    text.expect("UTF-8")
}

/// What a process wrote of a source, and the canonical form of that.
struct Made {
    raw: Vec<u8>,
    canonical: Vec<u8>,
}

fn make(interpreter: &Path, release: Release, library: &Path) -> BTreeMap<String, Made> {
    let files = if is_full() { 0 } else { FILES };
    let mut process = Process::start(interpreter, release, files, "forward", Some(library));
    let mut all = BTreeMap::new();
    while let Some(mut compiled) = process.next() {
        let options = options(release, compiled.path.as_bytes(), NanPolicy::Kept);
        let raw = compiled.variants.swap_remove(0);
        let canonical = canonicalize(&raw, &options).expect("a canonical form");
        // Loaded by the build that made it, and found the same.
        assert_eq!(process.judge(&canonical), "", "{}", compiled.path);
        all.insert(compiled.path, Made { raw, canonical });
    }
    all
}

#[test]
fn builds_of_one_version_agree() {
    let mut compared_builds = 0;
    for minor in 8..=15 {
        let release = Release::from_minor(minor).expect("a known release");
        let mut versions: BTreeMap<String, Vec<(String, PathBuf)>> = BTreeMap::new();
        for interpreter in interpreters::find(minor) {
            let (version, flags) = build_of(&interpreter);
            versions.entry(version).or_default().push((flags, interpreter));
        }
        for (version, builds) in versions {
            let [(_, first), others @ ..] = builds.as_slice() else { continue };
            if others.is_empty() {
                continue;
            }
            // Distributions patch their libraries: all compile that of the first.
            let library = library_of(first);
            let one = make(first, release, &library);
            for (flags, other) in others {
                let (mut same, mut raw) = (0, 0);
                for (path, theirs) in make(other, release, &library) {
                    let ours = one.get(&path).expect("the first compiled it too");
                    assert!(ours.canonical == theirs.canonical, "{version}{flags}: {path}");
                    same += 1;
                    raw += usize::from(ours.raw != theirs.raw);
                }
                println!(
                    "{version}: {} and {}: {same} files, {raw} of them differ as written",
                    first.display(),
                    other.display()
                );
                assert!(same >= FILES / 2, "{same} files");
                compared_builds += 1;
            }
        }
    }
    if compared_builds == 0 {
        println!("skipped: no two builds of one version; see .ci/install-more-pythons");
    }
}
