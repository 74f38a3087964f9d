//! Wheels with bytecode: takes a finished wheel, adds what its modules compile to, keeps its `RECORD` and
//! its name true, and packs it anew. Bytecode that it had is dropped: nobody knows whose it is. `name` reads
//! names, `contents` what is in a wheel, `build` has one built.

mod build;
mod contents;
mod name;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Instant;

use bytekiln_action::{Digest, RecordedPath, RepoPath};
use bytekiln_artifact::{Artifact, Content, Entries, Item, ItemKind, Links, Record, lay_out};
use bytekiln_project::{ArtifactRule, PathGlobs, normalize};
use bytekiln_python::cache_file_name;
use pep440_rs::{Version, VersionSpecifiers};

use super::compile::{Compiled, Objects, Source, compile};
use super::gather::Home;
use super::outcome::Packed;
use super::provenance::Material;
use super::target::{Target, targets};
use super::write::{Pending, Writing};
use super::{Packing, check, ours};
use crate::failure::CommandFailure;
use contents::{Module, Wheel};
use name::WheelName;

/// Packs every wheel that the rule names; `done` gets each that is published.
pub(super) fn pack(
    packing: &Packing<'_>,
    rule: &ArtifactRule,
    done: &mut Vec<Packed>,
) -> Result<(), CommandFailure> {
    let (workspace, state) = (packing.workspace, packing.session.state_dir());
    let targets = targets(rule, workspace, None, state, packing.environment)?.all;
    let (inputs, _built) = inputs(packing, rule, &targets)?;
    let folder = packing.out_folder(rule)?;
    let objects = Objects::open(packing.session)?;
    check_names(&inputs, rule, &folder)?;
    for input in inputs {
        let one = OneWheel { packing, rule, targets: &targets, objects: &objects, input: &input };
        done.push(one.pack(&folder)?);
    }
    Ok(())
}

/// No wheel becomes another one, or itself: what was built is not lost.
fn check_names(
    inputs: &[PathBuf],
    rule: &ArtifactRule,
    folder: &Path,
) -> Result<(), CommandFailure> {
    let mut names: BTreeMap<String, &Path> = BTreeMap::new();
    let hint = "name another folder with `out`, or give what is made a `build-tag`";
    for input in inputs {
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        // What is no name is told when it is opened.
        let Some(name) = WheelName::parse(&name) else { continue };
        let name = name.with_build(rule.build_tag.as_deref());
        if is_same_file(input, &folder.join(&name)) {
            let message = format!("{}: `{}` would replace itself", rule.place, input.display());
            return Err(CommandFailure::usage(message).hint(hint));
        }
        if let Some(other) = names.insert(name.clone(), input) {
            return Err(CommandFailure::usage(format!(
                "{}: `{}` and `{}` would both be `{name}`",
                rule.place,
                other.display(),
                input.display()
            ))
            .hint("name one of them with `wheel`"));
        }
    }
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let (one, other) = (std::fs::canonicalize(one), std::fs::canonicalize(other));
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

/// The wheels, and the folder that those which were built lie in.
fn inputs(
    packing: &Packing<'_>,
    rule: &ArtifactRule,
    targets: &[Target],
) -> Result<(Vec<PathBuf>, Option<bytekiln_artifact::PendingFolder>), CommandFailure> {
    let Some(pattern) = &rule.wheel else {
        let (folder, wheel) = build::build(packing, rule, targets)?;
        return Ok((vec![wheel], Some(folder)));
    };
    let named = packing.workspace.root.join(pattern);
    if named.is_file() {
        return Ok((vec![named], None));
    }
    let (folder, glob) = match named.file_name().map(|name| name.to_string_lossy().into_owned()) {
        Some(name) => (named.parent().unwrap_or(Path::new("/")).to_owned(), name),
        None => (named.clone(), "*.whl".to_owned()),
    };
    let globs = PathGlobs::new([glob.as_str()]).map_err(|error| {
        CommandFailure::usage(format!(
            "{}: bad glob `{}`: {}",
            rule.place, error.glob, error.message
        ))
    })?;
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "whl"))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes();
            RepoPath::new(name).is_some_and(|name| globs.is_match(&name))
        })
        .collect();
    // What was packed into the same folder is no input.
    let ours = ours::all(packing.session.state_dir());
    found.retain(|path| !ours.contains(&normalize(&packing.workspace.root, path)));
    found.sort();
    if found.is_empty() {
        return Err(CommandFailure::usage(format!("{}: `{pattern}` matches no wheel", rule.place))
            .hint("build it first, or name the member in `members` and use --build-wheel"));
    }
    Ok((found, None))
}

struct OneWheel<'a> {
    packing: &'a Packing<'a>,
    rule: &'a ArtifactRule,
    targets: &'a [Target],
    objects: &'a Objects,
    input: &'a Path,
}

impl OneWheel<'_> {
    fn pack(&self, folder: &Path) -> Result<Packed, CommandFailure> {
        let started = Instant::now();
        let jobs = self.packing.session.jobs();
        let wheel = Wheel::open(self.input, jobs)?;
        self.check_tags(&wheel)?;
        let modules = self.modules(&wheel)?;
        let compiled = self.compile(&wheel, &modules)?;
        let out = folder.join(wheel.name.with_build(self.rule.build_tag.as_deref()));
        let (entries, warnings) = self.entries(&wheel, &modules, &compiled)?;
        let writing = Writing {
            rule: self.rule,
            targets: self.targets,
            out: &out,
            modified: self.packing.modified,
            jobs,
        };
        std::fs::create_dir_all(folder).map_err(|error| {
            CommandFailure::failure(format!("could not make `{}`: {error}", folder.display()))
        })?;
        let pending = writing.zip(&entries, Some(wheel.info.clone()))?;
        check::read_back(&pending.path(), &out, &check::digests(&entries), jobs)?;
        let simulated = self.simulate(&wheel, &modules, &compiled, &pending, &out)?;
        let mut packed = self.packed(&out, &modules, &compiled, &entries);
        packed.warnings = warnings;
        packed.warnings.extend(simulated.1);
        packed.simulated = simulated.0;
        packed.elapsed = started.elapsed();
        let name = self.input.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digest = bytekiln_artifact::digest_file(self.input)
            .map_err(|error| CommandFailure::artifact(&error))?;
        let materials = [Material { origin: "wheel", folder: None, name, digest }];
        self.packing.publish_file(self.rule, self.targets, &out, &materials, pending, packed)
    }

    /// Who may not install a wheel needs no bytecode in it.
    fn check_tags(&self, wheel: &Wheel) -> Result<(), CommandFailure> {
        let shown = self.packing.shown(self.input);
        for target in self.targets.iter().filter(|_| self.rule.bytecode) {
            let toolchain = &target.compiler.toolchain;
            if !wheel.name.is_for(toolchain) {
                return Err(CommandFailure::usage(format!(
                    "`{}` is for {}, which {} is not",
                    shown.display(),
                    wheel.name.tags(),
                    toolchain.label()
                ))
                .hint("choose with `python` those that may install it"));
            }
            let Some(wanted) = &wheel.requires_python else { continue };
            let specifiers = VersionSpecifiers::from_str(wanted).map_err(|error| {
                CommandFailure::failure(format!(
                    "`{}` has a `Requires-Python` that nobody understands: {error}",
                    shown.display()
                ))
            })?;
            let version = Version::from_str(&toolchain.version);
            if version.is_ok_and(|version| !specifiers.contains(&version)) {
                return Err(CommandFailure::usage(format!(
                    "`{}` requires Python {wanted}, and {} is not that",
                    shown.display(),
                    toolchain.label()
                ))
                .hint("choose with `python` those that may install it"));
            }
        }
        Ok(())
    }

    fn modules(&self, wheel: &Wheel) -> Result<Vec<Module>, CommandFailure> {
        if !self.rule.bytecode {
            return Ok(Vec::new());
        }
        let exclude =
            PathGlobs::new(self.rule.exclude.iter().map(String::as_str)).map_err(|error| {
                CommandFailure::usage(format!("{}: `{}`", self.rule.place, error.glob))
            })?;
        let mut modules = wheel.modules();
        modules.retain(|module| !exclude.is_match(&module.installed));
        if modules.is_empty() {
            let shown = self.packing.shown(self.input);
            return Err(CommandFailure::usage(format!(
                "there is no module to compile in `{}`",
                shown.display()
            ))
            .hint("`exclude` may name all of them; `bytecode = false` only takes bytecode out"));
        }
        Ok(modules)
    }

    fn compile(
        &self,
        wheel: &Wheel,
        modules: &[Module],
    ) -> Result<Vec<Vec<Compiled>>, CommandFailure> {
        if modules.is_empty() {
            return Ok(Vec::new());
        }
        let reads: Vec<_> = modules
            .iter()
            .map(|module| {
                || {
                    let read = wheel.artifact.read(module.entry);
                    read.map(Into::into).map_err(|error| error.to_string())
                }
            })
            .collect();
        let sources: Vec<Source<'_>> = modules
            .iter()
            .zip(&reads)
            .map(|(module, read)| Source {
                name: module.installed.clone(),
                digest: module.digest,
                recorded_path: RecordedPath::from_file_system(module.installed.as_bytes()),
                may_fail: self.packing.may_fail(&Home::Member(0, module.installed.clone())),
                is_foreign: false,
                read,
            })
            .collect();
        let (session, terminal) = (self.packing.session, self.packing.terminal);
        compile(session, self.objects, &sources, self.targets, self.packing.timeout, terminal)
    }

    /// Everything that the new wheel holds, `RECORD` included.
    fn entries(
        &self,
        wheel: &Wheel,
        modules: &[Module],
        compiled: &[Vec<Compiled>],
    ) -> Result<(Entries, Vec<String>), CommandFailure> {
        let mut items = Vec::new();
        let mut record = wheel.record.clone();
        let mut warnings = Vec::new();
        let changed =
            self.rule.build_tag.as_deref().map(|tag| wheel.with_build(tag)).transpose()?;
        for (index, entry) in wheel.files() {
            let row = record.find(entry.path.as_bytes());
            if wheel.is_dropped(&entry.path) {
                row.into_iter().for_each(|row| record.remove(row));
                if entry.path != wheel.record_path && !contents::is_bytecode(&entry.path) {
                    warnings.push(format!(
                        "`{}` is left out: a signature of the old RECORD is none of the new one",
                        entry.path
                    ));
                }
                continue;
            }
            let content = match &changed {
                Some(bytes) if entry.path == wheel.info.join(b"WHEEL") => {
                    row.into_iter().for_each(|row| record.update(row, Digest::of(bytes)));
                    Content::Bytes(Arc::clone(bytes))
                }
                _ => Content::Member { artifact: Arc::clone(&wheel.artifact), index },
            };
            let kind = ItemKind::File { content, executable: entry.executable };
            items.push(Item { path: entry.path.clone(), kind });
        }
        for (module, results) in modules.iter().zip(compiled) {
            for (target, result) in self.targets.iter().zip(results) {
                let Compiled::Output(digest) = result else { continue };
                let path = cache_path(&module.path, target);
                record.add(path.as_bytes(), Some(*digest));
                let content = self.objects.content(digest)?;
                items.push(Item { path, kind: ItemKind::File { content, executable: false } });
            }
        }
        items.push(self.own_record(wheel, record));
        let entries = lay_out(items, Links::Relative).map_err(|error| {
            CommandFailure::failure(format!("`{}`: {error}", self.input.display()))
        })?;
        Ok((entries, warnings))
    }

    /// `RECORD` itself, whose own row has neither hash nor size.
    fn own_record(&self, wheel: &Wheel, mut record: Record) -> Item {
        if record.find(wheel.record_path.as_bytes()).is_none() {
            record.add(wheel.record_path.as_bytes(), None);
        }
        let content = Content::Bytes(record.to_bytes().into());
        let kind = ItemKind::File { content, executable: false };
        Item { path: wheel.record_path.clone(), kind }
    }

    fn simulate(
        &self,
        wheel: &Wheel,
        modules: &[Module],
        compiled: &[Vec<Compiled>],
        pending: &Pending,
        out: &Path,
    ) -> Result<(usize, Vec<String>), CommandFailure> {
        let path = pending.path();
        let roots = wheel.roots();
        let modules = modules.iter().zip(compiled).filter_map(|(module, results)| {
            let all = results.iter().all(|result| matches!(result, Compiled::Output(_)));
            all.then(|| (module.root, check::without_suffix(&module.installed)))
        });
        let imported = check::Imported {
            paths: roots
                .iter()
                .map(|root| match root.as_str() {
                    Some("") | None => path.clone(),
                    Some(root) => path.join(root),
                })
                .collect(),
            deployed: Vec::new(),
            pycache_prefix: None,
            unpacked: true,
            targets: if self.rule.bytecode { self.targets } else { &[] },
            modules: modules.collect(),
        };
        let (jobs, environment) = (self.packing.session.jobs(), self.packing.environment);
        check::import(&imported, out, jobs, environment)
    }

    fn packed(
        &self,
        out: &Path,
        modules: &[Module],
        compiled: &[Vec<Compiled>],
        entries: &Entries,
    ) -> Packed {
        let results = || compiled.iter().flatten();
        let outputs = || {
            results().filter_map(|result| match result {
                Compiled::Output(digest) => Some(digest.size),
                Compiled::Rejected(_) => None,
            })
        };
        let files =
            entries.items().iter().filter(|item| matches!(item.kind, ItemKind::File { .. }));
        let is_source = |item: &&Item| item.path.as_bytes().ends_with(b".py");
        let sources = files.clone().filter(is_source).count();
        let caches = outputs().count();
        let rejected = modules.iter().zip(compiled).filter(|(_, results)| {
            results.iter().any(|result| matches!(result, Compiled::Rejected(_)))
        });
        Packed {
            name: self.rule.name.clone(),
            kind: self.rule.kind,
            path: self.packing.shown(out),
            digest: Digest::of(b""),
            targets: self.targets.iter().map(Target::label).collect(),
            sources,
            caches,
            others: files.count() - sources - caches,
            bytes: entries.items().iter().map(size).sum(),
            cache_bytes: outputs().sum(),
            left_out: BTreeMap::new(),
            kept: BTreeMap::new(),
            inspecting: Vec::new(),
            rejected: rejected.map(|(module, _)| module.installed.clone()).collect(),
            spent: None,
            simulated: 0,
            image: None,
            provenance: None,
            warnings: Vec::new(),
            unchanged: false,
            elapsed: self.packing.started.elapsed(),
        }
    }
}

/// Bytes of a file, unpacked.
fn size(item: &Item) -> u64 {
    let ItemKind::File { content, .. } = &item.kind else { return 0 };
    match content {
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::Object { digest, .. } => digest.size,
        Content::File { digest, .. } => digest.map_or(0, |digest| digest.size),
        Content::Member { artifact, index } => entry_size(artifact, *index),
    }
}

fn entry_size(artifact: &Artifact, index: usize) -> u64 {
    artifact.entries().get(index).map_or(0, |entry| entry.size)
}

/// Where the bytecode of a module goes.
fn cache_path(module: &RepoPath, target: &Target) -> RepoPath {
    let name = cache_file_name(module.stem(), &target.compiler.toolchain.cache_tag, target.level);
    module.parent().unwrap_or_default().join(b"__pycache__").join(&name)
}
