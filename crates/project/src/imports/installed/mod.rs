//! What is installed beside a workspace, from its own records: distributions and their modules, and
//! the folders that `.pth` files and editable installations add to `sys.path`. Lists folders and reads
//! records, never a source.

mod locked;
mod modules;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_planner::Problem;

use crate::index::Watch;
use crate::path::{below, bytes, from_bytes};
use record::{editable_folder, name_in, name_of_folder, normalized, record_paths};

/// A distribution, as far as imports need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Distribution {
    pub(super) name: String,
    /// Where its files are, an index into [`Installed::trees`].
    pub(super) tree: u32,
    /// Paths of modules in that tree, as recorded.
    files: Vec<Vec<u8>>,
    /// From `top_level.txt`, or the name in the folder where nothing is recorded.
    tops: Vec<String>,
    /// The folder that an editable installation points to.
    editable: Option<PathBuf>,
}

/// A folder that stands on `sys.path` after the standard library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathFolder {
    /// In the workspace, and seen by its walk.
    Inside(RepoPath),
    /// A tree of its own: an index into [`Installed::trees`].
    Tree(u32),
}

/// All that is installed.
#[derive(Debug, Default)]
pub(super) struct Installed {
    /// Folders outside of the workspace, absolute.
    pub(super) trees: Vec<PathBuf>,
    /// In the order of `sys.path`, each once.
    pub(super) path: Vec<PathFolder>,
    /// By tree and normalized name.
    pub(super) distributions: Vec<Distribution>,
    /// Names directly in each tree.
    names: Vec<BTreeSet<Vec<u8>>>,
    /// What was looked at.
    pub(super) watches: Vec<Watch>,
    /// Lock files that could not be read.
    pub(super) problems: Vec<Problem>,
}

/// The tree of distributions that only a lock file names: nowhere.
pub(super) const LOCKED: u32 = u32::MAX;

/// Reads the folders of `site`, in their order. `is_walked` tells whether the walk of the workspace,
/// at `root`, has listed a folder.
pub(super) fn read(
    root: &Path,
    site: &[PathBuf],
    is_walked: &dyn Fn(&RepoPath) -> bool,
) -> Installed {
    let mut installed = Installed::default();
    for folder in site {
        let Some(tree) = installed.add(root, folder, is_walked) else { continue };
        let names = installed.names.get(tree as usize).cloned().unwrap_or_default();
        let folder = installed.trees.get(tree as usize).cloned().unwrap_or_default();
        let mut found = Vec::new();
        for name in &names {
            if name.ends_with(b".dist-info") || name.ends_with(b".egg-info") {
                let path = folder.join(from_bytes(name));
                installed.watches.push(Watch::take(path.clone()));
                let distribution = distribution(tree, &path, &mut installed.watches);
                found.push((normalized(&distribution.name), distribution));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        // Of two records of one distribution, as an interrupted upgrade leaves, the first serves.
        found.dedup_by(|later, first| later.0 == first.0);
        for name in names.iter().filter(|name| name.ends_with(b".pth")) {
            let path = folder.join(from_bytes(name));
            installed.watches.push(Watch::take(path.clone()));
            for linked in linked_folders(&folder, &path) {
                installed.add(root, &linked, is_walked);
            }
        }
        for (_, distribution) in &mut found {
            // A hook of setuptools leaves no plain path; the project's folder, or its `src`, does.
            if let Some(project) = &distribution.editable {
                let src = project.join("src");
                installed.watches.push(Watch::presence_or_stamp(src.clone()));
                let linked = if src.is_dir() { src } else { project.clone() };
                let own = below(root, &linked).is_some_and(|path| is_walked(&path));
                if own {
                    // Its modules are the workspace's; what is missing there is missing.
                    distribution.tops.clear();
                    distribution.files.clear();
                }
                let known = installed.trees.iter().any(|tree| tree.starts_with(project));
                if !own && !known {
                    installed.add(root, &linked, is_walked);
                }
            }
        }
        installed.distributions.extend(found.into_iter().map(|(_, found)| found));
    }
    let Installed { distributions, watches, problems, .. } = &mut installed;
    let more = locked::locked(root, distributions, watches, problems);
    distributions.extend(more);
    installed
}

/// Plain lines of a `.pth` file, in the order of the file. Lines that begin with `import` are code
/// for an interpreter, and are not run.
fn linked_folders(site: &Path, file: &Path) -> Vec<PathBuf> {
    let text = std::fs::read(file).unwrap_or_default();
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| {
            let is_code = line.starts_with(b"import ") || line.starts_with(b"import\t");
            !line.trim_ascii().is_empty() && !line.starts_with(b"#") && !is_code
        })
        .map(|line| site.join(from_bytes(line)))
        .filter(|folder| folder.is_dir())
        .collect()
}

fn distribution(tree: u32, folder: &Path, watches: &mut Vec<Watch>) -> Distribution {
    let mut read = |name: &str| {
        let path = folder.join(name);
        let content = std::fs::read(&path).ok()?;
        watches.push(Watch::take(path));
        Some(content)
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let metadata = if folder.is_file() {
        // `distutils` left a single file.
        std::fs::read(folder).ok().map(text)
    } else {
        read("METADATA").or_else(|| read("PKG-INFO")).map(text)
    };
    let file_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let from_folder = name_of_folder(file_name.as_deref().unwrap_or_default()).to_owned();
    let name = metadata.as_deref().and_then(name_in).unwrap_or(&from_folder).to_owned();
    let is_ours = |path: &Vec<u8>| {
        let suffixes: [&[u8]; 5] = [b".py", b".pyi", b".so", b".pyd", b".pth"];
        suffixes.iter().any(|suffix| path.ends_with(suffix))
            && !path.starts_with(b"/")
            && path.split(|byte| *byte == b'/').all(|part| part != b"..")
    };
    let mut files: Vec<Vec<u8>> = read("RECORD")
        .map(|record| record_paths(&record).filter(is_ours).collect())
        .unwrap_or_default();
    if let Some(list) = read("installed-files.txt") {
        // Paths relative to the `.egg-info` itself.
        let lines = list.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"../"));
        files.extend(lines.map(<[u8]>::to_vec).filter(is_ours));
    }
    files.sort();
    files.dedup();
    let mut tops: Vec<String> = read("top_level.txt")
        .map(text)
        .map(|text| {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        })
        .unwrap_or_default();
    let editable = read("direct_url.json").map(text).as_deref().and_then(editable_folder);
    if tops.is_empty() && files.is_empty() && editable.is_none() {
        tops.push(from_folder);
    }
    Distribution { name, tree, files, tops, editable }
}

impl Installed {
    /// Puts a folder on `sys.path`; gives its tree if it is one, and is new.
    fn add(
        &mut self,
        root: &Path,
        folder: &Path,
        is_walked: &dyn Fn(&RepoPath) -> bool,
    ) -> Option<u32> {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if let Some(path) = below(root, &folder).filter(is_walked) {
            let entry = PathFolder::Inside(path);
            if !self.path.contains(&entry) {
                self.path.push(entry);
            }
            return None;
        }
        if self.trees.contains(&folder) {
            return None;
        }
        // Before the listing, so that a change during it shows.
        self.watches.push(Watch::take(folder.clone()));
        let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        let names = entries.map(|entry| bytes(Path::new(&entry.file_name())).to_vec()).collect();
        let tree = u32::try_from(self.trees.len()).ok()?;
        self.trees.push(folder);
        self.names.push(names);
        self.path.push(PathFolder::Tree(tree));
        Some(tree)
    }

    /// Modules of distributions; what no distribution claims is its own, by its name.
    pub(super) fn externals(&self) -> (Vec<(String, usize)>, Vec<String>) {
        let mut found: Vec<(String, usize)> =
            modules::modules(&self.distributions).into_iter().collect();
        let mut more = Vec::new();
        for name in self.unclaimed() {
            found.push((name.clone(), self.distributions.len() + more.len()));
            more.push(name);
        }
        (found, more)
    }

    /// Modules directly in a tree that no distribution says are its own.
    fn unclaimed(&self) -> BTreeSet<String> {
        let mut claimed: BTreeSet<&[u8]> = BTreeSet::new();
        for distribution in &self.distributions {
            let heads = distribution.files.iter().map(|file| top(file));
            claimed.extend(heads.chain(distribution.tops.iter().map(String::as_bytes)));
        }
        let all = self.trees.iter().zip(&self.names).flat_map(|(folder, names)| {
            names.iter().filter_map(move |name| {
                let head = top(name);
                let is_file =
                    [&b".py"[..], b".pyi", b".so", b".pyd"].iter().any(|end| name.ends_with(end));
                let is_module = bytekiln_python::is_module_name(head) && head != b"__pycache__";
                let here = is_module
                    && (is_file
                        || (head == name.as_slice() && folder.join(from_bytes(name)).is_dir()));
                here.then_some(head)
            })
        });
        all.filter(|head| !claimed.contains(head))
            .filter_map(|head| std::str::from_utf8(head).ok())
            .map(str::to_owned)
            .collect()
    }

    /// To whom each file of the trees belongs.
    pub(super) fn claims(&self) -> Claims<'_> {
        let mut claims =
            Claims { files: BTreeMap::new(), tops: BTreeMap::new(), trees: BTreeMap::new() };
        for (number, distribution) in self.distributions.iter().enumerate() {
            for file in &distribution.files {
                claims.files.entry((distribution.tree, file)).or_insert(number);
                claims.tops.entry((distribution.tree, top(file))).or_insert(number);
            }
            for name in &distribution.tops {
                claims.tops.entry((distribution.tree, name.as_bytes())).or_insert(number);
            }
        }
        for (number, distribution) in self.distributions.iter().enumerate() {
            let Some(folder) = self.trees.get(distribution.tree as usize) else { continue };
            let links = distribution.files.iter().filter(|file| file.ends_with(b".pth"));
            let linked =
                links.flat_map(|file| linked_folders(folder, &folder.join(from_bytes(file))));
            let linked: Vec<PathBuf> = linked.filter_map(|path| path.canonicalize().ok()).collect();
            for (tree, folder) in self.trees.iter().enumerate() {
                let inside = |project: &PathBuf| folder.starts_with(project);
                if linked.contains(folder) || distribution.editable.as_ref().is_some_and(inside) {
                    claims.trees.entry(tree).or_insert(number);
                }
            }
        }
        claims
    }
}

/// See [`Installed::claims`].
pub(super) struct Claims<'a> {
    files: BTreeMap<(u32, &'a [u8]), usize>,
    tops: BTreeMap<(u32, &'a [u8]), usize>,
    /// Folders of editable installations.
    trees: BTreeMap<usize, usize>,
}

impl Claims<'_> {
    /// The distribution with this file: by its record, else by its first folder.
    pub(super) fn owner(&self, tree: u32, path: &[u8]) -> Option<usize> {
        let found = self.files.get(&(tree, path)).or_else(|| self.tops.get(&(tree, top(path))));
        found.or_else(|| self.trees.get(&(tree as usize))).copied()
    }
}

/// `a` of `a/b.py` and of `a.cpython-311-x86_64-linux-gnu.so`.
pub(super) fn top(path: &[u8]) -> &[u8] {
    let head = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    if head.len() < path.len() {
        head
    } else {
        head.split(|byte| *byte == b'.').next().unwrap_or(head)
    }
}
