//! The eager closure against what a real CPython runs, on trees made up at random (the same ones every
//! time): a few names in three roots, as modules, packages and namespaces, that import each other in
//! all ways.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use bytekiln_action::RepoPath;
use bytekiln_graph::{
    FileKind, Graph, ModuleImports, NodeKind, Owner, OwnerKind, PathEntry, Root, SourceFile,
    Sources, Target, TargetPlatform, Which,
};
use bytekiln_python::Release;
use bytekiln_syntax::{Options, extract};
use bytekiln_test_support::fixture::Tree;
use bytekiln_test_support::pythons;

const CASES: usize = 500;
const NAMES: [&str; 4] = ["a", "b", "c", "json"];
const ROOTS: [&str; 3] = ["first", "second", "third"];

/// Runs `first/main.py` of every case in one process and prints the files that were run.
const RUN: &str = "
import importlib, os, runpy, sys
base, count = sys.argv[1], int(sys.argv[2])
plain, known = list(sys.path), set(sys.modules)
for number in range(count):
    case = os.path.join(base, str(number))
    roots = [os.path.join(case, name) for name in ('first', 'second', 'third')]
    sys.path[:] = roots[:2] + plain + roots[2:]
    for name in set(sys.modules) - known:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.ran = []
    runpy.run_path(os.path.join(roots[0], 'main.py'))
    print(number, *sorted({os.path.relpath(path, case) for path in sys.ran}))
";

/// Some packages look for more of their folders.
const EXTEND: &str = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";

/// A xorshift generator: the trees have to be the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    fn dotted(&mut self) -> String {
        let count = 1 + self.below(3);
        (0..count).map(|_| self.name()).collect::<Vec<_>>().join(".")
    }

    fn statement(&mut self) -> String {
        match self.below(8) {
            0 | 1 => format!("import {}", self.dotted()),
            2 | 3 => format!("from {} import {}", self.dotted(), self.name()),
            4 => format!("from . import {}", self.name()),
            5 => format!("from .{} import {}", self.name(), self.name()),
            6 => format!("from .. import {}", self.name()),
            _ => format!("from ..{} import {}", self.dotted(), self.name()),
        }
    }

    /// Every statement may fail, and binds a name of its own only.
    fn source(&mut self, statements: usize) -> String {
        let mut text = String::from("__import__('sys').ran.append(__file__)\n");
        for name in NAMES {
            if self.below(6) == 0 {
                writeln!(text, "{name} = 1").unwrap();
            }
        }
        for number in 0..self.below(statements + 1) {
            let statement = self.statement();
            writeln!(text, "try:\n    {statement} as _{number}\nexcept Exception:\n    pass")
                .unwrap();
        }
        text
    }

    fn case(&mut self) -> Vec<(String, String)> {
        let mut files = vec![("first/main.py".to_owned(), self.source(16))];
        for root in ROOTS {
            for _ in 0..self.below(12) {
                let mut path = root.to_owned();
                for _ in 0..1 + self.below(3) {
                    write!(path, "/{}", self.name()).unwrap();
                }
                path.push_str(if self.below(2) == 0 { "/__init__.py" } else { ".py" });
                let mut source = self.source(5);
                // Folders of the standard library are known by a table only.
                let is_package = path.ends_with("/__init__.py") && !path.contains("json");
                if is_package && self.below(4) == 0 {
                    source.insert_str(0, EXTEND);
                }
                if !files.iter().any(|(other, _)| *other == path) {
                    files.push((path, source));
                }
            }
        }
        files
    }
}

fn predicted(files: &[(String, String)], minor: u8) -> BTreeSet<String> {
    let options = Options { names: true, strings: None };
    let records: Vec<ModuleImports> = files
        .iter()
        .map(|(_, text)| ModuleImports::new(&extract(text.as_bytes(), &options)))
        .collect();
    let path = |text: &str| RepoPath::new(text.as_bytes()).unwrap();
    let sources = Sources {
        target: Target {
            release: Release::from_minor(minor).unwrap(),
            platform: TargetPlatform::default(),
        },
        files: files
            .iter()
            .zip(&records)
            .map(|((name, _), record)| SourceFile {
                tree: 0,
                path: path(name),
                kind: FileKind::Source,
                owner: 0,
                script: false,
                digest: None,
                imports: Some(record),
            })
            .collect(),
        roots: ROOTS.iter().map(|root| Root { tree: 0, folder: path(root) }).collect(),
        owners: vec![Owner {
            name: "case".to_owned(),
            kind: OwnerKind::Member,
            path: vec![
                PathEntry::Root(0),
                PathEntry::Root(1),
                PathEntry::StandardLibrary,
                PathEntry::Root(2),
            ],
        }],
        generated: Vec::new(),
        externals: Vec::new(),
    };
    let graph = Graph::build(&sources);
    let main = graph.find_file(0, &path("first/main.py")).unwrap();
    graph
        .closure(&[main], Which::Eager)
        .iter()
        .filter_map(|id| graph.node(*id))
        .filter(|node| node.kind != NodeKind::Namespace)
        .filter_map(|node| node.file.as_ref().map(|(_, path)| path.to_string()))
        .collect()
}

#[test]
fn the_closure_is_what_runs() {
    let Some(python) = pythons::any_or_skip() else { return };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let cases: Vec<_> = (0..CASES).map(|_| random.case()).collect();
    let tree = Tree::new("");
    for (number, files) in cases.iter().enumerate() {
        for root in ROOTS {
            tree.write(&format!("{number}/{root}/.keep"), "");
        }
        for (path, text) in files {
            tree.write(&format!("{number}/{path}"), text);
        }
    }
    let output = Command::new(&python.path)
        .args(["-I", "-S", "-B", "-c", RUN])
        .arg(tree.root())
        .arg(CASES.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), CASES);
    let mut different = String::new();
    let mut ran = 0;
    let mut shown = None;
    for (line, files) in text.lines().zip(&cases) {
        let mut words = line.split(' ');
        let number = words.next().unwrap();
        let real: BTreeSet<String> = words.map(str::to_owned).collect();
        let found = predicted(files, python.version.1);
        ran += real.len();
        if real != found {
            let missed: Vec<_> = real.difference(&found).collect();
            let extra: Vec<_> = found.difference(&real).collect();
            writeln!(different, "case {number}: missed {missed:?}, not run {extra:?}").unwrap();
            if shown.is_none_or(|shown: &Vec<_>| shown.len() > files.len()) {
                shown = Some(files);
                writeln!(different, "(of {} files)", files.len()).unwrap();
            }
        }
    }
    for (path, text) in shown.into_iter().flatten() {
        // The smallest case.
        writeln!(different, "//- /{path}\n{text}").unwrap();
    }
    assert!(different.is_empty(), "{different}");
    assert!(ran > 3 * CASES, "only {ran} files were run: the cases test little");
}
