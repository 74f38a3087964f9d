//! From folders to members: where they come from, what they are called, what stands on `sys.path`
//! for them, what the manifest adds, and that no file belongs to two. Reads manifests through
//! `Notes`, so that all of them are watched.

use std::path::Path;

use bytekiln_action::RepoPath;

use super::claims::{check_claims, named, short_name};
use super::crates::{add_crates, cargo_crates, described_crate};
use super::import_roots::import_roots;
use super::listed::listed_members;
use super::pattern::{absolute, matches_pattern, pattern_below};
use super::search::{is_project, search};
use super::uv::uv_workspace;
use crate::manifest::{Home, ManifestFile, MemberSettings, Notes, Settings, nearest};
use crate::model::{Member, MemberOrigin};

/// A member on its way.
pub(super) struct Candidate {
    pub(super) path: RepoPath,
    pub(super) origin: MemberOrigin,
    pub(super) name: Option<String>,
    pub(super) import_roots: Vec<RepoPath>,
    /// Chosen by Bytekiln's own settings: a clash is an error, not a warning.
    pub(super) roots_are_ours: bool,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
}

/// All members, by path, at least one unless there are errors. What is wrong goes to `notes`.
pub(crate) fn discover_members(home: &Home, settings: &Settings, notes: &mut Notes) -> Vec<Member> {
    let root = home.root.as_path();
    let root_project = notes.read_or_report(&root.join("pyproject.toml"));
    let manifest = home.settings.as_ref().map(|(_, file)| file);
    let mut patterns: Vec<String> =
        settings.exclude.iter().map(|pattern| pattern.value.clone()).collect();
    let mut found = match (&settings.members, manifest) {
        (Some(members), Some(file)) => {
            let listed = listed_members(root, members, &settings.exclude, file, notes);
            let folders = listed.into_iter().map(|path| (path, MemberOrigin::Listed)).collect();
            Discovered { folders, ..Discovered::default() }
        }
        _ => discovered(root, root_project.as_ref(), &patterns, notes),
    };
    let crates = match home.cargo.is_some() {
        // Cargo knows its packages better than a search does.
        true => cargo_crates(home, settings, notes),
        false => found
            .crates
            .into_iter()
            .filter_map(|(folder, file)| described_crate(folder, file, None, notes))
            .collect(),
    };
    patterns.append(&mut found.uv_exclude);

    let mut candidates: Vec<Candidate> = Vec::new();
    for (path, origin) in found.folders {
        let file = match path.is_root() {
            true => root_project.clone(),
            false => notes.read_or_report(&absolute(root, &path).join("pyproject.toml")),
        };
        candidates.push(candidate(root, path, origin, file.as_ref(), settings, notes));
    }
    add_crates(home, settings, crates, &mut candidates, notes);
    // What was not listed is all to be built: files outside of every project are the tree's own.
    if settings.members.is_none() && candidates.iter().all(|found| !found.path.is_root()) {
        let file = root_project.as_ref();
        candidates.push(candidate(
            root,
            RepoPath::default(),
            MemberOrigin::Tree,
            file,
            settings,
            notes,
        ));
    }
    candidates.sort_by(|left, right| left.path.cmp(&right.path));
    apply_member_settings(home, settings, &mut candidates, notes);
    cut_out(&found.nested, &patterns, &mut candidates);
    let mut members = named(candidates, manifest, root, notes);
    check_claims(&mut members, manifest, root, notes);
    members.into_iter().map(|(member, _)| member).collect()
}

fn candidate(
    root: &Path,
    path: RepoPath,
    origin: MemberOrigin,
    file: Option<&ManifestFile>,
    settings: &Settings,
    notes: &mut Notes,
) -> Candidate {
    Candidate {
        name: file.and_then(project_name),
        import_roots: import_roots(root, &path, file, notes),
        roots_are_ours: false,
        include: settings.files_include.clone(),
        exclude: settings.files_exclude.clone(),
        path,
        origin,
    }
}

/// What was found, before it is looked at.
#[derive(Default)]
struct Discovered {
    folders: Vec<(RepoPath, MemberOrigin)>,
    /// Crates with a table of their own.
    crates: Vec<(RepoPath, ManifestFile)>,
    /// Folders of nested workspaces.
    nested: Vec<RepoPath>,
    /// Patterns of folders that uv leaves out.
    uv_exclude: Vec<String>,
}

fn discovered(
    root: &Path,
    root_project: Option<&ManifestFile>,
    exclude: &[String],
    notes: &mut Notes,
) -> Discovered {
    let mut result = Discovered::default();
    let root_is_project = root_project.is_some_and(is_project);
    let uv = root_project.and_then(|file| match uv_workspace(root, file, notes) {
        Ok(uv) => uv,
        Err(problem) => {
            notes.errors.push(problem);
            None
        }
    });
    if let Some(uv) = uv {
        if root_is_project {
            result.folders.push((RepoPath::default(), MemberOrigin::UvWorkspace));
        }
        let excluded = |folder: &RepoPath| exclude.iter().any(|one| matches_pattern(one, folder));
        let members = uv.members.into_iter().filter(|folder| !excluded(folder));
        result.folders.extend(members.map(|path| (path, MemberOrigin::UvWorkspace)));
        result.uv_exclude = uv.exclude;
        return result;
    }
    let found = search(root, exclude, notes);
    if root_is_project {
        result.folders.push((RepoPath::default(), MemberOrigin::Pyproject));
    }
    result.folders.extend(found.projects.into_iter().map(|path| (path, MemberOrigin::Pyproject)));
    result.crates = found.crates.into_iter().collect();
    result.nested = found.nested;
    result
}

/// Adds to a candidate what is said about it.
pub(super) fn refine(
    candidate: &mut Candidate,
    said: &MemberSettings,
    root: &Path,
    file: &ManifestFile,
    notes: &mut Notes,
) {
    if let Some(name) = &said.name {
        candidate.name = Some(name.value.clone());
    }
    candidate.include.extend(said.include.iter().cloned());
    candidate.exclude.extend(said.exclude.iter().cloned());
    let Some(import_roots) = &said.import_roots else { return };
    let mut folders = Vec::new();
    for import_root in import_roots {
        let path = candidate.path.join(import_root.value.as_bytes());
        notes.watch(absolute(root, &path));
        if absolute(root, &path).is_dir() {
            folders.push(path);
            continue;
        }
        let message = format!("import root `{path}` is not a folder");
        notes.errors.push(file.problem(import_root.span.clone(), message, None));
    }
    if !folders.is_empty() {
        candidate.import_roots = folders;
        candidate.roots_are_ours = true;
    }
}

fn apply_member_settings(
    home: &Home,
    settings: &Settings,
    candidates: &mut [Candidate],
    notes: &mut Notes,
) {
    let Some((_, file)) = &home.settings else { return };
    for said in &settings.member {
        let key = said.key.value.strip_prefix("./").unwrap_or(&said.key.value);
        let by_path = |there: &Candidate| there.path.to_string() == key.trim_end_matches('/');
        let by_name = |there: &Candidate| short_name(there) == key;
        let at =
            candidates.iter().position(by_path).or_else(|| candidates.iter().position(by_name));
        match at.and_then(|at| candidates.get_mut(at)) {
            Some(there) => refine(there, said, &home.root, file, notes),
            // A broken list of members has been reported; what follows from it would be noise.
            None if !notes.errors.is_empty() => {}
            None => {
                let known: Vec<String> = candidates
                    .iter()
                    .flat_map(|there| [short_name(there), there.path.to_string()])
                    .collect();
                let hint = match nearest(key, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "call it by its project's name or its path".to_owned(),
                };
                notes.errors.push(file.problem(
                    said.key.span.clone(),
                    format!("no member `{key}`"),
                    Some(hint),
                ));
            }
        }
    }
}

/// Folders that belong to no member become excludes of the members around them.
fn cut_out(cut: &[RepoPath], patterns: &[String], candidates: &mut [Candidate]) {
    for candidate in candidates {
        for folder in cut {
            if let Some(below) = folder.strip_prefix(&candidate.path).filter(|path| !path.is_root())
            {
                let text = globset::escape(&String::from_utf8_lossy(below.as_bytes()));
                candidate.exclude.push(format!("{text}/**"));
            }
        }
        for pattern in patterns {
            if let Some(below) = pattern_below(pattern, &candidate.path) {
                candidate.exclude.push(format!("{below}/**"));
            }
        }
    }
}

fn project_name(file: &ManifestFile) -> Option<String> {
    let named = file.get_str(&["project", "name"]);
    let name = named.or_else(|| file.get_str(&["tool", "poetry", "name"]))?;
    (!name.trim().is_empty()).then(|| name.trim().to_owned())
}
