//! The import graph of exactly those modules that were loaded, standard library and distributions
//! included: which statement of which file imports what. Reads sources, and imports nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::{
    FileKind, Graph, Kinds, ModuleImports, NodeId, NodeKind, Owner, OwnerKind, PathEntry, Root,
    SourceFile, Sources, Target, Which,
};
use bytekiln_startup::{Origin, Verbose};

use super::zips::Zips;

/// A statement that imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Dotted name of the module that it is in; `__main__` for the program itself.
    pub(super) importer: String,
    /// Its file.
    pub(super) file: PathBuf,
    /// Its line, from 1.
    pub(super) line: u32,
    /// It runs when its module is imported, not later.
    pub(super) eager: bool,
}

/// Statements by the module that they import.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    pub(super) importers: BTreeMap<String, Vec<Place>>,
    /// Importer and imported: what is imported as soon as a module is, packages around it included.
    pub(super) edges: BTreeSet<(String, String)>,
}

/// What the program itself is called.
pub(super) const MAIN: &str = "__main__";

struct File {
    name: String,
    path: PathBuf,
    root: usize,
    below: RepoPath,
}

/// Reads the sources of what was loaded, and of the program itself.
pub(super) fn observe(
    verbose: &Verbose,
    main: Option<&Path>,
    folder: &Path,
    zips: &Zips,
    target: Target,
) -> Observed {
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut files: Vec<File> = Vec::new();
    let sources = verbose.modules.iter().filter_map(|(name, loaded)| {
        let path = folder.join(loaded.file.as_ref()?);
        match loaded.origin {
            Origin::Cache | Origin::Compiled | Origin::Stale => Some((name.clone(), path)),
            // Compiled from the source beside it (mypyc, Cython), it imports what that says.
            Origin::Extension => {
                let stem = path.file_name()?.to_str()?.split('.').next()?;
                let source = path.with_file_name(format!("{stem}.py"));
                source.is_file().then(|| (name.clone(), source))
            }
            Origin::Zip | Origin::BuiltIn | Origin::Frozen | Origin::Namespace | Origin::Other => {
                None
            }
        }
    });
    for (name, path) in sources {
        let Some(root) = root_of(&name, &path) else { continue };
        add(name, path, root, &mut roots, &mut files);
    }
    if let Some(main) = main {
        let root = main.parent().unwrap_or(Path::new("/")).to_owned();
        add(MAIN.to_owned(), main.to_owned(), root, &mut roots, &mut files);
    }
    let records: Vec<ModuleImports> = files.iter().map(|file| read(&file.path, zips)).collect();
    let source = |(file, imports): (&File, _)| SourceFile {
        tree: u32::try_from(file.root).unwrap_or(u32::MAX),
        path: file.below.clone(),
        kind: FileKind::Source,
        owner: 0,
        script: file.name == MAIN,
        digest: None,
        imports: Some(imports),
    };
    let count = u32::try_from(roots.len()).unwrap_or(u32::MAX);
    let mut all: Vec<SourceFile<'_>> = files.iter().zip(&records).map(source).collect();
    all.sort_by(|a, b| (a.tree, &a.path).cmp(&(b.tree, &b.path)));
    let graph = Graph::build(&Sources {
        target,
        files: all,
        roots: (0..count).map(|tree| Root { tree, folder: RepoPath::default() }).collect(),
        owners: vec![Owner {
            name: MAIN.to_owned(),
            kind: OwnerKind::Member,
            path: (0..count).map(PathEntry::Root).chain([PathEntry::StandardLibrary]).collect(),
        }],
        generated: Vec::new(),
        externals: Vec::new(),
    });
    statements(&graph, &files)
}

fn add(
    name: String,
    path: PathBuf,
    root: PathBuf,
    roots: &mut Vec<PathBuf>,
    files: &mut Vec<File>,
) {
    let below = path.strip_prefix(&root).ok();
    let Some(below) = below.and_then(|below| RepoPath::new(below.as_os_str().as_bytes())) else {
        return;
    };
    let at = roots.iter().position(|known| *known == root).unwrap_or_else(|| {
        roots.push(root);
        roots.len() - 1
    });
    files.push(File { name, path, root: at, below });
}

/// The folder of the path in which a module's name makes its file lie.
pub(super) fn root_of(name: &str, path: &Path) -> Option<PathBuf> {
    let mut folder = path.parent()?;
    let mut parts: Vec<&str> = name.split('.').collect();
    if path.file_stem()? != "__init__" {
        parts.pop();
    }
    for part in parts.iter().rev() {
        if folder.file_name()? != OsStr::new(part) {
            return None;
        }
        folder = folder.parent()?;
    }
    Some(folder.to_owned())
}

/// A source that cannot be read any more has no imports; it was loaded, and that is what counts.
fn read(path: &Path, zips: &Zips) -> ModuleImports {
    let bytes = zips.read(path).or_else(|| std::fs::read(path).ok()).unwrap_or_default();
    let options = bytekiln_syntax::Options { names: true, strings: None };
    ModuleImports::new(&bytekiln_syntax::extract(&bytes, &options))
}

fn statements(graph: &Graph, files: &[File]) -> Observed {
    let by_place: BTreeMap<(u32, &RepoPath), &File> = files
        .iter()
        .map(|file| ((u32::try_from(file.root).unwrap_or(u32::MAX), &file.below), file))
        .collect();
    let file_of = |id: NodeId| {
        let (tree, path) = graph.node(id)?.file.as_ref()?;
        by_place.get(&(*tree, path)).copied()
    };
    let mut observed = Observed::default();
    for (id, _) in graph.nodes() {
        let Some(file) = file_of(id) else { continue };
        for (_, edge) in graph.imports(id) {
            let Some(to) = graph.node(edge.to) else { continue };
            let name = match file_of(edge.to) {
                Some(to) => to.name.clone(),
                None if matches!(to.kind, NodeKind::Stub) => continue,
                None => to.name.to_string(),
            };
            if name.is_empty() || name == file.name || !Which::Runtime.follows(edge.kinds) {
                continue;
            }
            // Under `if __name__ == "__main__"`: runs, if the file is the program.
            let kinds = match &*file.name {
                MAIN => edge.kinds.without(Kinds::MAIN),
                _ => edge.kinds,
            };
            let eager = Which::Eager.follows(kinds);
            if eager {
                observed.edges.insert((file.name.clone(), name.clone()));
            }
            if edge.line > 0 {
                observed.importers.entry(name).or_default().push(Place {
                    importer: file.name.clone(),
                    file: file.path.clone(),
                    line: edge.line,
                    eager,
                });
            }
        }
    }
    for places in observed.importers.values_mut() {
        places.sort();
        places.dedup();
    }
    observed
}
