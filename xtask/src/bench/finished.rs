//! Scenarios on finished caches: rewriting and verifying what compileall made.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::contender::{Workplace, copy_tree};
use super::corpora::{Corpora, Corpus, RawCaches, count};
use super::measure::{self, Ends};
use super::scenario::{Contender, Goal, Prepare, Scenario, cold_contender};

/// All of them.
pub(super) fn all<'a>(corpora: &'a Corpora, workplace: &'a Workplace) -> Result<Vec<Scenario<'a>>> {
    let mut scenarios = Vec::new();
    for raw in corpora.raw()? {
        if let Some(memory) = workplace.memory_path("rewritten") {
            scenarios.push(canonicalise(&raw, workplace, Place::Memory(memory)));
        }
        scenarios.push(canonicalise(&raw, workplace, Place::Disk));
    }
    for corpus in [&corpora.small, &corpora.ansible] {
        scenarios.push(verify(corpus, workplace));
        scenarios.push(verify_again(corpus, workplace));
    }
    Ok(scenarios)
}

/// Where caches are rewritten: creating files on a disk costs more than all that is done to them.
enum Place {
    Memory(PathBuf),
    Disk,
}

/// Each on a fresh copy of the same caches, in one process on one core.
fn canonicalise<'a>(raw: &RawCaches, workplace: &'a Workplace, place: Place) -> Scenario<'a> {
    let (files, bytes) = (raw.files, raw.bytes);
    let where_to = match place {
        Place::Memory(_) => "in memory",
        Place::Disk => "on disk",
    };
    let megabytes = bytes / 1_000_000;
    let title = format!("canonicalise {where_to}, {}, {files} caches, {megabytes} MB", raw.name);
    let contender = |name, folder: &str, command: fn(&Workplace, &Path) -> Command| {
        let tree = match &place {
            Place::Memory(memory) => memory.clone(),
            Place::Disk => workplace.path(folder),
        };
        let in_memory = matches!(place, Place::Memory(_));
        let (raw, folder) = (raw.clone(), folder.to_owned());
        let (made, checked) = (tree.clone(), tree.clone());
        Contender {
            name,
            ends: Ends::Well,
            shown: workplace.shown(&command(workplace, &tree)),
            prepare: Box::new(move || {
                if !in_memory {
                    workplace.remove(&folder)?;
                } else if made.exists() {
                    std::fs::remove_dir_all(&made)?;
                }
                copy_tree(&raw.folder, &made)
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
        goal: Goal::Rewriting { times: 15.0, files, bytes },
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
        measure::run(&mut workplace.compileall(&tree), Ends::WithFindings)?;
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
        ends: Ends::Well,
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
            measure::run(&mut workplace.verify(&first, &known), Ends::Well)?;
        }
        Ok(())
    });
    Scenario {
        title: format!("verify again, {}, {} sources", corpus.name, corpus.sources),
        goal: Goal::AtMost(0.1),
        contenders: vec![
            Contender {
                name: "the second time",
                ends: Ends::Well,
                prepare: warm,
                shown: workplace.shown(&workplace.verify(&tree, &cache)),
                check: Box::new(|| Ok(())),
                command: Box::new(move || workplace.verify(&tree, &cache)),
            },
            Contender { name: "the first time", ..verify_contender(corpus, workplace) },
        ],
    }
}
