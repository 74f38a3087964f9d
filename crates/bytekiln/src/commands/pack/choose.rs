//! What becomes of each module: whether its source is in the artifact, whether its bytecode is, and why
//! not. Knows nothing of where anything lies.

use std::collections::BTreeMap;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_assembly::{Choice, FileKind, Priced, SourceNeed, SourceUse, needed_sources, spend};
use bytekiln_project::{ArtifactRule, PathGlobs, SourcelessPart, SourcelessRule, Workspace};

use super::compile::Compiled;
use super::gather::{Candidate, Home};
use crate::failure::CommandFailure;

/// Why a source stays although others go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// `keep-source` names it.
    Named,
    /// It is read while the program runs.
    Needed(SourceNeed),
    /// It does not compile.
    DoesNotCompile,
    /// It has no bytecode: the entries do not load it.
    NotSelected,
}

/// What was chosen for a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent {
    /// Bytes of bytecode that there may be.
    pub(super) budget: u64,
    /// Modules that have bytecode, and that could: those that entries load, where there are entries.
    pub(super) modules: (usize, usize),
    /// Modules in the artifact.
    pub(super) all_modules: usize,
    /// Bytes of bytecode, and of all that there could be.
    pub(super) bytes: (u64, u64),
    /// Cost of compiling what has bytecode, and of all.
    pub(super) cost: (u64, u64),
}

/// What was decided.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// By candidate.
    pub(super) choices: Vec<Choice>,
    /// Sources that stay in a part that goes without them.
    pub(super) kept: BTreeMap<RepoPath, Kept>,
    /// Modules that ask for the source of others: place, line, function.
    pub(super) inspecting: Vec<(RepoPath, u32, String)>,
    pub(super) spent: Option<Spent>,
    /// Modules that do not compile.
    pub(super) rejected: Vec<RepoPath>,
}

/// Which candidates go without their source if they can.
fn sourceless(
    rule: &ArtifactRule,
    workspace: &Workspace,
    candidates: &[Candidate],
) -> Result<Vec<bool>, CommandFailure> {
    let parts = match &rule.sourceless {
        SourcelessRule::Nothing => return Ok(vec![false; candidates.len()]),
        SourcelessRule::Everything => return Ok(vec![true; candidates.len()]),
        SourcelessRule::Some(parts) => parts,
    };
    let named = parts.iter().filter_map(|part| match part {
        SourcelessPart::Glob(glob) => Some(glob.as_str()),
        SourcelessPart::Member(_) => None,
    });
    let globs = globs(named, rule)?;
    let is_member = |index: u32| {
        let member = workspace.members.get(index as usize);
        member.is_some_and(|member| parts.contains(&SourcelessPart::Member(member.name.clone())))
    };
    let goes = candidates.iter().map(|candidate| {
        globs.is_match(&candidate.place)
            || matches!(candidate.home, Home::Member(index, _) if is_member(index))
    });
    Ok(goes.collect())
}

fn globs<'a>(
    globs: impl IntoIterator<Item = &'a str>,
    rule: &ArtifactRule,
) -> Result<PathGlobs, CommandFailure> {
    PathGlobs::new(globs).map_err(|error| {
        CommandFailure::usage(format!(
            "{}: bad glob `{}`: {}",
            rule.place, error.glob, error.message
        ))
    })
}

/// Decides. `compiled` has the results of each candidate that was compiled, for every target.
pub(super) fn choose(
    rule: &ArtifactRule,
    workspace: &Workspace,
    candidates: &[Candidate],
    compiled: &BTreeMap<usize, Vec<Compiled>>,
) -> Result<Chosen, CommandFailure> {
    let goes = sourceless(rule, workspace, candidates)?;
    let keep = globs(rule.keep_source.iter().map(String::as_str), rule)?;
    let modules: Vec<(&RepoPath, Vec<(u32, SourceUse)>)> = candidates
        .iter()
        .zip(&goes)
        .filter(|(candidate, _)| candidate.kind == FileKind::Module)
        .map(|(candidate, _)| (&candidate.place, candidate.uses.clone()))
        .collect();
    let any_goes = goes.iter().any(|goes| *goes);
    let needed = if any_goes { needed_sources(&modules) } else { BTreeMap::new() };
    let mut chosen = Chosen::default();
    let bytecode = within_budget(rule, candidates, compiled, &mut chosen);
    for (index, (candidate, goes)) in candidates.iter().zip(&goes).enumerate() {
        let place = &candidate.place;
        let results = compiled.get(&index);
        let rejected = results.is_some_and(|results| {
            results.iter().any(|result| matches!(result, Compiled::Rejected(_)))
        });
        if rejected {
            chosen.rejected.push(place.clone());
        }
        let has_bytecode = bytecode.get(index).copied().unwrap_or(false);
        let kept = if candidate.kind != FileKind::Module || !goes {
            None
        } else if rejected {
            Some(Kept::DoesNotCompile)
        } else if keep.is_match(place) {
            Some(Kept::Named)
        } else if let Some(need) = needed.get(place) {
            Some(Kept::Needed(need.clone()))
        } else if !has_bytecode {
            Some(Kept::NotSelected)
        } else {
            None
        };
        let source = !goes || kept.is_some();
        chosen.kept.extend(kept.map(|kept| (place.clone(), kept)));
        chosen.choices.push(Choice { source, bytecode: has_bytecode });
        if any_goes && candidate.kind == FileKind::Module {
            chosen.inspecting.extend(candidate.uses.iter().filter_map(|(line, one)| match one {
                SourceUse::Inspects(what) => Some((place.clone(), *line, what.clone())),
                SourceUse::Names(_) | SourceUse::ReadsItself => None,
            }));
        }
    }
    Ok(chosen)
}

/// Which candidates have bytecode: those that compiled for all targets, and fit.
fn within_budget(
    rule: &ArtifactRule,
    candidates: &[Candidate],
    compiled: &BTreeMap<usize, Vec<Compiled>>,
    chosen: &mut Chosen,
) -> Vec<bool> {
    let sizes = |results: &[Compiled]| -> Option<u64> {
        results
            .iter()
            .map(|result| match result {
                Compiled::Output(Digest { size, .. }) => Some(*size),
                Compiled::Rejected(_) => None,
            })
            .sum()
    };
    let (mut indices, mut priced) = (Vec::new(), Vec::new());
    for (index, results) in compiled {
        let (Some(bytes), Some(candidate)) = (sizes(results), candidates.get(*index)) else {
            continue;
        };
        indices.push(*index);
        priced.push(Priced { worth: candidate.cost * results.len() as u64, bytes });
    }
    let taken = match rule.selection.budget {
        Some(budget) => spend(budget, &priced),
        None => vec![true; priced.len()],
    };
    if let Some(budget) = rule.selection.budget {
        let sum = |of: &dyn Fn(&Priced) -> u64, all: bool| {
            priced
                .iter()
                .zip(&taken)
                .filter(|(_, taken)| all || **taken)
                .map(|(one, _)| of(one))
                .sum()
        };
        let both = |of: &dyn Fn(&Priced) -> u64| (sum(of, false), sum(of, true));
        chosen.spent = Some(Spent {
            budget,
            modules: (taken.iter().filter(|taken| **taken).count(), taken.len()),
            all_modules: candidates.iter().filter(|one| one.kind == FileKind::Module).count(),
            bytes: both(&|one| one.bytes),
            cost: both(&|one| one.worth),
        });
    }
    let mut bytecode = vec![false; candidates.len()];
    for (index, taken) in indices.into_iter().zip(taken) {
        if let Some(place) = bytecode.get_mut(index) {
            *place = taken;
        }
    }
    bytecode
}
