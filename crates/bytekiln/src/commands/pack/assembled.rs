//! Trees, zips, programs, layers and blobs: gathered from members and dependencies, compiled, chosen,
//! assembled, written, checked, published. The order of things, on one screen each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Content, Item, ItemKind};
use bytekiln_assembly::{Assembly, File, FileKind, Layout, Origin, Plan, assemble};
use bytekiln_project::{
    Arrangement, ArtifactKind, ArtifactLayout, ArtifactRule, Workspace, absolute,
};
use bytekiln_python::Release;

use super::choose::{Chosen, choose};
use super::compile::{Compiled, Objects, Source, compile};
use super::gather::{Bytes, Candidate, Gathered, Home, Others, gather, made};
use super::outcome::Packed;
use super::select::Closure;
use super::target::{Target, Targets, targets};
use super::write::Writing;
use super::{Packing, blob, check, dependencies, ours};
use crate::failure::CommandFailure;
use crate::report::problems;
use crate::report::tally::plural;

/// Everything that is known of an artifact before it is written.
pub(super) struct Made<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) rule: &'a ArtifactRule,
    /// Folders of installed packages.
    pub(super) dependencies: Vec<PathBuf>,
    pub(super) targets: Targets<'a>,
    pub(super) gathered: Gathered,
    /// Results of the candidates that were compiled.
    pub(super) compiled: BTreeMap<usize, Vec<Compiled>>,
    pub(super) chosen: Chosen,
    pub(super) objects: Objects,
}

/// Packs one artifact.
pub(super) fn pack(packing: &Packing<'_>, rule: &ArtifactRule) -> Result<Packed, CommandFailure> {
    // Nothing is compiled for what cannot be put where it is to be.
    let out = packing.out(rule)?;
    let made = prepare(packing, rule, &out)?;
    if rule.kind == ArtifactKind::RustBlob {
        return blob::pack(packing, &made, &out);
    }
    let assembly = assembled(&made)?;
    let items = items(&made, &assembly)?;
    let writing = Writing {
        rule,
        targets: &made.targets.all,
        out: &out,
        modified: packing.modified,
        jobs: packing.session.jobs(),
    };
    let entries = writing.lay_out(items)?;
    packing.terminal.start_bar("Writing", 1);
    let pending = writing.write(&entries);
    packing.terminal.finish_bar();
    let pending = pending?;
    check::read_back(&pending.path(), &out, &check::digests(&entries), packing.session.jobs())?;
    let imported = imported(&made, &assembly, &pending.path());
    let (jobs, environment) = (packing.session.jobs(), packing.environment);
    let (simulated, mut warnings) = check::import(&imported, &out, jobs, environment)?;
    warnings.extend(extensions_in_zips(&made));
    let mut packed = packed(packing, &made, &out);
    (packed.simulated, packed.warnings) = (simulated, warnings);
    count(&made, &assembly, &mut packed);
    let files = check::digests(&entries).into_iter().collect();
    packing.publish(&made, &out, files, pending, packed)
}

/// Up to what is in it, before anything is written.
fn prepare<'a>(
    packing: &Packing<'a>,
    rule: &'a ArtifactRule,
    out: &Path,
) -> Result<Made<'a>, CommandFailure> {
    let (session, environment) = (packing.session, packing.environment);
    let settings = session.settings();
    let workspace = packing.workspace;
    let state = session.state_dir();
    let targets = targets(rule, workspace, None, state, environment)?;
    check_targets(rule, &targets.all)?;
    let release = targets.all.first().map(|one| one.compiler.toolchain.release);
    let folders = dependencies::folders(rule, &workspace.root, release)?;
    let mut paths = ours::all(state);
    paths.push(out.to_owned());
    paths.extend(dependencies::all_named(rule, workspace));
    let others = Others { paths, state_dir: state };
    let mut gathered = gather(rule, workspace, targets.profile, &folders, &others, session.jobs())?;
    problems::say(packing.terminal, &gathered.problems);
    if let Some(main) = &rule.main {
        add_main(main, &mut gathered)?;
    }
    if !gathered.candidates.iter().any(|one| one.kind == FileKind::Module) {
        return Err(CommandFailure::usage(format!(
            "{}: there is no module for `{}`",
            rule.place, rule.name
        ))
        .hint("`members`, `dependencies` and `exclude` decide what is in it"));
    }
    if rule.kind == ArtifactKind::RustBlob {
        // The module that imports from a blob, compiled with the rest: else every start compiles it.
        let place = format!("{}.py", bytekiln_blob::FINDER_MODULE);
        gathered.candidates.push(made(place.as_bytes(), bytekiln_blob::FINDER.to_owned()));
    }
    let closure = Closure {
        rule,
        workspace,
        dependencies: &folders,
        start: &settings.start,
        state_dir: state,
        jobs: session.jobs(),
    };
    let mut releases: Vec<Release> =
        targets.all.iter().map(|one| one.compiler.toolchain.release).collect();
    releases.dedup();
    let mut selected = closure.of(&gathered.candidates, &releases)?;
    if rule.selection.reachable_only {
        keep_reachable(&mut gathered, &mut selected);
    }
    check_main(rule, &gathered)?;
    let objects = Objects::open(session)?;
    let compiled = if rule.bytecode || rule.kind == ArtifactKind::RustBlob {
        compile_selected(packing, &gathered, &selected, &targets.all, &folders, &objects)?
    } else {
        BTreeMap::new()
    };
    let chosen = choose(rule, workspace, &gathered.candidates, &compiled)?;
    let dependencies = folders;
    Ok(Made { workspace, rule, dependencies, targets, gathered, compiled, chosen, objects })
}

/// What has one name for all targets can be for one only.
fn check_targets(rule: &ArtifactRule, targets: &[Target]) -> Result<(), CommandFailure> {
    let one_name = rule.layout == ArtifactLayout::Legacy
        || rule.kind == ArtifactKind::RustBlob
        || rule.sourceless != bytekiln_project::SourcelessRule::Nothing;
    if targets.len() > 1 && one_name && rule.bytecode {
        let labels: Vec<String> = targets.iter().map(Target::label).collect();
        return Err(CommandFailure::usage(format!(
            "{}: `{}` has room for the bytecode of one target, and there are {}",
            rule.place,
            rule.name,
            labels.join(", ")
        ))
        .hint("choose with `python = [\"…\"]` and `optimize`"));
    }
    Ok(())
}

/// The `__main__` of a program that calls `package.module:function`.
fn add_main(main: &str, gathered: &mut Gathered) -> Result<(), CommandFailure> {
    let place = RepoPath::new(b"__main__.py").unwrap_or_default();
    if let Some(other) = gathered.candidates.iter().find(|one| one.place == place) {
        let name = other.name(&[]);
        return Err(CommandFailure::usage(format!(
            "there is a `__main__.py` already (`{name}`), and `main` wants to make one"
        ))
        .hint("remove `main`, or leave that file out with `exclude`"));
    }
    let (module, function) = main.split_once(':').unwrap_or((main, "main"));
    let (first, _) = function.split_once('.').unwrap_or((function, ""));
    let text = format!("import sys\n\nfrom {module} import {first}\n\nsys.exit({function}())\n");
    gathered.candidates.push(made(place.as_bytes(), text));
    gathered.candidates.sort_by(|a, b| (&a.place, &a.home).cmp(&(&b.place, &b.home)));
    Ok(())
}

/// A program without what it begins with is none.
fn check_main(rule: &ArtifactRule, gathered: &Gathered) -> Result<(), CommandFailure> {
    if rule.kind != ArtifactKind::Zipapp {
        return Ok(());
    }
    let has = |place: &str| {
        let mut candidates = gathered.candidates.iter();
        candidates.any(|one| one.place.as_bytes() == place.as_bytes())
    };
    let Some(main) = &rule.main else {
        if has("__main__.py") {
            return Ok(());
        }
        return Err(CommandFailure::usage(format!(
            "{}: the program `{}` has no `__main__.py`",
            rule.place, rule.name
        ))
        .hint("say with `main = \"package.module:function\"` what it calls"));
    };
    let (module, _) = main.split_once(':').unwrap_or((main, ""));
    let folder = module.replace('.', "/");
    if has(&format!("{folder}.py")) || has(&format!("{folder}/__init__.py")) {
        return Ok(());
    }
    Err(CommandFailure::usage(format!(
        "{}: `main` calls `{main}`, and there is no module `{module}` in `{}`",
        rule.place, rule.name
    ))
    .hint("`members`, `dependencies`, `exclude` and `entry` decide what is in it"))
}

fn keep_reachable(gathered: &mut Gathered, selected: &mut Vec<bool>) {
    let mut left_out = 0;
    let top = |one: &Candidate| {
        let place = one.place.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
        (one.home.tree(), place.to_vec())
    };
    let reached: BTreeSet<_> = gathered
        .candidates
        .iter()
        .zip(selected.iter())
        .filter(|(one, selected)| **selected && one.kind == FileKind::Module)
        .map(|(one, _)| top(one))
        .collect();
    // Data go with their package; what tells of distributions stays, programs ask for it.
    let is_kept = |one: &Candidate| {
        reached.contains(&top(one)) || one.place.as_bytes().windows(11).any(|w| w == b".dist-info/")
    };
    let mut kept = Vec::with_capacity(selected.len());
    let mut flags = selected.iter();
    gathered.candidates.retain(|candidate| {
        let is_selected = flags.next().copied().unwrap_or(false);
        let stays = match candidate.kind {
            FileKind::Module => is_selected,
            FileKind::Script | FileKind::Data => is_kept(candidate),
        };
        left_out += usize::from(!stays);
        if stays {
            kept.push(is_selected);
        }
        stays
    });
    *selected = kept;
    if left_out > 0 {
        gathered.left_out.insert("no entry reaches them", left_out);
    }
}

fn compile_selected(
    packing: &Packing<'_>,
    gathered: &Gathered,
    selected: &[bool],
    targets: &[Target],
    folders: &[PathBuf],
    objects: &Objects,
) -> Result<BTreeMap<usize, Vec<Compiled>>, CommandFailure> {
    let chosen: Vec<(usize, &Candidate)> = gathered
        .candidates
        .iter()
        .enumerate()
        .zip(selected)
        .filter(|((_, one), selected)| **selected && one.kind == FileKind::Module)
        .map(|(one, _)| one)
        .collect();
    let reads: Vec<_> = chosen.iter().map(|(_, one)| || one.read()).collect();
    let sources: Vec<Source<'_>> = chosen
        .iter()
        .zip(&reads)
        .map(|((_, one), read)| Source {
            name: one.name(folders),
            digest: one.digest,
            recorded_path: one.recorded_path.clone(),
            may_fail: packing.may_fail(&one.home),
            is_foreign: matches!(one.home, Home::Installed(..)),
            read,
        })
        .collect();
    let (timeout, terminal) = (packing.timeout, packing.terminal);
    let results = compile(packing.session, objects, &sources, targets, timeout, terminal)?;
    Ok(chosen.iter().map(|(index, _)| *index).zip(results).collect())
}

/// Everything at its path.
fn assembled(made: &Made<'_>) -> Result<Assembly, CommandFailure> {
    let candidates = &made.gathered.candidates;
    let files: Vec<File> =
        candidates.iter().map(|one| File { place: one.place.clone(), kind: one.kind }).collect();
    let layout = match &made.rule.layout {
        ArtifactLayout::Pycache => Layout::Pycache,
        ArtifactLayout::Legacy => Layout::Legacy,
        ArtifactLayout::Prefix { folder, deploy_root } => {
            Layout::Prefix { folder: folder.clone(), deploy_root: below_root(deploy_root) }
        }
    };
    let names: Vec<_> = made
        .targets
        .all
        .iter()
        .map(|one| (one.compiler.toolchain.cache_tag.clone(), one.level))
        .collect();
    let plan = Plan { root: &made.rule.root, layout: &layout, targets: &names };
    let mut assembly = assemble(&files, &made.chosen.choices, &plan);
    // The same file from two places, as empty `__init__.py` of namespace packages, is one file.
    assembly.clashes.retain(|clash| {
        let of = |origin: &Origin| match origin {
            Origin::File(index) | Origin::Bytecode { file: index, .. } => candidates.get(*index),
        };
        let (first, second) = (of(&clash.first), of(&clash.second));
        let same = first.zip(second).is_some_and(|(a, b)| a.digest == b.digest);
        !(same && a_kind(&clash.first) == a_kind(&clash.second))
    });
    if let Some(clash) = assembly.clashes.first() {
        let name = |origin: &Origin| match origin {
            Origin::File(index) => described(candidates.get(*index), ""),
            Origin::Bytecode { file, .. } => described(candidates.get(*file), "the bytecode of "),
        };
        let more = match assembly.clashes.len() {
            1 => String::new(),
            count => format!(", and {} more such paths", count - 1),
        };
        return Err(CommandFailure::failure(format!(
            "`{}` of `{}` would be two files: {} and {}{more}",
            clash.path,
            made.rule.name,
            name(&clash.first),
            name(&clash.second)
        ))
        .hint("leave one out with `exclude` or `members`, or keep them apart with `arrangement = \"workspace\"`"));
    }
    Ok(assembly)
}

fn a_kind(origin: &Origin) -> Option<usize> {
    match origin {
        Origin::File(_) => None,
        Origin::Bytecode { target, .. } => Some(*target),
    }
}

/// A file as messages name it.
pub(super) fn described(candidate: Option<&Candidate>, what: &str) -> String {
    let Some(candidate) = candidate else { return String::new() };
    match (&candidate.bytes, &candidate.home) {
        (Bytes::Disk(path), Home::Installed(..)) => format!("{what}`{}`", path.display()),
        _ => format!("{what}`{}`", candidate.name(&[])),
    }
}

fn below_root(path: &Path) -> RepoPath {
    let bytes = path.as_os_str().as_encoded_bytes();
    let trimmed: Vec<&[u8]> =
        bytes.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).collect();
    RepoPath::new(&trimmed.join(&b'/')).unwrap_or_default()
}

/// The parts with their contents.
fn items(made: &Made<'_>, assembly: &Assembly) -> Result<Vec<Item>, CommandFailure> {
    let mut items = Vec::with_capacity(assembly.parts.len());
    for part in &assembly.parts {
        let (content, executable) = match part.origin {
            Origin::File(index) => {
                let Some(candidate) = made.gathered.candidates.get(index) else { continue };
                (content(candidate), candidate.executable)
            }
            Origin::Bytecode { file, target } => match made.output(file, target) {
                Some(digest) => (made.objects.content(&digest)?, false),
                None => continue,
            },
        };
        let kind = ItemKind::File { content, executable };
        items.push(Item { path: part.path.clone(), kind });
    }
    Ok(items)
}

fn content(candidate: &Candidate) -> Content {
    match &candidate.bytes {
        Bytes::Made(bytes) => Content::Bytes(Arc::clone(bytes)),
        Bytes::Disk(path) => Content::File { path: path.clone(), digest: Some(candidate.digest) },
    }
}

impl Made<'_> {
    /// What a candidate was compiled to for a target.
    pub(super) fn output(&self, file: usize, target: usize) -> Option<bytekiln_action::Digest> {
        match self.compiled.get(&file)?.get(target)? {
            Compiled::Output(digest) => Some(*digest),
            Compiled::Rejected(_) => None,
        }
    }
}

/// How the finished thing will be imported, for the simulation.
fn imported<'a>(made: &'a Made<'_>, assembly: &Assembly, path: &Path) -> check::Imported<'a> {
    let rule = made.rule;
    let at = |folder: &RepoPath| absolute(path, folder);
    let mut roots: Vec<RepoPath> = match rule.arrangement {
        Arrangement::Flat => vec![rule.root.clone()],
        Arrangement::Workspace => {
            let members = made.workspace.members.iter();
            let members = members
                .filter(|member| rule.members.is_empty() || rule.members.contains(&member.name));
            let mut roots: Vec<RepoPath> = members
                .flat_map(|member| &member.import_roots)
                .map(|root| rule.root.join(root.as_bytes()))
                .collect();
            if !rule.dependencies.is_empty() {
                roots.push(rule.root.join(b"site-packages"));
            }
            roots
        }
    };
    // The deepest first: a file belongs to the nearest.
    roots.sort_by_key(|root| std::cmp::Reverse(root.as_bytes().len()));
    roots.dedup();
    roots.retain(|root| assembly.parts.iter().any(|part| part.path.strip_prefix(root).is_some()));
    let modules = assembly.parts.iter().filter_map(|part| {
        let Origin::Bytecode { file, target: 0 } = part.origin else { return None };
        let place = &made.gathered.candidates.get(file)?.place;
        let place = rule.root.join(place.as_bytes());
        let (number, below) = roots
            .iter()
            .enumerate()
            .find_map(|(number, root)| Some((number, place.strip_prefix(root)?)))?;
        Some((number, check::without_suffix(&below)))
    });
    let modules: Vec<(usize, RepoPath)> = modules.collect();
    // Below a prefix, the name of a cache says where its source lies.
    let (prefix, deployed) = match &rule.layout {
        ArtifactLayout::Prefix { folder, deploy_root } => {
            let place = |root: &RepoPath| absolute(deploy_root, root);
            (Some(at(folder)), roots.iter().map(place).collect())
        }
        ArtifactLayout::Pycache | ArtifactLayout::Legacy => (None, Vec::new()),
    };
    check::Imported {
        paths: roots.iter().map(at).collect(),
        deployed,
        pycache_prefix: prefix,
        unpacked: rule.kind == ArtifactKind::Layer,
        targets: &made.targets.all,
        modules,
    }
}

/// `zipimport` finds no extension modules.
fn extensions_in_zips(made: &Made<'_>) -> Option<String> {
    if !matches!(made.rule.kind, ArtifactKind::Zip | ArtifactKind::Zipapp) {
        return None;
    }
    let is_extension = |one: &&Candidate| {
        one.kind == FileKind::Data
            && (one.place.as_bytes().ends_with(b".so") || one.place.as_bytes().ends_with(b".pyd"))
    };
    let count = made.gathered.candidates.iter().filter(is_extension).count();
    let first = made.gathered.candidates.iter().find(is_extension)?;
    let (what, verb) =
        (plural(count, "extension module", "extension modules"), plural(count, "is", "are"));
    Some(format!("{count} {what}, as `{}`, {verb} not imported from a zip", first.place))
}

/// What is known of the outcome before it is counted and published.
pub(super) fn packed(packing: &Packing<'_>, made: &Made<'_>, out: &Path) -> Packed {
    Packed {
        name: made.rule.name.clone(),
        kind: made.rule.kind,
        path: packing.shown(out),
        digest: bytekiln_action::Digest::of(b""),
        targets: made.targets.all.iter().map(Target::label).collect(),
        sources: 0,
        caches: 0,
        others: 0,
        bytes: 0,
        cache_bytes: 0,
        left_out: made.gathered.left_out.clone(),
        kept: made.chosen.kept.clone(),
        inspecting: made.chosen.inspecting.clone(),
        rejected: made.chosen.rejected.clone(),
        spent: made.chosen.spent,
        simulated: 0,
        image: None,
        provenance: None,
        warnings: Vec::new(),
        unchanged: false,
        elapsed: packing.started.elapsed(),
    }
}

fn count(made: &Made<'_>, assembly: &Assembly, packed: &mut Packed) {
    for part in &assembly.parts {
        match part.origin {
            Origin::File(index) => {
                let Some(candidate) = made.gathered.candidates.get(index) else { continue };
                match candidate.kind {
                    FileKind::Module | FileKind::Script => packed.sources += 1,
                    FileKind::Data => packed.others += 1,
                }
                packed.bytes += candidate.digest.size;
            }
            Origin::Bytecode { file, target } => {
                let size = made.output(file, target).map_or(0, |digest| digest.size);
                packed.caches += 1;
                packed.bytes += size;
                packed.cache_bytes += size;
            }
        }
    }
}
