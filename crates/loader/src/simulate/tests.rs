//! Verdicts that no importer states: why a file is never looked at.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytekiln_action::RepoPath;
use bytekiln_python::Release;
use expect_test::{Expect, expect};

use super::simulate;
use crate::{
    Class, Container, Contents, Earlier, Entry, FileId, HashCheck, Kind, Launch, Root, Stamp, Tree,
};

/// Every file is empty.
struct Empty;

impl Contents for Empty {
    fn read(&self, _file: FileId) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn local_seconds(&self, _date: u16, _time: u16) -> Option<i64> {
        None
    }
}

/// Simulates 3.11 on roots that are written `dir: a.py b/` or `zip: a.py`.
fn check(roots: &[&str], expected: &Expect) {
    let roots = roots.iter().map(|root| {
        let (container, files) = match root.split_once(": ") {
            Some(("zip", files)) => (Container::Zip, files),
            Some((_, files)) => (Container::Directory, files),
            None => (Container::Directory, ""),
        };
        let entry = |path: &str| Entry {
            path: RepoPath::new(path.trim_end_matches('/').as_bytes()).expect("a path"),
            kind: if path.ends_with('/') { Kind::Directory } else { Kind::File },
            size: 0,
            modified: Stamp::Seconds(0),
        };
        let entries = files.split(' ').map(entry).collect();
        Root { container, location: b"/there".to_vec(), entries }
    });
    let tree = Tree { roots: roots.collect(), pycache_prefix: None };
    let launch = Launch {
        release: Release::from_minor(11).expect("a release"),
        cache_tag: Some("cpython-311".to_owned()),
        optimize: 0,
        hash_check: HashCheck::Default,
        extension_suffixes: vec![".cpython-311-x86_64-linux-gnu.so".to_owned(), ".so".to_owned()],
        earlier: BTreeMap::from([("sys".to_owned(), Earlier::BuiltIn)]),
    };
    let mut out = String::new();
    for report in simulate(&tree, &launch, &Empty) {
        let name = String::from_utf8_lossy(&report.name);
        let root = report.file.root;
        let file = tree.entry(report.file).map(|entry| entry.path.to_string()).unwrap_or_default();
        writeln!(out, "{name}: {root}/{file} {:?}: {:?}", report.effect, report.reason)
            .expect("a string");
    }
    expected.assert_eq(&out);
}

#[test]
fn who_shadows_whom() {
    check(
        &["dir: a/__init__.py a.py b.so b.py b.pyc c.py c/d.py sys.py", "dir: a/x.py n/m.py"],
        &expect![[r#"
            a: 0/a/__init__.py Compiles: NoCache
            b: 0/b.so Loads: ExtensionModule
            c: 0/c.py Compiles: NoCache
            n.m: 1/n/m.py Compiles: NoCache
            a.py: 0/a.py NotUsed: ShadowedBy(Shadow { kind: Package, by: Some(FileId { root: 0, entry: 0 }) })
            a/x.py: 1/a/x.py NotUsed: ShadowedBy(Shadow { kind: EarlierPath, by: Some(FileId { root: 0, entry: 0 }) })
            b.py: 0/b.py NotUsed: ShadowedBy(Shadow { kind: Extension, by: Some(FileId { root: 0, entry: 2 }) })
            b.pyc: 0/b.pyc NotUsed: ShadowedBy(Shadow { kind: Extension, by: Some(FileId { root: 0, entry: 2 }) })
            c/d.py: 0/c/d.py NotUsed: ShadowedBy(Shadow { kind: Module, by: Some(FileId { root: 0, entry: 5 }) })
            sys.py: 0/sys.py NotUsed: ShadowedBy(Shadow { kind: Interpreter(BuiltIn), by: None })
        "#]],
    );
}

#[test]
fn what_is_only_ignored() {
    check(
        &[
            "dir: a.py a.pyc __pycache__/gone.cpython-311.pyc __pycache__/a.cpython-310.opt-1.pyc",
            "zip: b.py b.so __pycache__/b.cpython-311.pyc c.so n/m.py p/ p/m.py",
            "dir: my-script.py x-1.0/inner.py",
        ],
        &expect![[r#"
            a: 0/a.py Compiles: OtherInterpreters(["cpython-310"])
            b: 1/b.py Compiles: CacheFolderInZip
            p.m: 1/p/m.py Compiles: NoCache
            my-script.py: 2/my-script.py NotUsed: NoModuleName
            x-1.0/inner.py: 2/x-1.0/inner.py NotUsed: NoModuleName
            a.pyc: 0/a.pyc NotUsed: LegacyBesideSource
            b.so: 1/b.so NotUsed: ExtensionInZip
            c: 1/c.so Fails(ModuleNotFoundError): ExtensionInZip
            n/m.py: 1/n/m.py Fails(ModuleNotFoundError): NoFolderEntry
            __pycache__/gone.cpython-311.pyc: 0/__pycache__/gone.cpython-311.pyc NotUsed: NoSource
        "#]],
    );
}

#[test]
fn words_for_verdicts_are_distinct() {
    for class in Class::ALL {
        assert_eq!(Class::parse(class.as_str()), Some(class));
    }
}
