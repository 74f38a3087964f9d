//! `--declared`: imports from one member into another that it does not declare to depend on.

use std::collections::BTreeSet;

use bytekiln_graph::{Kinds, OwnerKind, Which};
use bytekiln_planner::Problem;
use bytekiln_project::{Declared, declared_dependencies};

use super::check::warning;
use super::{Broken, Checked, Form};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::OpenGraph;

/// Checks all members that are projects. Those whose dependencies are computed are named in a warning.
pub(super) fn check(
    open: &OpenGraph,
    warnings: &mut Vec<Problem>,
) -> Result<Checked, CommandFailure> {
    let graph = open.graph();
    let projects = declared_dependencies(&open.workspace).map_err(|problem| CommandFailure {
        status: ExitStatus::Usage,
        messages: vec![problem.to_string()],
        hint: None,
    })?;
    for project in projects.iter().flatten().filter(|project| project.dependencies.is_none()) {
        let hint = "list them under `[project]` to have its imports checked".to_owned();
        let message = format!("the dependencies in `{}` are dynamic", project.file);
        warnings.push(warning(message, Some(hint)));
    }
    let members = &open.workspace.members;
    let of_owner: Vec<Option<&Declared>> = graph
        .owners()
        .iter()
        .map(|owner| {
            let is_it = |name: &str| owner.kind == OwnerKind::Member && owner.name == name;
            let at = members.iter().position(|member| is_it(&member.name))?;
            projects.get(at)?.as_ref()
        })
        .collect();
    let project = |owner: Option<u32>| *of_owner.get(owner? as usize)?;
    let imports = open.imports.unwrap_or(Which::Runtime);
    let mut seen = BTreeSet::new();
    let mut broken = Vec::new();
    for (id, node) in graph.nodes() {
        let Some(from) = project(node.owner) else { continue };
        let Some(dependencies) = &from.dependencies else { continue };
        for (import, edge) in graph.imports(id) {
            let to = graph.node(edge.to).and_then(|to| project(to.owner));
            let Some(to) = to.filter(|to| to.name != from.name) else { continue };
            if imports.follows(edge.kinds)
                && !edge.kinds.any(Kinds::PACKAGE)
                && !dependencies.contains(&to.name)
                && seen.insert((id, edge.line, &to.name))
            {
                let reason =
                    format!("`{}` does not declare `{}` as a dependency", from.file, to.name);
                broken.push(Broken { import, then: Vec::new(), reason });
            }
        }
    }
    let name = "declared dependencies".to_owned();
    Ok(Checked { name, form: Form::Declared, place: None, imports, broken, ignored: 0 })
}
