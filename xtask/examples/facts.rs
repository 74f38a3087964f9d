//! The import graph of a program, its installation and the standard library, as facts for `cargo xtask
//! truth` and `cargo xtask compare-imports` to judge: `facts MINOR STRINGS ENTRY FOLDER...`: a file in
//! the first folder, and the folders in the order of `sys.path`, each after a `+`, and those of the
//! standard library after an `=`. Prints JSON. Knows nothing of what really ran.
#![expect(clippy::print_stdout, reason = "this is a command; printing is what it does")]

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bytekiln_action::RepoPath;
use bytekiln_graph::{
    FileKind, Graph, ModuleImports, Owner, OwnerKind, PathEntry, Root, SourceFile, Sources, Target,
    TargetPlatform, Which,
};
use bytekiln_python::Release;
use serde_json::{Value, json};

/// A folder of `sys.path`.
struct Entry {
    folder: PathBuf,
    owner: u32,
}

/// A file in one of them.
struct Found {
    tree: u32,
    path: RepoPath,
    kind: FileKind,
    owner: u32,
    imports: Option<ModuleImports>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let minor: u8 =
        arguments.next().context("usage: facts MINOR STRINGS ENTRY FOLDER...")?.parse()?;
    let strings =
        arguments.next().context("usage: facts MINOR STRINGS ENTRY FOLDER...")? == "strings";
    let entry = arguments.next().context("usage: facts MINOR STRINGS ENTRY FOLDER...")?;
    let mut entries = Vec::new();
    for argument in arguments {
        let (owner, folder) = match argument.split_at_checked(1) {
            Some(("+", folder)) => (0, folder),
            Some(("=", folder)) => (1, folder),
            _ => bail!("`{argument}` starts with neither `+` nor `=`"),
        };
        let folder = PathBuf::from(folder);
        if folder.is_dir() {
            entries.push(Entry { folder, owner });
        }
    }
    let options = bytekiln_syntax::Options { names: true, strings: strings.then_some(1) };
    let mut found = Vec::new();
    for (tree, entry) in (0_u32..).zip(&entries) {
        let others: Vec<&Path> = entries
            .iter()
            .map(|other| other.folder.as_path())
            .filter(|f| *f != entry.folder)
            .collect();
        walk(entry, tree, &others, &options, &mut found)?;
    }
    let graph = graph(minor, &entries, &found)?;
    println!("{}", facts(&graph, &entries, &entry)?);
    Ok(())
}

fn walk(
    entry: &Entry,
    tree: u32,
    others: &[&Path],
    options: &bytekiln_syntax::Options,
    found: &mut Vec<Found>,
) -> Result<()> {
    let mut folders = vec![entry.folder.clone()];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(&folder)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let skipped = name == "__pycache__" || name == "site-packages";
                if !skipped && !others.contains(&path.as_path()) {
                    folders.push(path);
                }
                continue;
            }
            let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
                Some("py") => FileKind::Source,
                Some("pyi") => FileKind::Stub,
                Some("so") => FileKind::Extension,
                _ => continue,
            };
            let source = match kind {
                FileKind::Extension => compiled_from(&path).filter(|source| source.is_file()),
                _ => Some(path.clone()),
            };
            let imports = match source {
                None => None,
                Some(source) => {
                    let source = std::fs::read(source)?;
                    Some(ModuleImports::new(&bytekiln_syntax::extract(&source, options)))
                }
            };
            let below = path.strip_prefix(&entry.folder)?.as_os_str().as_encoded_bytes();
            let path = RepoPath::new(below).context("a path that is none of a repository")?;
            found.push(Found { tree, path, kind, owner: entry.owner, imports });
        }
    }
    Ok(())
}

/// The source beside an extension module that mypyc or Cython made it from: it imports the same.
fn compiled_from(path: &Path) -> Option<PathBuf> {
    let stem = path.file_name()?.to_str()?.split('.').next()?;
    Some(path.with_file_name(format!("{stem}.py")))
}

fn graph(minor: u8, entries: &[Entry], found: &[Found]) -> Result<Graph> {
    let empty = RepoPath::new(b"").context("the root is a path")?;
    let mut path: Vec<PathEntry> =
        (0_u32..).zip(entries).map(|(root, _)| PathEntry::Root(root)).collect();
    // Built-in modules have no files; of all others files are better than the table.
    let last = entries.iter().rposition(|entry| entry.owner == 1).map_or(0, |last| last + 1);
    path.insert(last, PathEntry::StandardLibrary);
    let owner = |name: &str, kind| Owner { name: name.to_owned(), kind, path: path.clone() };
    let word = |text: &str| Some(text.to_owned());
    let sources = Sources {
        target: Target {
            release: Release::from_minor(minor).context("no such release")?,
            platform: TargetPlatform {
                sys_platform: word("linux"),
                os_name: word("posix"),
                system: word("Linux"),
                machine: word(std::env::consts::ARCH),
            },
        },
        files: found
            .iter()
            .map(|file| SourceFile {
                tree: file.tree,
                path: file.path.clone(),
                kind: file.kind,
                owner: file.owner,
                script: false,
                digest: None,
                imports: file.imports.as_ref(),
            })
            .collect(),
        roots: (0_u32..)
            .zip(entries)
            .map(|(tree, _)| Root { tree, folder: empty.clone() })
            .collect(),
        owners: vec![
            owner("program", OwnerKind::Member),
            owner("standard library", OwnerKind::StandardLibrary),
        ],
        generated: Vec::new(),
        externals: Vec::new(),
    };
    Ok(Graph::build(&sources))
}

/// `nodes`: kind, name, file; `edges`: from, to, line, words.
/// `closures`: of the entry, numbers of nodes.
fn facts(graph: &Graph, entries: &[Entry], entry: &str) -> Result<Value> {
    let nodes: Vec<Value> = graph
        .nodes()
        .map(|(_, node)| {
            let file = node.file.as_ref().and_then(|(tree, path)| {
                let folder = &entries.get(*tree as usize)?.folder;
                Some(folder.join(path.as_str()?).to_string_lossy().into_owned())
            });
            json!([node.kind.word(), node.name, file])
        })
        .collect();
    let mut edges: Vec<Value> = Vec::new();
    for (id, _) in graph.nodes() {
        for (_, edge) in graph.imports(id) {
            let words: Vec<&str> = edge.kinds.words().collect();
            let (from, to) = (edge.from.number(), edge.to.number());
            edges.push(json!([from, to, edge.line, words.join(" ")]));
        }
    }
    let path = RepoPath::new(entry.as_bytes()).context("the entry is no path")?;
    let start: Vec<_> = graph.find_file(0, &path).into_iter().collect();
    let closure = |which| -> Vec<u32> {
        graph.closure(&start, which).into_iter().map(|node| node.number()).collect()
    };
    let closures = json!({
        "eager": closure(Which::Eager),
        "runtime": closure(Which::Runtime),
        "all": closure(Which::All),
    });
    Ok(json!({ "nodes": nodes, "edges": edges, "closures": closures }))
}
