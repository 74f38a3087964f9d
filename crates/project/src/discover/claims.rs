//! That names are unique, that no folder is two members', and that no file belongs to two. Knows
//! nothing of how members were found.

use std::path::Path;

use bytekiln_action::RepoPath;

use super::assemble::Candidate;
use crate::manifest::{LocatedProblem, ManifestFile, Notes};
use crate::model::{Member, MemberOrigin};

/// A candidate's name while names may still clash.
pub(crate) fn short_name(candidate: &Candidate) -> String {
    match &candidate.name {
        Some(name) => name.clone(),
        // The root folder's own name differs from checkout to checkout.
        None if candidate.path.is_root() => ".".to_owned(),
        None => RepoPath::new(candidate.path.file_name()).unwrap_or_default().to_string(),
    }
}

/// Members with unique names, and whether their import roots are ours.
pub(crate) fn named(
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
pub(crate) fn check_claims(
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
