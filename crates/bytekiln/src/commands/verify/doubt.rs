//! What becomes of a cache that no interpreter proves: how it differs, whether an honest switch or
//! another build explains that, and the verdict. Knows nothing of how proofs are tried.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytekiln_python::OptimizationLevel;

use super::compile::{Answer, Attempt, Workshop};
use super::difference::{Difference, difference};
use super::judge::{Case, Lot, Makers, makings, try_all, unprovable};
use super::verdict::{Divergence, DivergenceKind, Making, NameSays, Verdict};
use crate::arguments::UnprovableReason;

/// Differing caches whose expected bytes are in memory at once.
const EXPLAINED_AT_ONCE: usize = 128;
/// If so many in a hundred of a tree's caches are one interpreter's, and at least [`MANY`], the
/// others are too.
const AT_LARGE_PERCENT: usize = 95;
const MANY: usize = 20;

/// A case that no interpreter has proved, with the likeliest way of its making and how it differs
/// from that.
pub(super) struct Doubt {
    case: usize,
    making: Making,
    difference: Difference,
}

/// What is left: settles what cannot be compared, and compares the rest with whatever it is
/// nearest to.
pub(super) fn doubts(
    workshop: &Workshop<'_>,
    makers: &BTreeMap<Lot, Makers>,
    cases: &mut [Case<'_>],
) -> Vec<Doubt> {
    let mut open = Vec::new();
    for (index, case) in cases.iter_mut().enumerate().filter(|(_, case)| case.verdict.is_none()) {
        case.verdict = match (&case.failed, &case.refused) {
            _ if case.compiles => {
                open.push(index);
                None
            }
            (Some(why), _) => Some(unprovable(UnprovableReason::NotCompared, why.clone())),
            (None, Some((interpreter, why, line))) => {
                let message = format!("its source does not compile: {why}");
                let divergence = Divergence {
                    line: *line,
                    compared_with: Some(*interpreter),
                    ..Divergence::new(DivergenceKind::Source, message)
                };
                Some(Verdict::Diverges(divergence))
            }
            (None, None) => None,
        };
    }
    let mut doubts = Vec::new();
    for some in open.chunks(EXPLAINED_AT_ONCE) {
        if workshop.cancel.load(Ordering::Relaxed) {
            break;
        }
        let mut chosen = Vec::new();
        for index in some {
            let Some(case) = cases.get(*index) else { continue };
            chosen.extend(makings(case, makers, true).into_iter().map(|making| (*index, making)));
        }
        let attempts: Vec<Attempt<'_>> = chosen
            .iter()
            .filter_map(|(index, making)| {
                Some(Attempt { open: cases.get(*index)?.open, making: *making })
            })
            .collect();
        let outputs = workshop.outputs(&attempts);
        let mut compared = chosen.iter().zip(outputs).peekable();
        for index in some {
            let mut nearest: Option<Doubt> = None;
            let mut trouble = None;
            let subject = cases.get(*index).map(|case| case.open.subject);
            let pyc =
                subject.and_then(|subject| workshop.inventory.subjects.get(subject)).map_or_else(
                    || Err(String::new()),
                    |subject| workshop.inventory.read(&subject.place),
                );
            while let Some(((_, making), output)) = compared.next_if(|((case, _), _)| case == index)
            {
                let (Ok(pyc), Some(output)) = (&pyc, output) else { continue };
                match difference(pyc, &output) {
                    Ok(difference) => {
                        let doubt = Doubt { case: *index, making: *making, difference };
                        let is_nearer = nearest.as_ref().is_none_or(|nearest| {
                            doubt.difference.distance() < nearest.difference.distance()
                        });
                        if is_nearer {
                            nearest = Some(doubt);
                        }
                    }
                    Err(why) => trouble = Some(why),
                }
            }
            match (nearest, cases.get_mut(*index)) {
                (Some(doubt), _) => doubts.push(doubt),
                (None, Some(case)) => {
                    let why = pyc.err().or(trouble).or_else(|| case.failed.clone());
                    let why = why.unwrap_or_else(|| "it changed while it was verified".to_owned());
                    case.verdict = Some(unprovable(UnprovableReason::NotCompared, why));
                }
                (None, None) => {}
            }
        }
    }
    doubts
}

/// The last ways to explain what differs, and the verdicts on what cannot be explained.
pub(super) fn settle(
    workshop: &Workshop<'_>,
    makers: &BTreeMap<Lot, Makers>,
    cases: &mut [Case<'_>],
    doubts: Vec<Doubt>,
) {
    // Compiled with `-X no_debug_ranges`: an honest switch.
    let first_with_ranges = 11;
    let mut chosen = Vec::new();
    for doubt in doubts.iter().filter(|doubt| doubt.difference.only_compiler) {
        let Some(case) = cases.get(doubt.case) else { continue };
        if case.open.release.minor() >= first_with_ranges {
            let ways = makings(case, makers, false);
            chosen.extend(ways.into_iter().map(|making| (doubt.case, making)));
        }
    }
    try_all(workshop, cases, &chosen);
    let levels = other_levels(workshop, makers, cases, &doubts);
    let at_large = at_large(makers, cases);
    for Doubt { case, making, difference } in doubts {
        let Some(case) = cases.get_mut(case).filter(|case| case.verdict.is_none()) else {
            continue;
        };
        let maker = workshop.candidates.get(making.interpreter);
        let maker = maker.map(|maker| maker.label()).unwrap_or_default();
        if let Some(found) = levels.get(&case.open.subject) {
            let named = case.name.levels().first().map_or(0, |level| level.as_u8());
            let message = format!(
                "its name says optimization level {named}, and it was compiled at level {}",
                found.level
            );
            let divergence = Divergence {
                compared_with: Some(found.interpreter),
                ..Divergence::new(DivergenceKind::Level, message)
            };
            case.verdict = Some(Verdict::Diverges(divergence));
            continue;
        }
        let pinned = makers.get(&case.lot).is_some_and(|makers| makers.pinned);
        let known = pinned || at_large.get(&case.lot) == Some(&making.interpreter);
        case.verdict = Some(if difference.only_compiler && !known {
            let release = case.open.release;
            let message = format!(
                "not what {maker} makes, but only in what builds of {release} may do differently: {}",
                difference.message
            );
            unprovable(UnprovableReason::OtherBuild, message)
        } else {
            Verdict::Diverges(Divergence {
                kind: DivergenceKind::Content,
                message: difference.message,
                function: difference.function,
                part: difference.part,
                line: difference.line,
                compared_with: Some(making.interpreter),
                only_compiler: difference.only_compiler,
            })
        });
    }
}

/// Caches that are of another level than their name says, by subject.
fn other_levels(
    workshop: &Workshop<'_>,
    makers: &BTreeMap<Lot, Makers>,
    cases: &[Case<'_>],
    doubts: &[Doubt],
) -> BTreeMap<usize, Making> {
    const LEVELS: [OptimizationLevel; 3] =
        [OptimizationLevel::Zero, OptimizationLevel::One, OptimizationLevel::Two];
    let mut attempts = Vec::new();
    for doubt in doubts {
        let Some(case) = cases.get(doubt.case).filter(|case| case.verdict.is_none()) else {
            continue;
        };
        let NameSays::Tagged { level: named, .. } = case.name else { continue };
        for making in makings(case, makers, true) {
            for level in LEVELS.into_iter().filter(|level| level != named) {
                attempts.push(Attempt { open: case.open, making: Making { level, ..making } });
            }
        }
    }
    let mut found = BTreeMap::new();
    for (attempt, answer) in attempts.iter().zip(workshop.answers(&attempts)) {
        if matches!(answer, Answer::Output(output) if output == attempt.open.canonical) {
            found.entry(attempt.open.subject).or_insert(attempt.making);
        }
    }
    found
}

/// The interpreter that has evidently made a lot, if so.
fn at_large(makers: &BTreeMap<Lot, Makers>, cases: &[Case<'_>]) -> BTreeMap<Lot, usize> {
    let mut proved: BTreeMap<Lot, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut all: BTreeMap<Lot, usize> = BTreeMap::new();
    for case in cases {
        *all.entry(case.lot).or_default() += 1;
        if let Some(Verdict::Proved(making)) = &case.verdict {
            *proved.entry(case.lot).or_default().entry(making.interpreter).or_default() += 1;
        }
    }
    let mut at_large = BTreeMap::new();
    for lot in makers.keys() {
        let (Some(proved), Some(all)) = (proved.get(lot), all.get(lot)) else { continue };
        for (interpreter, count) in proved {
            if *count >= MANY && count * 100 >= all * AT_LARGE_PERCENT {
                at_large.insert(*lot, *interpreter);
            }
        }
    }
    at_large
}
