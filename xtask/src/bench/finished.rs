//! Scenarios on finished caches: rewriting and verifying what compileall made.

use anyhow::Result;

use super::contender::{Workplace, copy_tree};
use super::corpora::{Corpora, Corpus, RawCaches, count};
use super::measure;
use super::scenario::{Contender, Goal, Prepare, Scenario, cold_contender};

/// All of them.
pub(super) fn all<'a>(corpora: &'a Corpora, workplace: &'a Workplace) -> Result<Vec<Scenario<'a>>> {
    let mut scenarios = Vec::new();
    for raw in corpora.raw()? {
        scenarios.push(canonicalise(raw, workplace));
    }
    for corpus in [&corpora.small, &corpora.ansible] {
        scenarios.push(verify(corpus, workplace));
        scenarios.push(verify_again(corpus, workplace));
    }
    Ok(scenarios)
}

/// Each on a fresh copy of the same caches, in one process on one core.
fn canonicalise(raw: RawCaches, workplace: &Workplace) -> Scenario<'_> {
    let (files, bytes) = (raw.files, raw.bytes);
    let title = format!("canonicalise, {}, {files} caches, {} MB", raw.name, bytes / 1_000_000);
    let contender = |name, folder: &str, command: fn(&Workplace, &std::path::Path) -> _| {
        let tree = workplace.path(folder);
        let (raw, folder, checked) = (raw.clone(), folder.to_owned(), tree.clone());
        Contender {
            name,
            shown: workplace.shown(&command(workplace, &tree)),
            prepare: Box::new(move || {
                workplace.remove(&folder)?;
                copy_tree(&raw.folder, &workplace.path(&folder))
            }),
            check: Box::new(move || {
                anyhow::ensure!(count(&checked, "pyc")? == files, "caches were lost");
                Ok(())
            }),
            command: Box::new(move || command(workplace, &tree)),
        }
    };
    Scenario {
        title,
        goal: Goal::Throughput { times: 15.0, files, bytes },
        contenders: vec![
            contender("bytekiln's codec", "canonical", Workplace::canonicalise),
            contender("bytekiln normalize", "normalized", Workplace::normalize),
            contender("add-determinism", "add-det", Workplace::add_determinism),
        ],
    }
}

/// Makes caches that are to be verified, once a corpus.
fn compiled<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> impl Fn() -> Result<()> + 'a {
    move || {
        let mark = workplace.path("verified.corpus");
        if std::fs::read_to_string(&mark).is_ok_and(|made| made == corpus.name) {
            return Ok(());
        }
        let tree = workplace.copy(corpus, "verified")?;
        measure::run(&mut workplace.compileall(&tree))?;
        workplace.remove("verify-again-cache")?;
        Ok(std::fs::write(mark, &corpus.name)?)
    }
}

/// The first time: nothing is known of the caches.
fn verify_contender<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Contender<'a> {
    let (tree, cache) = (workplace.path("verified"), workplace.path("verify-cache"));
    let make = compiled(corpus, workplace);
    let forget: Prepare<'a> = Box::new(move || {
        make()?;
        workplace.remove("verify-cache")
    });
    Contender {
        name: "bytekiln verify",
        prepare: forget,
        shown: workplace.shown(&workplace.verify(&tree, &cache)),
        check: Box::new(|| Ok(())),
        command: Box::new(move || workplace.verify(&tree, &cache)),
    }
}

fn verify<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    Scenario {
        title: format!("verify and cold build, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(1.0),
        contenders: vec![
            verify_contender(corpus, workplace),
            Contender { name: "bytekiln build", ..cold_contender(corpus, workplace) },
        ],
    }
}

fn verify_again<'a>(corpus: &'a Corpus, workplace: &'a Workplace) -> Scenario<'a> {
    let (tree, cache) = (workplace.path("verified"), workplace.path("verify-again-cache"));
    let make = compiled(corpus, workplace);
    let (known, first) = (cache.clone(), tree.clone());
    let warm: Prepare<'a> = Box::new(move || {
        make()?;
        if !known.exists() {
            measure::run(&mut workplace.verify(&first, &known))?;
        }
        Ok(())
    });
    Scenario {
        title: format!("verify again, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(0.1),
        contenders: vec![
            Contender {
                name: "the second time",
                prepare: warm,
                shown: workplace.shown(&workplace.verify(&tree, &cache)),
                check: Box::new(|| Ok(())),
                command: Box::new(move || workplace.verify(&tree, &cache)),
            },
            Contender { name: "the first time", ..verify_contender(corpus, workplace) },
        ],
    }
}
