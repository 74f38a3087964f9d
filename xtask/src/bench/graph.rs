//! Scenarios on the import graph: cold and warm, against ruff and grimp, and against a build that finds
//! nothing to do.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::contender::Workplace;
use super::corpora::{Corpora, Corpus};
use super::measure::{self, Ends};
use super::scenario::{Contender, Goal, Prepare, Scenario, no_op_contender};

/// Bytes that each source adds at least to a graph as JSON: its own name.
const LEAST_BYTES: u64 = 20;

/// All of them; the packages of the big tree are fetched if asked for.
pub(super) fn all<'a>(
    corpora: &'a Corpora,
    workplace: &'a Workplace,
    big: bool,
) -> Result<Vec<Scenario<'a>>> {
    let small = &corpora.small;
    let mut cold_small = cold(small.clone(), workplace, 7.0);
    cold_small.contenders.push(grimp(small.clone(), workplace, "grimp, cold", false));
    cold_small.contenders.push(grimp(small.clone(), workplace, "grimp, warm", true));
    let mut scenarios =
        vec![cold_small, warm(small.clone(), workplace), peak(small.clone(), workplace)];
    if big {
        let packages = corpora.packages()?;
        scenarios.push(cold(packages.clone(), workplace, 12.0));
        scenarios.push(warm(packages.clone(), workplace));
        scenarios.push(peak(packages, workplace));
    }
    Ok(scenarios)
}

fn cold(corpus: Corpus, workplace: &Workplace, times: f64) -> Scenario<'_> {
    Scenario {
        title: format!("import graph, cold, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::TimesFasterThanSecond(times),
        contenders: vec![cold_contender(corpus.clone(), workplace), ruff(corpus, workplace)],
    }
}

fn peak(corpus: Corpus, workplace: &Workplace) -> Scenario<'_> {
    Scenario {
        title: format!("import graph, peak memory, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::Peak(300),
        contenders: vec![cold_contender(corpus.clone(), workplace), ruff(corpus, workplace)],
    }
}

/// The same tree as that of the build beside it; nothing has changed since.
fn warm(corpus: Corpus, workplace: &Workplace) -> Scenario<'_> {
    let (tree, state) = (workplace.path("noop"), workplace.path("graph-warm-state"));
    let (known, built) = (state.clone(), tree.clone());
    let build = no_op_contender(corpus.clone(), workplace);
    let ready = no_op_contender(corpus.clone(), workplace).prepare;
    let name = corpus.name.clone();
    let prepare: Prepare<'_> = Box::new(move || {
        ready()?;
        let mark = workplace.path("graph-warm-state.corpus");
        if std::fs::read_to_string(&mark).is_ok_and(|made| made == name) {
            return Ok(());
        }
        workplace.remove("graph-warm-state")?;
        for _ in 0..2 {
            let mut command = written(workplace.graph(&built, &known), workplace)?;
            measure::run(&mut command, Ends::Well)?;
            // The index distrusts what was written in the moment it was made, as git's does.
            std::thread::sleep(std::time::Duration::from_secs(2));
        }
        Ok(std::fs::write(mark, &name)?)
    });
    Scenario {
        title: format!("import graph, warm, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(2.0),
        contenders: vec![
            Contender {
                name: "bytekiln graph",
                ends: Ends::Well,
                prepare,
                shown: workplace.shown(&workplace.graph(&tree, &state)),
                check: expect_graph(corpus, workplace),
                command: start(workplace, move || workplace.graph(&tree, &state)),
            },
            Contender { name: "bytekiln build, nothing to do", ..build },
        ],
    }
}

/// A tree that no one else writes to, made once a corpus.
fn tree(corpus: Corpus, workplace: &Workplace) -> impl Fn() -> Result<()> {
    move || {
        let mark = workplace.path("graph.corpus");
        if std::fs::read_to_string(&mark).is_ok_and(|made| made == corpus.name) {
            return Ok(());
        }
        workplace.copy(&corpus, "graph")?;
        Ok(std::fs::write(mark, &corpus.name)?)
    }
}

fn cold_contender(corpus: Corpus, workplace: &Workplace) -> Contender<'_> {
    let (folder, state) = (workplace.path("graph"), workplace.path("graph-state"));
    let ready = tree(corpus.clone(), workplace);
    Contender {
        name: "bytekiln graph",
        ends: Ends::Well,
        prepare: Box::new(move || {
            ready()?;
            workplace.remove("graph-state")
        }),
        shown: workplace.shown(&workplace.graph(&folder, &state)),
        check: expect_graph(corpus, workplace),
        command: start(workplace, move || workplace.graph(&folder, &state)),
    }
}

fn ruff(corpus: Corpus, workplace: &Workplace) -> Contender<'_> {
    let folder = workplace.path("graph");
    Contender {
        name: "ruff analyze graph",
        ends: Ends::Well,
        prepare: Box::new(tree(corpus.clone(), workplace)),
        shown: workplace.shown(&workplace.ruff(&folder)),
        check: expect_graph(corpus, workplace),
        command: start(workplace, move || workplace.ruff(&folder)),
    }
}

fn grimp<'a>(
    corpus: Corpus,
    workplace: &'a Workplace,
    name: &'static str,
    is_warm: bool,
) -> Contender<'a> {
    let (folder, cache) = (workplace.path("graph"), workplace.path("grimp-cache"));
    let ready = tree(corpus, workplace);
    let (first, kept) = (folder.clone(), cache.clone());
    let shown = if is_warm { Some(cache.as_path()) } else { None };
    Contender {
        name,
        ends: Ends::Well,
        prepare: Box::new(move || {
            ready()?;
            if is_warm && !kept.exists() {
                measure::run(&mut workplace.grimp(&first, Some(&kept)), Ends::Well)?;
            }
            Ok(())
        }),
        shown: workplace.shown(&workplace.grimp(&folder, shown)),
        check: Box::new(|| Ok(())),
        command: Box::new(move || workplace.grimp(&folder, is_warm.then_some(cache.as_path()))),
    }
}

fn output(workplace: &Workplace) -> PathBuf {
    workplace.path("graph.json")
}

/// A command whose output is a file: what is not printed was not made.
fn written(mut command: Command, workplace: &Workplace) -> Result<Command> {
    command.stdout(File::create(output(workplace))?);
    Ok(command)
}

/// The same, for contenders; without the file the check after the run says so.
fn start<'a>(
    workplace: &'a Workplace,
    command: impl Fn() -> Command + 'a,
) -> Box<dyn Fn() -> Command + 'a> {
    Box::new(move || written(command(), workplace).unwrap_or_else(|_| command()))
}

fn expect_graph(corpus: Corpus, workplace: &Workplace) -> Prepare<'_> {
    Box::new(move || {
        let path: &Path = &output(workplace);
        let (bytes, sources) = (std::fs::metadata(path)?.len(), u64::try_from(corpus.sources)?);
        ensure!(bytes > sources * LEAST_BYTES, "{bytes} bytes are no graph of {sources} sources");
        Ok(std::fs::remove_file(path)?)
    })
}
