//! From folders to members: where they come from, what they are called, what stands on `sys.path`
//! for them, what the manifest adds, and that no file belongs to two. Reads manifests through
//! `Notes`, so that all of them are watched.

use std::path::Path;

use bytekiln_action::RepoPath;

use super::import_roots::import_roots;
use super::listed::listed_members;
use super::pattern::{absolute, below, matches_pattern};
use super::search::{is_project, search};
use super::uv::uv_workspace;
use crate::manifest::{
    Home, LocatedProblem, ManifestFile, MemberSettings, Notes, Settings, SettingsKind, nearest,
    read_package_settings,
};
use crate::model::{Member, MemberOrigin};

/// A member on its way.
struct Candidate {
    path: RepoPath,
    origin: MemberOrigin,
    name: Option<String>,
    import_roots: Vec<RepoPath>,
    /// Chosen by Bytekiln's own settings: a clash is an error, not a warning.
    roots_are_ours: bool,
    include: Vec<String>,
    exclude: Vec<String>,
}

/// All members, by path, at least one unless there are errors. What is wrong goes to `notes`.
pub(crate) fn discover_members(home: &Home, settings: &Settings, notes: &mut Notes) -> Vec<Member> {
    let root = home.root.as_path();
    let root_project = read_or_report(&root.join("pyproject.toml"), notes);
    let mut cut: Vec<RepoPath> = Vec::new();
    let mut patterns: Vec<String> =
        settings.exclude.iter().map(|pattern| pattern.value.clone()).collect();

    let mut folders: Vec<(RepoPath, MemberOrigin)> = Vec::new();
    let mut crates: Vec<(RepoPath, String, MemberSettings)> = Vec::new();
    let manifest = home.settings.as_ref().map(|(_, file)| file);
    match (&settings.members, manifest) {
        (Some(members), Some(file)) => {
            let listed = listed_members(root, members, &settings.exclude, file, notes);
            folders.extend(listed.into_iter().map(|path| (path, MemberOrigin::Listed)));
        }
        _ => discovered(
            root,
            root_project.as_ref(),
            home.cargo.is_some(),
            &mut patterns,
            &mut folders,
            &mut crates,
            &mut cut,
            notes,
        ),
    }
    cargo_members(home, settings, &mut crates, notes);

    let mut candidates: Vec<Candidate> = Vec::new();
    for (path, origin) in folders {
        let file = match path.is_root() {
            true => root_project.clone(),
            false => read_or_report(&absolute(root, &path).join("pyproject.toml"), notes),
        };
        candidates.push(Candidate {
            name: file.as_ref().and_then(project_name),
            import_roots: import_roots(root, &path, file.as_ref(), notes),
            roots_are_ours: false,
            include: settings.files_include.clone(),
            exclude: settings.files_exclude.clone(),
            path,
            origin,
        });
    }
    add_crates(root, crates, settings, &mut candidates, notes);
    if candidates.is_empty() && settings.members.is_none() {
        let origin = match root_project.as_ref().is_some_and(is_project) {
            true => MemberOrigin::Pyproject,
            false => MemberOrigin::Tree,
        };
        candidates.push(Candidate {
            path: RepoPath::default(),
            origin,
            name: root_project.as_ref().and_then(project_name),
            import_roots: import_roots(root, &RepoPath::default(), root_project.as_ref(), notes),
            roots_are_ours: false,
            include: settings.files_include.clone(),
            exclude: settings.files_exclude.clone(),
        });
    }
    candidates.sort_by(|left, right| left.path.cmp(&right.path));
    apply_member_settings(home, settings, &mut candidates, notes);
    cut_out(&cut, &patterns, &mut candidates);
    let mut members = named(candidates, manifest, root, notes);
    check_claims(&mut members, manifest, root, notes);
    members.into_iter().map(|(member, _)| member).collect()
}

fn read_or_report(path: &Path, notes: &mut Notes) -> Option<ManifestFile> {
    match notes.read(path) {
        Ok(file) => file,
        Err(problem) => {
            if !notes.errors.contains(&problem) {
                notes.errors.push(problem);
            }
            None
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one place fills four lists that are read apart")]
fn discovered(
    root: &Path,
    root_project: Option<&ManifestFile>,
    ask_cargo: bool,
    patterns: &mut Vec<String>,
    folders: &mut Vec<(RepoPath, MemberOrigin)>,
    crates: &mut Vec<(RepoPath, String, MemberSettings)>,
    cut: &mut Vec<RepoPath>,
    notes: &mut Notes,
) {
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
            folders.push((RepoPath::default(), MemberOrigin::UvWorkspace));
        }
        let excluded = |folder: &RepoPath| patterns.iter().any(|one| matches_pattern(one, folder));
        let members = uv.members.into_iter().filter(|folder| !excluded(folder));
        folders.extend(members.map(|path| (path, MemberOrigin::UvWorkspace)));
        patterns.extend(uv.exclude);
        return;
    }
    let found = search(root, patterns, notes);
    if root_is_project {
        folders.push((RepoPath::default(), MemberOrigin::Pyproject));
    }
    folders.extend(found.projects.into_keys().map(|path| (path, MemberOrigin::Pyproject)));
    cut.extend(found.nested);
    if !ask_cargo {
        for (folder, file) in found.crates {
            crates.extend(described_crate(folder, &file, None, notes));
        }
    }
}

/// What a crate's own table says, with the crate's folder and name.
fn described_crate(
    folder: RepoPath,
    file: &ManifestFile,
    name: Option<&str>,
    notes: &mut Notes,
) -> Option<(RepoPath, String, MemberSettings)> {
    let table = SettingsKind::CargoPackage.table(file)?;
    let (settings, problems) = read_package_settings(file, table);
    notes.errors.extend(problems);
    let name = name.or_else(|| file.get_str(&["package", "name"]))?;
    Some((folder, name.to_owned(), settings))
}

/// Crates of the cargo workspace, when that is where settings come from.
fn cargo_members(
    home: &Home,
    settings: &Settings,
    crates: &mut Vec<(RepoPath, String, MemberSettings)>,
    notes: &mut Notes,
) {
    let Some(cargo) = &home.cargo else { return };
    for package in &cargo.packages {
        let Some(folder) = package.manifest.parent().and_then(|path| below(&home.root, path))
        else {
            continue;
        };
        // The list of packages follows from the folders beside them.
        notes.watch(absolute(&home.root, &folder));
        if let Some(around) = folder.parent() {
            notes.watch(absolute(&home.root, &around));
        }
        if let (true, Some(package_settings)) = (folder.is_root(), &settings.package) {
            crates.push((folder, package.name.clone(), package_settings.clone()));
            continue;
        }
        if let Some(file) = read_or_report(&package.manifest, notes) {
            crates.extend(described_crate(folder, &file, Some(&package.name), notes));
        }
    }
}

/// A crate's Python folder becomes a member, unless a project or a listed member has it already.
fn add_crates(
    root: &Path,
    crates: Vec<(RepoPath, String, MemberSettings)>,
    settings: &Settings,
    candidates: &mut Vec<Candidate>,
    notes: &mut Notes,
) {
    for (folder, name, package) in crates {
        let Some(python_root) = &package.python_root else {
            // Settings for the project beside it, or nothing to compile.
            if let Some(there) = candidates.iter_mut().find(|there| there.path == folder) {
                refine(there, &package, root, None, notes);
            }
            continue;
        };
        let manifest = absolute(root, &folder).join("Cargo.toml");
        let Some(path) = joined(&folder, &python_root.value) else {
            notes.errors.push(LocatedProblem {
                path: manifest,
                place: None,
                message: format!(
                    "`python-root` is `{}`, outside of the workspace",
                    python_root.value
                ),
                hint: None,
            });
            continue;
        };
        notes.watch(absolute(root, &path));
        if !absolute(root, &path).is_dir() {
            notes.errors.push(LocatedProblem {
                path: manifest,
                place: None,
                message: format!("`python-root` is `{path}`, which is not a folder"),
                hint: Some("name the folder that holds the crate's Python packages".into()),
            });
            continue;
        }
        let taken = candidates
            .iter_mut()
            .find(|there| there.path == path || there.import_roots.contains(&path));
        if let Some(there) = taken {
            refine(there, &package, root, None, notes);
            continue;
        }
        let mut candidate = Candidate {
            import_roots: vec![path.clone()],
            path,
            origin: MemberOrigin::CargoPackage,
            name: Some(name),
            roots_are_ours: true,
            include: settings.files_include.clone(),
            exclude: settings.files_exclude.clone(),
        };
        refine(&mut candidate, &package, root, None, notes);
        candidates.push(candidate);
    }
}

/// `folder` followed by a relative path that may go up, but not out of the workspace.
fn joined(folder: &RepoPath, relative: &str) -> Option<RepoPath> {
    relative.split('/').try_fold(folder.clone(), |at, part| match part {
        "" | "." => Some(at),
        ".." => at.parent(),
        name => RepoPath::new(name.as_bytes()).map(|name| at.join(name.as_bytes())),
    })
}

/// Adds to a candidate what is said about it.
fn refine(
    candidate: &mut Candidate,
    said: &MemberSettings,
    root: &Path,
    file: Option<&ManifestFile>,
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
        notes.errors.push(match file {
            Some(file) => file.problem(import_root.span.clone(), message, None),
            None => LocatedProblem {
                path: absolute(root, &candidate.path),
                place: None,
                message,
                hint: None,
            },
        });
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
            Some(there) => refine(there, said, &home.root, Some(file), notes),
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
        // Patterns are relative to the workspace; for a member elsewhere they are cut short, which
        // is only possible where their beginning is the member's path.
        for pattern in patterns {
            let below = match candidate.path.is_root() {
                true => Some(pattern.as_str()),
                false => candidate
                    .path
                    .as_str()
                    .and_then(|path| pattern.strip_prefix(path))
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            if let Some(below) = below.filter(|below| *below != ".") {
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

/// A candidate's name while names may still clash.
fn short_name(candidate: &Candidate) -> String {
    match &candidate.name {
        Some(name) => name.clone(),
        // The root folder's own name differs from checkout to checkout.
        None if candidate.path.is_root() => ".".to_owned(),
        None => RepoPath::new(candidate.path.file_name()).unwrap_or_default().to_string(),
    }
}

/// Members with unique names, and whether their import roots are ours.
fn named(
    candidates: Vec<Candidate>,
    manifest: Option<&ManifestFile>,
    root: &Path,
    notes: &mut Notes,
) -> Vec<(Member, bool)> {
    let names: Vec<String> = candidates.iter().map(short_name).collect();
    let mut members: Vec<(Member, bool)> = Vec::new();
    for (candidate, name) in candidates.into_iter().zip(&names) {
        let clash = names.iter().filter(|other| *other == name).count() > 1;
        let first = members.iter().find(|(member, _)| {
            member.name == *name || member.name == format!("{name}@{}", member.path)
        });
        if let (Some((first, _)), MemberOrigin::Listed) = (first, candidate.origin) {
            notes.errors.push(LocatedProblem {
                path: manifest.map_or_else(|| root.to_owned(), |file| file.path.clone()),
                place: None,
                message: format!(
                    "two members are called `{name}`: `{}` and `{}`",
                    first.path, candidate.path
                ),
                hint: Some(format!(
                    "give one a name of its own: `[member.\"{}\"]` with `name = \"…\"`",
                    candidate.path
                )),
            });
        }
        let name = match clash {
            true => format!("{name}@{}", candidate.path),
            false => name.clone(),
        };
        members.push((
            Member {
                name,
                path: candidate.path,
                import_roots: candidate.import_roots,
                include: candidate.include,
                exclude: candidate.exclude,
                origin: candidate.origin,
            },
            candidate.roots_are_ours,
        ));
    }
    members
}

/// No folder is two members', and no member's import root lies in another member.
fn check_claims(
    members: &mut [(Member, bool)],
    manifest: Option<&ManifestFile>,
    root: &Path,
    notes: &mut Notes,
) {
    let owners: Vec<(RepoPath, String)> =
        members.iter().map(|(member, _)| (member.path.clone(), member.name.clone())).collect();
    let place = || manifest.map_or_else(|| root.to_owned(), |file| file.path.clone());
    for pair in owners.windows(2) {
        if let [(left, left_name), (right, right_name)] = pair
            && left == right
        {
            notes.errors.push(LocatedProblem {
                path: place(),
                place: None,
                message: format!(
                    "members `{left_name}` and `{right_name}` claim one folder, `{left}`"
                ),
                hint: Some("exclude one of them with `workspace.exclude`, or list one".into()),
            });
        }
    }
    for (member, ours) in members {
        let mut kept = Vec::new();
        for import_root in &member.import_roots {
            let owner = owners
                .iter()
                .filter(|(path, _)| import_root.strip_prefix(path).is_some())
                .max_by_key(|(path, _)| path.as_bytes().len());
            let Some((path, name)) = owner.filter(|(path, _)| *path != member.path) else {
                kept.push(import_root.clone());
                continue;
            };
            let message = format!(
                "import root `{import_root}` of member `{}` lies in member `{name}` (`{path}`)",
                member.name
            );
            if *ours {
                notes.errors.push(LocatedProblem {
                    path: place(),
                    place: None,
                    message,
                    hint: Some("a file belongs to one member: the innermost around it".into()),
                });
            } else {
                notes.warn(Some(member.path.clone()), message, None);
            }
        }
        if kept.is_empty() {
            kept.push(member.path.clone());
        }
        member.import_roots = kept;
    }
}
