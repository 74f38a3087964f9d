//! One contract of the manifest against the graph: what breaks it, why, what is let pass, and what in
//! it means nothing.

use std::collections::BTreeSet;

use bytekiln_graph::{Contract, Edge, EdgeId, Node, Selector};
use bytekiln_planner::{Problem, Severity};
use bytekiln_project::{ContractRule, selector_text};

use super::matching::{closest, has, is_of_workspace, is_there};
use super::{Broken, Checked, Form, indirect};
use crate::imports::OpenGraph;

/// Checks it. What it speaks of and is not there is a warning.
pub(super) fn check(open: &OpenGraph, rule: &ContractRule, warnings: &mut Vec<Problem>) -> Checked {
    let graph = open.graph();
    let imports = open.imports.unwrap_or(rule.imports);
    let mut used = vec![false; rule.ignored.len()];
    let mut ignored = 0;
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    let mut violations = graph.violations(&rule.checks, imports);
    violations.sort_by_key(|violation| violation.import);
    for violation in violations {
        let id = violation.import;
        let Some(edge) = graph.edge(id) else { continue };
        let (Some(from), Some(to)) = (graph.node(edge.from), graph.node(edge.to)) else { continue };
        if !seen.insert((edge.from, edge.to, edge.line, edge.column)) {
            continue;
        }
        let pass = rule
            .ignored
            .iter()
            .position(|one| has(graph, &one.from, from) && has(graph, &one.to, to));
        if let Some(used) = pass.and_then(|pass| used.get_mut(pass)) {
            *used = true;
            ignored += 1;
            continue;
        }
        let check = rule.checks.get(violation.contract);
        let reason = check.map(|check| reason(open, check, edge)).unwrap_or_default();
        broken.push(Broken { import: id, then: Vec::new(), reason });
    }
    if rule.indirect {
        let direct: BTreeSet<EdgeId> = broken.iter().map(|one: &Broken| one.import).collect();
        let chains = indirect::chains(open, rule, imports, &direct, &mut used);
        ignored += chains.ignored;
        broken.extend(chains.broken);
    }
    unknown(open, rule, warnings);
    for (ignored, used) in rule.ignored.iter().zip(used) {
        if !used {
            let import =
                format!("{} -> {}", selector_text(&ignored.from), selector_text(&ignored.to));
            warnings.push(warning(
                format!(
                    "{}: `{import}` lets no import pass that would break the contract `{}`",
                    ignored.place, rule.name
                ),
                Some("remove it".to_owned()),
            ));
        }
    }
    let form = match rule.checks.first() {
        Some(Contract::Forbidden { .. }) => Form::Forbid,
        Some(Contract::Independent { .. }) => Form::Independent,
        Some(Contract::Layers { .. }) | None => Form::Layers,
    };
    let (name, place) = (rule.name.clone(), Some(rule.place.clone()));
    Checked { name, form, place, imports, broken, ignored }
}

fn reason(open: &OpenGraph, contract: &Contract, edge: Edge) -> String {
    let graph = open.graph();
    let (Some(from), Some(to)) = (graph.node(edge.from), graph.node(edge.to)) else {
        return String::new();
    };
    let text = |selectors: &[Selector], node: &Node| {
        closest(graph, selectors, node).map(selector_text).unwrap_or_default()
    };
    match contract {
        Contract::Layers { layers, .. } => {
            let all: Vec<Selector> = layers.iter().flatten().cloned().collect();
            format!("`{}` is below `{}`, and must not import it", text(&all, from), text(&all, to))
        }
        Contract::Forbidden { from: who, to: whom, .. } => {
            format!("`{}` must not import `{}`", text(who, from), text(whom, to))
        }
        Contract::Independent { groups, .. } => {
            let (one, other) = (text(groups, from), text(groups, to));
            format!("`{one}` and `{other}` must not import each other")
        }
    }
}

/// Modules that there are not. What is forbidden need not be there, unless it should be here.
fn unknown(open: &OpenGraph, rule: &ContractRule, warnings: &mut Vec<Problem>) {
    let graph = open.graph();
    let forbidden = |selector: &Selector| {
        rule.checks.iter().any(|check| match check {
            Contract::Forbidden { to, except, .. } => {
                to.contains(selector) || except.contains(selector)
            }
            Contract::Layers { .. } | Contract::Independent { .. } => false,
        })
    };
    for one in &rule.selectors {
        let Selector::Module(module) = &one.selector else { continue };
        if is_there(graph, &one.selector)
            || (forbidden(&one.selector) && !is_of_workspace(graph, module))
        {
            continue;
        }
        let members = &open.workspace.members;
        let hint = if members.iter().any(|member| member.name == *module) {
            format!("the member of this name is `member:{module}`")
        } else {
            "modules are named as imports do; `bytekiln graph` lists them".to_owned()
        };
        warnings.push(warning(
            format!(
                "{}: the contract `{}` speaks of `{module}`, and there is no such module",
                one.place, rule.name
            ),
            Some(hint),
        ));
    }
}

pub(super) fn warning(message: String, hint: Option<String>) -> Problem {
    Problem { severity: Severity::Warning, path: None, message, hint }
}
