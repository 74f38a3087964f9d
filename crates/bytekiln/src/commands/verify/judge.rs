//! Reaches the verdicts: tries the interpreters that may have made a cache until one gives the same
//! code. What none gives is for `doubt`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use bytekiln_python::{OptimizationLevel, Release};

use super::compile::{Answer, Attempt, Workshop};
use super::doubt::{doubts, settle};
use super::examine::Open;
use super::interpreters::environment_version;
use super::verdict::{Making, NameSays, Verdict};
use crate::arguments::UnprovableReason;
use crate::report::human::failure_text;

/// From so many caches on, a sample tells which interpreter to try first.
const WORTH_A_SAMPLE: usize = 64;
/// The sample.
const SAMPLE: usize = 24;
/// The caches of one argument and one release: as a rule, one interpreter has made them all.
pub(super) type Lot = (usize, Release);

/// What is known of who made a lot.
pub(super) struct Makers {
    /// Candidates, the likeliest first.
    pub order: Vec<usize>,
    /// The first one is certain.
    pub pinned: bool,
}

/// One cache on its way to a verdict.
pub(super) struct Case<'a> {
    pub open: &'a Open,
    pub lot: Lot,
    pub name: &'a NameSays,
    pub verdict: Option<Verdict>,
    /// Somebody compiled the source.
    pub compiles: bool,
    /// Why somebody did not.
    pub refused: Option<(usize, String, Option<u32>)>,
    pub failed: Option<String>,
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

pub(super) fn unprovable(reason: UnprovableReason, message: String) -> Verdict {
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
pub(super) fn makings(
    case: &Case<'_>,
    makers: &BTreeMap<Lot, Makers>,
    debug_ranges: bool,
) -> Vec<Making> {
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
pub(super) fn try_all(workshop: &Workshop<'_>, cases: &mut [Case<'_>], chosen: &[(usize, Making)]) {
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
