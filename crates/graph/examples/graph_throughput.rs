//! Measures a graph: `cargo run --release -p bytekiln-graph --example graph_throughput -- COPIES
//! FOLDER…` of so many copies of the sources below some folders, each copy of a folder a root; without
//! arguments, of 86,000 made-up ones with 15 imports each. Prints the time of each step and the memory
//! at its end (Linux). Measures no I/O.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool for developers"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{
    FileKind, Graph, Index, ModuleImports, Owner, OwnerKind, PathEntry, Resolved, Root, SourceFile,
    Sources, Target, TargetPlatform, Which,
};
use bytekiln_python::Release;
use bytekiln_syntax::{Options, extract};

/// Sources that are made up.
const MADE_UP: usize = 86_000;
/// Modules in a package.
const PACKAGE: usize = 20;
/// Files resolved at once.
const RANGE: usize = 256;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let copies: usize =
        arguments.next().map_or(1, |number| number.parse().expect("a number of copies"));
    let mut files = Files::default();
    let folders: Vec<String> = arguments.collect();
    for folder in &folders {
        files.collect(Path::new(folder), folder.trim_start_matches('/'));
        files.roots.push(folder.trim_start_matches('/').to_owned());
    }
    if folders.is_empty() {
        files.make_up();
    }
    let mut watch = Watch(Instant::now());
    let options = Options { names: true, strings: None };
    let encode =
        |source: &Vec<u8>| ModuleImports::new(&extract(source, &options)).encode().into_owned();
    let encoded: Vec<Vec<u8>> = files.contents.iter().map(encode).collect();
    files.contents = Vec::new();
    watch.told("extracted and encoded");
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!("{:>41} KB of records", bytes / 1000);
    let records: Vec<ModuleImports> = (0..copies)
        .flat_map(|_| &encoded)
        .map(|bytes| ModuleImports::decode(bytes).expect("a record"))
        .collect();
    watch.told("records decoded");
    let sources = sources(&files, copies, &records);
    watch.told("sources listed");
    let index = Index::new(&sources);
    watch.told("indexed");
    let ranges = (0..index.len()).step_by(RANGE);
    let parts: Vec<Resolved> =
        ranges.map(|start| index.resolve(start..start.saturating_add(RANGE))).collect();
    watch.told("resolved");
    let graph = Graph::new(&index, parts, |parts, settle| parts.iter_mut().for_each(settle));
    watch.told("put together");
    println!("{:>41} nodes, {} edges", graph.len(), graph.edge_count());
    let snapshot = graph.encode();
    watch.told("snapshot encoded");
    println!("{:>41} KB", snapshot.len() / 1000);
    let decoded = Graph::decode(&snapshot).expect("a graph");
    watch.told("snapshot decoded");
    assert!(decoded == graph, "the snapshot is another graph");
    watch.told("compared");
    black_box(decoded.fingerprints(Which::Runtime));
    watch.told("fingerprints");
    black_box(decoded.cycles(Which::Eager));
    watch.told("cycles");
}

struct Watch(Instant);

impl Watch {
    fn told(&mut self, what: &str) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = |name: &str| -> f64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or(0.0) / 1024.0
        };
        println!(
            "{what:<24} {:8.1} ms, {:6.1} MiB now, {:6.1} at most",
            self.0.elapsed().as_secs_f64() * 1e3,
            memory("VmRSS:"),
            memory("VmHWM:"),
        );
        self.0 = Instant::now();
    }
}

/// Sources, by path.
#[derive(Default)]
struct Files {
    roots: Vec<String>,
    paths: Vec<String>,
    contents: Vec<Vec<u8>>,
}

impl Files {
    fn collect(&mut self, folder: &Path, name: &str) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        entries.sort();
        for path in entries {
            let last = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let name = format!("{name}/{last}");
            if path.is_dir() && !path.is_symlink() {
                self.collect(&path, &name);
            } else if name.ends_with(".py") && path.is_file() {
                self.contents.push(std::fs::read(&path).expect("readable"));
                self.paths.push(name);
            }
        }
    }

    fn make_up(&mut self) {
        self.roots.push("made".to_owned());
        for file in 0..MADE_UP {
            let name = module(file).replace('.', "/");
            self.paths.push(match name.rsplit_once('/') {
                Some((folder, _)) if file.is_multiple_of(PACKAGE) => {
                    format!("made/{folder}/__init__.py")
                }
                _ => format!("made/{name}.py"),
            });
            self.contents.push(source(file).into_bytes());
        }
    }
}

fn module(file: usize) -> String {
    format!("project{}.package{}.module{file}", file / (PACKAGE * 20), file / PACKAGE)
}

/// Imports as they usually are: some of the standard library, some of the own package, some from
/// anywhere, names rather than modules.
fn source(file: usize) -> String {
    let mut text = String::from("\"\"\"Made up.\"\"\"\n");
    for number in 0..15 {
        let other = (file * 7 + number * 7919 + number * number) % MADE_UP;
        let beside = file / PACKAGE * PACKAGE + other % PACKAGE;
        let _ = match number % 5 {
            0 => writeln!(text, "import {}", ["os", "sys", "json", "logging"][number / 5 % 4]),
            1 => writeln!(text, "from .module{beside} import name{number}"),
            2 => writeln!(text, "from third_party{}.sub import thing", other % 300),
            _ => writeln!(text, "from {} import name{number}, other", module(other)),
        };
    }
    for number in 0..20 {
        let _ = writeln!(text, "def name{number}():\n    return {number}");
    }
    text
}

fn sources<'a>(files: &Files, copies: usize, records: &'a [ModuleImports]) -> Sources<'a> {
    let path = |copy: usize, name: &str| {
        RepoPath::new(format!("copy{copy}/{name}").as_bytes()).expect("a path")
    };
    let all = (0..copies).flat_map(|copy| files.paths.iter().map(move |name| path(copy, name)));
    let roots = (0..copies).flat_map(|copy| {
        files.roots.iter().map(move |root| Root { tree: 0, folder: path(copy, root) })
    });
    let roots: Vec<Root> = roots.collect();
    Sources {
        target: Target {
            release: Release::from_minor(13).expect("a release"),
            platform: TargetPlatform::default(),
        },
        files: all
            .zip(records)
            .map(|(path, record)| SourceFile {
                tree: 0,
                kind: FileKind::Source,
                owner: 0,
                script: false,
                digest: Some(Box::new(Digest::of(path.as_bytes()))),
                imports: Some(record),
                path,
            })
            .collect(),
        owners: vec![Owner {
            name: "all".to_owned(),
            kind: OwnerKind::Member,
            path: std::iter::once(PathEntry::StandardLibrary)
                .chain((0_u32..).take(roots.len()).map(PathEntry::Root))
                .collect(),
        }],
        roots,
        generated: Vec::new(),
        externals: Vec::new(),
    }
}
