//! `load_workspace`: from a folder to a `Workspace`, in one screen. The reading is in `manifest`,
//! the finding of members in `discover`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::discover::discover_members;
use crate::manifest::{
    LocatedProblem, ManifestFile, Notes, Settings, SettingsKind, WorkspaceError, locate, nearest,
    read_settings, resolve_profiles,
};
use crate::model::{Member, Profile, Workspace};

/// Finds the workspace around the folder `start`, upwards, or the one of `manifest_path` (a
/// manifest or its folder, relative to `start`), reads its manifests and finds its members.
///
/// Reads files and lists folders; asks `cargo metadata` only when a `Cargo.toml` holds settings.
///
/// # Errors
/// Everything that is wrong with the manifests, each with its place.
pub fn load_workspace(
    start: &Path,
    manifest_path: Option<&Path>,
) -> Result<Workspace, WorkspaceError> {
    let mut notes = Notes::default();
    let home = locate(start, manifest_path, &mut notes)?;
    let settings = match &home.settings {
        None => Settings::default(),
        Some((kind, file)) => {
            let Some(table) = kind.table(file) else {
                let message = format!("`{}` must be a table", kind.keys().join("."));
                let span = file.get(kind.keys()).and_then(toml_edit::Item::span).unwrap_or(0..0);
                return Err(file.problem(span, message, None).into());
            };
            let (settings, problems) =
                read_settings(file, table, *kind == SettingsKind::CargoPackage);
            notes.errors.extend(problems);
            settings
        }
    };
    let manifest = home.settings.as_ref().map(|(_, file)| file);
    let (profiles, problems) = resolve_profiles(&settings, manifest);
    notes.errors.extend(problems);
    let members = discover_members(&home, &settings, &mut notes);
    if let Some(file) = manifest {
        notes.errors.extend(unknown_names(&settings, file, &members, &profiles));
    }
    if let Some(error) = WorkspaceError::from_all(notes.errors) {
        return Err(error);
    }
    Ok(Workspace {
        manifest: manifest.map(|file| file.path.clone()),
        watched: notes.watched.into_iter().collect(),
        members,
        profiles,
        allowances: settings.allowances,
        cache: settings.cache,
        graph: settings.graph,
        artifacts: settings.artifacts,
        startup: settings.startup,
        problems: notes.warnings,
        root: home.root,
    })
}

/// What settings speak of and is not there.
pub(crate) fn unknown_names(
    settings: &Settings,
    file: &ManifestFile,
    members: &[Member],
    profiles: &BTreeMap<String, Profile>,
) -> Vec<LocatedProblem> {
    let mut problems = unknown_members(settings, file, members);
    problems.extend(unknown_profiles(settings, file, profiles));
    problems
}

/// Contracts and artifacts that speak of members that there are not.
fn unknown_members(
    settings: &Settings,
    file: &ManifestFile,
    members: &[Member],
) -> Vec<LocatedProblem> {
    let mut problems = Vec::new();
    let contracts = settings.contract_members.iter().map(|named| ("a contract", "member:", named));
    let artifacts = settings.artifact_members.iter().map(|named| ("an artifact", "", named));
    for (who, prefix, named) in contracts.chain(artifacts) {
        if members.iter().any(|member| member.name == named.value) {
            continue;
        }
        let names = members.iter().map(|member| member.name.as_str());
        let hint = match nearest(&named.value, names.clone()) {
            Some(near) => format!("did you mean `{prefix}{near}`?"),
            None => match names.collect::<Vec<_>>().as_slice() {
                [first, .., last] if members.len() > 9 => {
                    format!("there are {} members, from `{first}` to `{last}`", members.len())
                }
                few => format!("the members are: {}", few.join(", ")),
            },
        };
        let message = format!("{who} speaks of a member `{}`, which is not there", named.value);
        problems.push(file.problem(named.span.clone(), message, Some(hint)));
    }
    problems
}

/// Artifacts that speak of profiles that there are not.
fn unknown_profiles(
    settings: &Settings,
    file: &ManifestFile,
    profiles: &BTreeMap<String, Profile>,
) -> Vec<LocatedProblem> {
    let unknown = settings.artifact_profiles.iter();
    let unknown = unknown.filter(|named| !profiles.contains_key(&named.value));
    let names: Vec<&str> = profiles.keys().map(String::as_str).collect();
    unknown
        .map(|named| {
            let message = format!("there is no profile `{}`", named.value);
            let hint = match nearest(&named.value, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the profiles are: {}", names.join(", ")),
            };
            file.problem(named.span.clone(), message, Some(hint))
        })
        .collect()
}
