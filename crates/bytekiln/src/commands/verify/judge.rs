//! Reaches the verdicts: tries the interpreters that may have made a cache until one gives the same
//! code, and says of what none gives how it differs, and whether that says anything.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytekiln_python::{OptimizationLevel, Release};

use super::compile::{Answer, Attempt, Workshop};
use super::difference::{Difference, difference};
use super::examine::Open;
use super::interpreters::environment_version;
use super::verdict::{Divergence, DivergenceKind, Making, NameSays, Verdict};
use crate::arguments::UnprovableReason;
use crate::report::human::failure_text;

/// From so many caches on, a sample tells which interpreter to try first.
const WORTH_A_SAMPLE: usize = 64;
/// The sample.
const SAMPLE: usize = 24;
/// Differing caches whose expected bytes are in memory at once.
const EXPLAINED_AT_ONCE: usize = 128;
/// If so many in a hundred of a tree's caches are one interpreter's, and at least [`MANY`], the
/// others are too.
const AT_LARGE_PERCENT: usize = 95;
const MANY: usize = 20;

/// The caches of one argument and one release: as a rule, one interpreter has made them all.
type Lot = (usize, Release);

/// What is known of who made a lot.
struct Makers {
    /// Candidates, the likeliest first.
    order: Vec<usize>,
    /// The first one is certain.
    pinned: bool,
}

/// One cache on its way to a verdict.
struct Case<'a> {
    open: &'a Open,
    lot: Lot,
    name: &'a NameSays,
    verdict: Option<Verdict>,
    /// Somebody compiled the source.
    compiles: bool,
    /// Why somebody did not.
    refused: Option<(usize, String, Option<u32>)>,
    failed: Option<String>,
}

/// A case that no interpreter has proved, with the likeliest way of its making and how it differs
/// from that.
struct Doubt {
    case: usize,
    making: Making,
    difference: Difference,
}

/// Judges all of `opens`; the verdicts are in their order.
pub(super) fn judge(workshop: &Workshop<'_>, opens: &[Open]) -> Vec<Verdict> {
    let subjects = &workshop.inventory.subjects;
    let mut cases: Vec<Case<'_>> = opens
        .iter()
        .filter_map(|open| {
            let subject = subjects.get(open.subject)?;
            Some(Case {
                open,
                lot: (subject.argument, open.release),
                name: &subject.name,
                verdict: None,
                compiles: false,
                refused: None,
                failed: None,
            })
        })
        .collect();
    let makers = makers(workshop, &cases);
    prove(workshop, &makers, &mut cases);
    if !workshop.cancel.load(Ordering::Relaxed) {
        let doubts = doubts(workshop, &makers, &mut cases);
        settle(workshop, &makers, &mut cases, doubts);
    }
    let interrupted = || unprovable(UnprovableReason::NotCompared, "interrupted".to_owned());
    cases.into_iter().map(|case| case.verdict.unwrap_or_else(interrupted)).collect()
}

fn unprovable(reason: UnprovableReason, message: String) -> Verdict {
    Verdict::Unprovable { reason, message }
}

/// Which candidates may have made each lot.
fn makers(workshop: &Workshop<'_>, cases: &[Case<'_>]) -> BTreeMap<Lot, Makers> {
    let mut lots: BTreeMap<Lot, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        lots.entry(case.lot).or_default().push(case);
    }
    let mut makers = BTreeMap::new();
    for ((argument, release), cases) in lots {
        let of_release = |index: &usize| {
            let candidate = workshop.candidates.get(*index);
            candidate.is_some_and(|candidate| candidate.compiler.toolchain.release == release)
        };
        let mut order: Vec<usize> = (0..workshop.candidates.len()).filter(of_release).collect();
        let is_pinned = |index: &usize| {
            workshop.candidates.get(*index).is_some_and(|candidate| candidate.pinned)
        };
        let mut pinned = matches!(order.as_slice(), [only] if is_pinned(only));
        let path = workshop.inventory.arguments.get(argument).map(|argument| &argument.absolute);
        let version = path.and_then(|path| environment_version(path));
        let of_version = |index: &usize| {
            let candidate = workshop.candidates.get(*index);
            let own = candidate.map(|candidate| candidate.compiler.toolchain.version.as_str());
            version.is_some() && own == version.as_deref()
        };
        if let Some(place) = order.iter().position(of_version) {
            // Builds of one version stay behind it, in case it is not the one.
            pinned |= order.iter().filter(|index| of_version(index)).count() == 1;
            let first = order.remove(place);
            order.insert(0, first);
        } else if order.len() > 1 && cases.len() >= WORTH_A_SAMPLE {
            sample(workshop, &mut order, &cases);
        }
        makers.insert((argument, release), Makers { order, pinned });
    }
    makers
}

/// Puts those first that prove most of a few.
fn sample(workshop: &Workshop<'_>, order: &mut [usize], cases: &[&Case<'_>]) {
    let step = cases.len().div_ceil(SAMPLE).max(1);
    let some: Vec<&&Case<'_>> = cases.iter().step_by(step).collect();
    let attempts: Vec<Attempt<'_>> = order
        .iter()
        .flat_map(|interpreter| some.iter().map(|case| first_attempt(case, *interpreter)))
        .collect();
    let answers = workshop.answers(&attempts);
    let mut proved: BTreeMap<usize, usize> = BTreeMap::new();
    for (attempt, answer) in attempts.iter().zip(&answers) {
        let equal = matches!(answer, Answer::Output(output) if *output == attempt.open.canonical);
        *proved.entry(attempt.making.interpreter).or_default() += usize::from(equal);
    }
    order.sort_by_key(|index| std::cmp::Reverse(proved.get(index).copied().unwrap_or_default()));
}

fn first_attempt<'a>(case: &Case<'a>, interpreter: usize) -> Attempt<'a> {
    let level = case.name.levels().first().copied().unwrap_or(OptimizationLevel::Zero);
    Attempt { open: case.open, making: Making { interpreter, level, debug_ranges: true } }
}

/// Every way in which a case may have been made honestly, the likeliest first.
fn makings(case: &Case<'_>, makers: &BTreeMap<Lot, Makers>, debug_ranges: bool) -> Vec<Making> {
    let order = makers.get(&case.lot).map(|makers| makers.order.as_slice()).unwrap_or_default();
    let levels = case.name.levels();
    let all = order.iter().flat_map(|interpreter| {
        let making = |level: &OptimizationLevel| Making {
            interpreter: *interpreter,
            level: *level,
            debug_ranges,
        };
        levels.iter().map(making)
    });
    all.collect()
}

/// Tries one interpreter after the other on what is not proved yet.
fn prove(workshop: &Workshop<'_>, makers: &BTreeMap<Lot, Makers>, cases: &mut [Case<'_>]) {
    let ways: Vec<Vec<Making>> = cases.iter().map(|case| makings(case, makers, true)).collect();
    let rounds = ways.iter().map(Vec::len).max().unwrap_or_default();
    for round in 0..rounds {
        if workshop.cancel.load(Ordering::Relaxed) {
            return;
        }
        let chosen: Vec<(usize, Making)> = cases
            .iter()
            .zip(&ways)
            .enumerate()
            .filter(|(_, (case, _))| case.verdict.is_none())
            .filter_map(|(index, (_, ways))| Some((index, *ways.get(round)?)))
            .collect();
        try_all(workshop, cases, &chosen);
    }
    for (case, ways) in cases.iter_mut().zip(&ways) {
        if case.verdict.is_none() && ways.is_empty() {
            let release = case.open.release;
            let message = format!("no interpreter of CPython {release} was found");
            case.verdict = Some(unprovable(UnprovableReason::NoInterpreter, message));
        }
    }
}

/// Makes a verdict of each attempt that succeeds, and remembers of the others what they say.
fn try_all(workshop: &Workshop<'_>, cases: &mut [Case<'_>], chosen: &[(usize, Making)]) {
    let attempts: Vec<Attempt<'_>> = chosen
        .iter()
        .filter_map(|(index, making)| {
            Some(Attempt { open: cases.get(*index)?.open, making: *making })
        })
        .collect();
    for ((index, making), answer) in chosen.iter().zip(workshop.answers(&attempts)) {
        let Some(case) = cases.get_mut(*index) else { continue };
        match answer {
            Answer::Output(output) if output == case.open.canonical => {
                case.verdict = Some(Verdict::Proved(*making));
            }
            Answer::Output(_) => case.compiles = true,
            Answer::Rejected(error) => {
                let line = error.start.map(|start| start.line);
                let text = format!("{}: {}", error.category, error.message);
                case.refused.get_or_insert((making.interpreter, text, line));
            }
            Answer::Failed(failure) => case.failed = Some(failure_text(&failure)),
        }
    }
}

/// What is left: settles what cannot be compared, and compares the rest with whatever it is
/// nearest to.
fn doubts(
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
fn settle(
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
