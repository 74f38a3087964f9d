//! From the files of distributions to the modules that are theirs: the outermost package that has an
//! `__init__` of its own, so that what lies in a namespace package that several share goes to whom it
//! belongs. Knows no disk.

use std::collections::{BTreeMap, BTreeSet};

use super::Distribution;

/// Dotted names, each with the number of its distribution; a package that several distributions bring
/// along is given for each of them, and so is what lies in it.
pub(super) fn modules(distributions: &[Distribution]) -> BTreeSet<(String, usize)> {
    let mut packages: BTreeMap<(u32, &[u8]), (usize, bool)> = BTreeMap::new();
    for (number, distribution) in distributions.iter().enumerate() {
        for file in &distribution.files {
            let Some((folder, name)) = split(file) else { continue };
            if is_init(name) {
                let (first, shared) =
                    packages.entry((distribution.tree, folder)).or_insert((number, false));
                *shared |= *first != number;
            }
        }
    }
    let mut found = BTreeSet::new();
    for (number, distribution) in distributions.iter().enumerate() {
        let mut last: Option<&[u8]> = None;
        for file in &distribution.files {
            let (folder, name) = split(file).unwrap_or((b"", file));
            let package = |folder| packages.get(&(distribution.tree, folder));
            // The outermost package around it that is this distribution's alone.
            let ends = folder.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            let ends = ends.map(|(at, _)| at).chain([folder.len()]);
            let around = ends.filter_map(|end| folder.get(..end)).find(|folder| {
                !folder.is_empty() && package(folder).is_some_and(|(_, shared)| !shared)
            });
            let module = match around {
                Some(around) if last == Some(around) => continue,
                Some(around) => {
                    last = Some(around);
                    dotted(around)
                }
                None if is_init(name) => dotted(folder),
                None => {
                    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
                    let path = [folder, b"/", stem].concat();
                    dotted(path.strip_prefix(b"/").unwrap_or(&path))
                }
            };
            found.extend(module.map(|module| (module, number)));
        }
        for top in &distribution.tops {
            let known = distribution.files.iter().any(|file| file.starts_with(top.as_bytes()));
            if !known {
                found.extend(dotted(top.as_bytes()).map(|module| (module, number)));
            }
        }
    }
    found
}

/// Folder and name.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = path.iter().rposition(|byte| *byte == b'/')?;
    Some((path.get(..slash)?, path.get(slash + 1..)?))
}

fn is_init(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'.').next() == Some(b"__init__")
}

/// The name of a module in this place; `None` if no import can spell it.
fn dotted(path: &[u8]) -> Option<String> {
    let names = path.split(|byte| *byte == b'/').all(bytekiln_python::is_module_name);
    let text = std::str::from_utf8(path).ok().filter(|_| names)?;
    Some(text.replace('/', "."))
}
