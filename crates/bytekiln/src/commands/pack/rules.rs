//! Which artifacts are meant: those of the manifest, or one that the command line describes alone. Knows
//! nothing of how they are packed.

use bytekiln_project::{ArtifactKind, ArtifactRule, Workspace, artifact_from_arguments, nearest};

use crate::arguments::PackArguments;
use crate::failure::CommandFailure;
use crate::settings::workspace_failure;

/// The rules to pack, in the order of the manifest or of the names.
pub(super) fn chosen(
    arguments: &PackArguments,
    workspace: &Workspace,
) -> Result<Vec<ArtifactRule>, CommandFailure> {
    if let Some(kind) = &arguments.kind {
        let rule = artifact_from_arguments(kind, &arguments.set, workspace)
            .map_err(|error| workspace_failure(&error))?;
        check_in_place(arguments, std::slice::from_ref(&rule))?;
        return Ok(vec![rule]);
    }
    if !arguments.set.is_empty() {
        return Err(CommandFailure::usage("--set describes an artifact together with --kind")
            .hint("change the manifest, or describe another one: `--kind KIND --set KEY=VALUE`"));
    }
    if workspace.artifacts.is_empty() {
        let manifest = workspace.manifest.as_ref();
        let place = manifest.map_or("bytekiln.toml".to_owned(), |path| path.display().to_string());
        return Err(CommandFailure::usage("there is nothing to pack")
            .hint(format!("describe it as [[artifact]] in `{place}`, or with --kind and --set")));
    }
    let mut rules: Vec<ArtifactRule> = Vec::new();
    for name in &arguments.names {
        let found = workspace.artifacts.iter().find(|rule| rule.name == *name);
        let rule = found.ok_or_else(|| unknown(name, workspace))?;
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
    if arguments.names.is_empty() {
        rules.clone_from(&workspace.artifacts);
    }
    if arguments.out.is_some() && rules.len() > 1 {
        return Err(CommandFailure::usage("--out is for one artifact")
            .hint("name it: `bytekiln pack NAME --out PATH`"));
    }
    check_in_place(arguments, &rules)?;
    Ok(rules)
}

/// What is compiled in place has no place of its own, and nothing beside it.
fn check_in_place(arguments: &PackArguments, rules: &[ArtifactRule]) -> Result<(), CommandFailure> {
    let in_place = |rule: &&ArtifactRule| rule.kind == ArtifactKind::Site;
    let Some(rule) = rules.iter().find(in_place) else { return Ok(()) };
    let option = match (&arguments.out, arguments.provenance) {
        (Some(_), _) => "--out",
        // Others have a statement.
        (None, true) if rules.iter().all(|rule| in_place(&rule)) => "--provenance",
        _ => return Ok(()),
    };
    Err(CommandFailure::usage(format!(
        "{option} means nothing for `{}`: an environment is compiled in place",
        rule.name
    )))
}

fn unknown(name: &str, workspace: &Workspace) -> CommandFailure {
    let names: Vec<&str> = workspace.artifacts.iter().map(|rule| rule.name.as_str()).collect();
    let failure = CommandFailure::usage(format!("there is no artifact `{name}`"));
    match nearest(name, names.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("the artifacts are: {}", names.join(", "))),
    }
}
