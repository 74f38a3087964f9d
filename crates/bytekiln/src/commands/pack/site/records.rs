//! `RECORD`s of an environment: each cache of a listed source gets a row, as pip gives it one, without hash;
//! one that had a hash gets the new one. Knows nothing of compilation.

use std::collections::BTreeMap;
use std::path::Path;

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Durability, Record, Replacer, read_file};

use super::{Folder, Output};
use crate::failure::CommandFailure;

/// The longest `RECORD` that is read.
const LIMIT: u64 = 256 << 20;

/// Brings all `RECORD`s up to date.
pub(super) fn update(folders: &[Folder], outputs: &[Output]) -> Result<(), CommandFailure> {
    let replacer = Replacer::new().map_err(|error| {
        CommandFailure::environment(format!("no thread could be started: {error}"))
    })?;
    for (number, folder) in folders.iter().enumerate() {
        let mut caches: BTreeMap<&RepoPath, Vec<&Output>> = BTreeMap::new();
        for output in outputs.iter().filter(|output| output.folder == number) {
            caches.entry(&output.module).or_default().push(output);
        }
        for path in records(&folder.path)? {
            update_one(&path, &caches, &replacer)?;
        }
    }
    match replacer.finish().into_iter().next() {
        Some(error) => Err(CommandFailure::failure(&error)),
        None => Ok(()),
    }
}

/// Every `*.dist-info/RECORD`, sorted.
fn records(folder: &Path) -> Result<Vec<std::path::PathBuf>, CommandFailure> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        CommandFailure::failure(format!("could not list `{}`: {error}", folder.display()))
    })?;
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "dist-info"))
        .map(|path| path.join("RECORD"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    Ok(found)
}

fn update_one(
    path: &Path,
    caches: &BTreeMap<&RepoPath, Vec<&Output>>,
    replacer: &Replacer,
) -> Result<(), CommandFailure> {
    let read = read_file(path, LIMIT).map_err(|error| CommandFailure::failure(&error))?;
    let mut record = Record::parse(read.bytes).map_err(|error| {
        CommandFailure::failure(format!("`{}` is damaged: {error}", path.display()))
            .hint("install the distribution again")
    })?;
    // A path may have several rows: pip adds one of its own for a cache that came with the wheel.
    let mut listed: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (row, path) in record.paths().enumerate() {
        if let Some(path) = RepoPath::new(path) {
            listed.entry(path).or_default().push(row);
        }
    }
    for source in listed.keys() {
        for output in caches.get(source).into_iter().flatten() {
            let Some(rows) = listed.get(&output.path) else {
                record.add(output.path.as_bytes(), None);
                continue;
            };
            for row in rows {
                if record.matches(*row, &output.digest) == Some(false) {
                    record.update(*row, output.digest);
                }
            }
        }
    }
    if !record.is_changed() {
        return Ok(());
    }
    let bytes = record.to_bytes();
    replacer
        .replace(path, &read.stamp, &bytes, Durability::Kept)
        .map_err(|error| CommandFailure::failure(&error))
}
