//! Measures a graph of made-up sources: `cargo run --release -p bytekiln-graph --example
//! graph_throughput -- [FILES [IMPORTS]]`, 86,000 files with 15 imports each if nothing is said.
//! Prints the time of each step and the memory at its end (Linux). Measures no I/O.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a tool for developers"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{
    FileKind, Graph, Index, ModuleImports, Owner, OwnerKind, PathEntry, Root, SourceFile, Sources,
    Target, TargetPlatform, Which,
};
use bytekiln_python::Release;
use bytekiln_syntax::{Options, extract};

/// Modules in a package.
const PACKAGE: usize = 20;
/// Files resolved at once.
const RANGE: usize = 256;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let files: usize = numbers.next().unwrap_or(86_000);
    let imports: usize = numbers.next().unwrap_or(15);
    let mut watch = Watch(Instant::now());
    let options = Options { names: true, strings: None };
    let encoded: Vec<Vec<u8>> = (0..files)
        .map(|file| {
            let source = source(file, files, imports);
            ModuleImports::new(&extract(source.as_bytes(), &options)).encode()
        })
        .collect();
    watch.told("extracted and encoded");
    let bytes: usize = encoded.iter().map(Vec::len).sum();
    println!("{:>41} KB of records", bytes / 1000);
    let records: Vec<ModuleImports> =
        encoded.iter().map(|bytes| ModuleImports::decode(bytes).expect("a record")).collect();
    watch.told("records decoded");
    let sources = sources(&records);
    watch.told("sources listed");
    let index = Index::new(&sources);
    watch.told("indexed");
    let ranges = (0..index.len()).step_by(RANGE);
    let parts = ranges.map(|start| index.resolve(start..start.saturating_add(RANGE))).collect();
    watch.told("resolved");
    let graph = Graph::new(&index, parts);
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

fn module(file: usize) -> String {
    format!("project{}.package{}.module{file}", file / (PACKAGE * 20), file / PACKAGE)
}

fn path(file: usize) -> String {
    let name = module(file).replace('.', "/");
    match name.rsplit_once('/') {
        Some((folder, _)) if file.is_multiple_of(PACKAGE) => format!("{folder}/__init__.py"),
        _ => format!("{name}.py"),
    }
}

/// Imports as they usually are: some of the standard library, some of the own package, some from
/// anywhere, names rather than modules.
fn source(file: usize, files: usize, imports: usize) -> String {
    let mut text = String::from("\"\"\"Made up.\"\"\"\n");
    for number in 0..imports {
        let other = (file * 7 + number * 7919 + number * number) % files;
        let _ = match number % 5 {
            0 => writeln!(text, "import {}", ["os", "sys", "json", "logging"][number / 5 % 4]),
            1 => writeln!(
                text,
                "from .module{} import name{number}",
                file / PACKAGE * PACKAGE + other % PACKAGE
            ),
            2 => writeln!(text, "from third_party{}.sub import thing", other % 300),
            _ => writeln!(text, "from {} import name{number}, other", module(other)),
        };
    }
    for number in 0..20 {
        let _ = writeln!(text, "def name{number}():\n    return {number}");
    }
    text
}

fn sources(records: &[ModuleImports]) -> Sources<'_> {
    let folder = RepoPath::default();
    Sources {
        target: Target {
            release: Release::from_minor(13).expect("a release"),
            platform: TargetPlatform::default(),
        },
        files: records
            .iter()
            .enumerate()
            .map(|(file, record)| {
                let path = path(file);
                SourceFile {
                    tree: 0,
                    kind: FileKind::Source,
                    owner: 0,
                    script: false,
                    digest: Some(Digest::of(path.as_bytes())),
                    imports: Some(record),
                    path: RepoPath::new(path.as_bytes()).expect("a path"),
                }
            })
            .collect(),
        roots: vec![Root { tree: 0, folder }],
        owners: vec![Owner {
            name: "all".to_owned(),
            kind: OwnerKind::Member,
            path: vec![PathEntry::Root(0), PathEntry::StandardLibrary],
        }],
        generated: Vec::new(),
        externals: Vec::new(),
    }
}
