//! What is compared with what, and how each run is prepared.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::contender::{Workplace, expect_outputs};
use super::corpora::{Corpora, Corpus};
use super::measure::{self, Ends};

/// What has to hold of the first contender.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most so much of the fastest other's wall time.
    AtMost(f64),
    /// So many times faster than the fastest other.
    TimesFaster(f64),
    /// So many times faster than the last contender, and at least 60 MB and 4,000 caches a second.
    Rewriting {
        /// The factor.
        times: f64,
        /// How many caches are rewritten.
        files: usize,
        /// How large they are together.
        bytes: u64,
    },
    /// So many times faster than the second contender; the others are told for information.
    TimesFasterThanSecond(f64),
    /// Peak memory of less than so many MB.
    Peak(u32),
    /// Peak memory of at most 100 MB and 1 KB a source; the sources.
    Memory(usize),
}

/// A comparison; the first contender is Bytekiln.
pub(crate) struct Scenario<'a> {
    pub(crate) title: String,
    pub(crate) goal: Goal,
    pub(super) contenders: Vec<Contender<'a>>,
}

pub(super) type Prepare<'a> = Box<dyn Fn() -> Result<()> + 'a>;

/// Somebody who does the work.
pub(super) struct Contender<'a> {
    pub(super) name: &'static str,
    /// Before each run, not measured.
    pub(super) prepare: Prepare<'a>,
    pub(super) command: Box<dyn Fn() -> Command + 'a>,
    pub(super) ends: Ends,
    /// For readers.
    pub(super) shown: String,
    /// After each run, not measured: that the work was done.
    pub(super) check: Prepare<'a>,
}

/// What came of one contender.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) shown: String,
    pub(crate) times: Vec<Duration>,
    pub(crate) peak: u64,
}

/// Measures, the contenders taking turns; who begins changes from run to run.
pub(crate) fn measure(scenario: &Scenario<'_>, runs: usize) -> Result<Vec<Measured>> {
    let mut results: Vec<Measured> = scenario
        .contenders
        .iter()
        .map(|contender| Measured {
            name: contender.name,
            shown: contender.shown.clone(),
            times: Vec::new(),
            peak: 0,
        })
        .collect();
    let watched = matches!(scenario.goal, Goal::Memory(_) | Goal::Peak(_));
    for run in 0..runs {
        for turn in 0..scenario.contenders.len() {
            let index = (run + turn) % scenario.contenders.len();
            let (contender, result) = (&scenario.contenders[index], &mut results[index]);
            (contender.prepare)()?;
            let mut command = (contender.command)();
            let measured = if watched {
                measure::run_watched(&mut command, contender.ends)?
            } else {
                measure::run(&mut command, contender.ends)?
            };
            result.times.push(measured.wall);
            result.peak = result.peak.max(measured.peak);
            (contender.check)()?;
        }
    }
    Ok(results)
}

/// Everything, in the order of the report.
pub(crate) fn all<'a>(
    corpora: &'a Corpora,
    workplace: &'a Workplace,
    big: bool,
) -> Result<Vec<Scenario<'a>>> {
    let mut scenarios = Vec::new();
    for corpus in [&corpora.small, &corpora.ansible] {
        scenarios.push(cold(corpus, workplace));
        scenarios.push(no_op(corpus, workplace));
        scenarios.push(restore(corpus, workplace));
        scenarios.push(memory(corpus, workplace));
    }
    scenarios.push(no_op_and_git(corpora.ansible.clone(), workplace));
    scenarios.extend(super::finished::all(corpora, workplace)?);
    scenarios.extend(super::graph::all(corpora, workplace, big)?);
    scenarios.extend(super::pack::all(corpora, workplace)?);
    if big {
        scenarios.push(no_op_and_git(big_corpus(corpora, workplace)?, workplace));
    }
    Ok(scenarios)
}

/// Five copies of everything: about 86,000 sources.
fn big_corpus(corpora: &Corpora, workplace: &Workplace) -> Result<Corpus> {
    for copy in 1..=5 {
        for (corpus, name) in [(&corpora.small, "small"), (&corpora.ansible, "ansible")] {
            let folder = workplace.copy(corpus, &format!("big/copy{copy}/{name}"))?;
            std::fs::remove_file(folder.join("bytekiln.toml"))?;
        }
    }
    Corpus::new("five copies of all", workplace.path("big"))
}

/// What a build leaves that has left nothing to do.
const SETTLED: &str = ".bytekiln/dev.settled";

/// A build of a fresh copy with an empty cache.
pub(super) fn cold_contender<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Contender<'a> {
    let (tree, cache) = (workplace.path("tree"), workplace.path("cache"));
    Contender {
        name: "bytekiln",
        ends: Ends::WithFindings,
        prepare: Box::new(move || {
            workplace.remove("cache")?;
            workplace.copy(corpus, "tree").map(drop)
        }),
        shown: workplace.shown(&workplace.bytekiln(&tree, &cache)),
        check: Box::new({
            let tree = tree.clone();
            move || expect_outputs(&tree, corpus)
        }),
        command: Box::new(move || workplace.bytekiln(&tree, &cache)),
    }
}

fn cold<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    let (tree, project) = (workplace.path("compileall"), workplace.path("uv"));
    let (checked, packages) = (tree.clone(), project.join(".venv"));
    Scenario {
        title: format!("cold build, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(0.95),
        contenders: vec![
            cold_contender(corpus, workplace),
            Contender {
                name: "compileall",
                ends: Ends::WithFindings,
                prepare: Box::new(move || workplace.copy(corpus, "compileall").map(drop)),
                shown: workplace.shown(&workplace.compileall(&tree)),
                command: Box::new(move || workplace.compileall(&tree)),
                check: Box::new(move || expect_outputs(&checked, corpus)),
            },
            Contender {
                name: "uv",
                ends: Ends::WithFindings,
                prepare: Box::new(move || workplace.uv_project(corpus, "uv").map(drop)),
                shown: workplace.shown(&workplace.uv(&project)),
                command: Box::new(move || workplace.uv(&project)),
                check: Box::new(move || expect_outputs(&packages, corpus)),
            },
        ],
    }
}

/// Builds once; every run after that finds nothing to do.
pub(super) fn no_op_contender(corpus: Corpus, workplace: &Workplace) -> Contender<'_> {
    let (tree, cache) = (workplace.path("noop"), workplace.path("noop-cache"));
    Contender {
        name: "bytekiln",
        ends: Ends::Well,
        prepare: prepare_once(corpus.clone(), workplace, tree.clone(), move |tree| {
            workplace.allow_failures(tree)?;
            let mut build = workplace.bytekiln(tree, &workplace.path("noop-cache"));
            measure::run(&mut build, Ends::Well).map(drop)
        }),
        shown: workplace.shown(&workplace.bytekiln(&tree, &cache)),
        check: Box::new({
            let tree = tree.clone();
            move || {
                ensure!(tree.join(SETTLED).exists(), "the build of {} did not settle", corpus.name);
                expect_outputs(&tree, &corpus)
            }
        }),
        command: Box::new(move || workplace.bytekiln(&tree, &cache)),
    }
}

/// Copies and builds when the folder holds no copy of this corpus yet.
fn prepare_once<'a>(
    corpus: Corpus,
    workplace: &'a Workplace,
    tree: PathBuf,
    build: impl Fn(&PathBuf) -> Result<()> + 'a,
) -> Prepare<'a> {
    Box::new(move || {
        let name = tree.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mark = workplace.path(&format!("{name}.corpus"));
        if std::fs::read_to_string(&mark).is_ok_and(|built| built == corpus.name) {
            return Ok(());
        }
        workplace.remove(&format!("{name}-cache"))?;
        workplace.copy(&corpus, &name)?;
        build(&tree)?;
        // The index distrusts what was written in the moment it was made, as git's does.
        std::thread::sleep(Duration::from_secs(2));
        build(&tree)?;
        Ok(std::fs::write(mark, &corpus.name)?)
    })
}

fn no_op<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    let tree = workplace.path("noop-compileall");
    let checked = tree.clone();
    Scenario {
        title: format!("nothing to do, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::TimesFaster(40.0),
        contenders: vec![
            no_op_contender(corpus.clone(), workplace),
            Contender {
                name: "compileall",
                ends: Ends::WithFindings,
                prepare: prepare_once(corpus.clone(), workplace, tree.clone(), move |tree| {
                    measure::run(&mut workplace.compileall(tree), Ends::WithFindings).map(drop)
                }),
                shown: workplace.shown(&workplace.compileall(&tree)),
                command: Box::new(move || workplace.compileall(&tree)),
                check: Box::new(move || expect_outputs(&checked, corpus)),
            },
        ],
    }
}

fn no_op_and_git(corpus: Corpus, workplace: &Workplace) -> Scenario<'_> {
    let tree = workplace.path("noop");
    let prepare = |corpus: Corpus, tree: PathBuf| -> Prepare<'_> {
        Box::new(move || prepare_repository(&corpus, workplace, &tree))
    };
    Scenario {
        title: format!("nothing to do and git status, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(1.0),
        contenders: vec![
            Contender {
                prepare: prepare(corpus.clone(), tree.clone()),
                ..no_op_contender(corpus.clone(), workplace)
            },
            Contender {
                name: "git status",
                ends: Ends::Well,
                shown: workplace.shown(&workplace.git_status(&tree)),
                prepare: prepare(corpus, tree.clone()),
                command: Box::new(move || workplace.git_status(&tree)),
                check: Box::new(|| Ok(())),
            },
        ],
    }
}

/// A built tree that is also a repository with nothing to tell.
fn prepare_repository(corpus: &Corpus, workplace: &Workplace, tree: &Path) -> Result<()> {
    (no_op_contender(corpus.clone(), workplace).prepare)()?;
    if tree.join(".git").exists() {
        return Ok(());
    }
    workplace.git_repository(tree)?;
    std::thread::sleep(Duration::from_secs(2));
    for _ in 0..2 {
        measure::run(
            &mut workplace.bytekiln(tree, &workplace.path("noop-cache")),
            Ends::WithFindings,
        )?;
        measure::run(&mut workplace.git_status(tree), Ends::Well)?;
    }
    Ok(())
}

fn restore<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    let (tree, cache) = (workplace.path("restored"), workplace.path("warm-cache"));
    let (checked, warmed) = (tree.clone(), cache.clone());
    Scenario {
        title: format!("restore a fresh checkout, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::TimesFaster(10.0),
        contenders: vec![
            Contender {
                name: "bytekiln, warm cache",
                ends: Ends::WithFindings,
                shown: workplace.shown(&workplace.bytekiln(&tree, &cache)),
                prepare: Box::new(move || {
                    let mark = workplace.path("warm-cache.corpus");
                    if std::fs::read_to_string(&mark).is_ok_and(|warm| warm == corpus.name) {
                        return workplace.copy(corpus, "restored").map(drop);
                    }
                    workplace.remove("warm-cache")?;
                    let tree = workplace.copy(corpus, "restored")?;
                    measure::run(&mut workplace.bytekiln(&tree, &warmed), Ends::WithFindings)?;
                    std::fs::write(mark, &corpus.name)?;
                    workplace.copy(corpus, "restored").map(drop)
                }),
                command: Box::new(move || workplace.bytekiln(&tree, &cache)),
                check: Box::new(move || expect_outputs(&checked, corpus)),
            },
            Contender { name: "bytekiln, empty cache", ..cold_contender(corpus, workplace) },
        ],
    }
}

fn memory<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    Scenario {
        title: format!("peak memory of a cold build, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::Memory(corpus.sources),
        contenders: vec![cold_contender(corpus, workplace)],
    }
}
