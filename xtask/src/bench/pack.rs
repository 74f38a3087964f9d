//! Scenarios on release artifacts: packing from a warm cache against `zip` and `tar` of the same files, and
//! what bytecode in an artifact is worth at the start of a program.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::contender::{Workplace, copy_tree};
use super::corpora::{Corpora, Corpus};
use super::measure::{self, Ends};
use super::scenario::{Contender, Goal, Prepare, Scenario};

/// All of them.
pub(super) fn all<'a>(corpora: &'a Corpora, workplace: &'a Workplace) -> Result<Vec<Scenario<'a>>> {
    let mut scenarios = vec![
        archive(corpora, workplace, "zip", "zip -r", |workplace| {
            workplace.zip("packing/dist/tree")
        }),
        archive(corpora, workplace, "layer", "tar and gzip", |workplace| {
            workplace.tar("packing/dist/tree")
        }),
    ];
    let program = corpora.program()?;
    scenarios.push(start(&program, workplace, "tree", "bare-tree"));
    scenarios.push(start(&program, workplace, "program.pyz", "bare-program.pyz"));
    Ok(scenarios)
}

/// The workspace that is packed from: one module, and the corpora as what it depends on.
const PACKING: &str = r#"
[workspace]
members = ["app"]
exclude = ["corpus"]

[[artifact]]
name = "tree"
kind = "tree"
dependencies = ["corpus"]

[[artifact]]
name = "zip"
kind = "zip"
dependencies = ["corpus"]
python = ["3.11"]

[[artifact]]
name = "layer"
kind = "layer"
dependencies = ["corpus"]
"#;

fn archive<'a>(
    corpora: &'a Corpora,
    workplace: &'a Workplace,
    kind: &'static str,
    other: &'static str,
    command: fn(&Workplace) -> std::process::Command,
) -> Scenario<'a> {
    let sources = corpora.small.sources + corpora.ansible.sources;
    let prepare = move |output: &'static str| -> Prepare<'a> {
        Box::new(move || {
            prepare_packing(corpora, workplace)?;
            // A rewrite of what is there would be compared with it.
            workplace.remove(output)
        })
    };
    let packed = if kind == "zip" { "packing/dist/zip.zip" } else { "packing/dist/layer" };
    let others = if kind == "zip" { "other.zip" } else { "other.tar.gz" };
    let (ours, theirs) = (workplace.path(packed), workplace.path(others));
    Scenario {
        title: format!(
            "pack a {kind} from a warm cache, django + sympy + ansible, {sources} sources"
        ),
        goal: Goal::AtMost(1.3),
        contenders: vec![
            Contender {
                name: "bytekiln pack",
                ends: Ends::Well,
                prepare: prepare(packed),
                shown: workplace.shown(&workplace.pack(kind)),
                command: Box::new(move || workplace.pack(kind)),
                check: Box::new(move || expect(&ours)),
            },
            Contender {
                name: other,
                ends: Ends::Well,
                prepare: prepare(others),
                shown: workplace.shown(&command(workplace)),
                command: Box::new(move || command(workplace)),
                check: Box::new(move || expect(&theirs)),
            },
        ],
    }
}

fn expect(path: &Path) -> Result<()> {
    anyhow::ensure!(path.exists(), "`{}` was not written", path.display());
    Ok(())
}

/// Makes the workspace once, fills the cache, and lays the same files out for the others.
fn prepare_packing(corpora: &Corpora, workplace: &Workplace) -> Result<()> {
    let root = workplace.path("packing");
    if root.join("dist/tree").exists() {
        return Ok(());
    }
    for corpus in [&corpora.small, &corpora.ansible] {
        copy_tree(&corpus.folder, &root.join("corpus"))?;
    }
    std::fs::create_dir_all(root.join("app/app"))?;
    std::fs::write(root.join("app/app/__init__.py"), "")?;
    std::fs::write(root.join("bytekiln.toml"), PACKING)?;
    measure::run(&mut workplace.pack("tree"), Ends::Well).map(drop)
}

/// A real program, with and without bytecode.
const PROGRAM: &str = r#"
[workspace]
members = ["app"]
exclude = ["corpus"]
python = ["3.11"]

[[artifact]]
name = "tree"
kind = "tree"
dependencies = ["corpus"]

[[artifact]]
name = "bare-tree"
kind = "tree"
dependencies = ["corpus"]
bytecode = false

[[artifact]]
name = "program"
kind = "zipapp"
dependencies = ["corpus"]
main = "sphinx.cmd.build:main"

[[artifact]]
name = "bare-program"
kind = "zipapp"
dependencies = ["corpus"]
main = "sphinx.cmd.build:main"
bytecode = false
"#;

fn start<'a>(
    program: &Corpus,
    workplace: &'a Workplace,
    with: &'static str,
    without: &'static str,
) -> Scenario<'a> {
    let contender = |name: &'static str, artifact: &'static str, corpus: PathBuf| Contender {
        name,
        ends: Ends::Well,
        prepare: Box::new(move || prepare_program(&corpus, workplace)),
        shown: workplace.shown(&workplace.start(artifact)),
        command: Box::new(move || workplace.start(artifact)),
        check: Box::new(|| Ok(())),
    };
    let what = if with == "tree" { "a tree" } else { "a zip program" };
    Scenario {
        title: format!("start sphinx from {what}, {} sources", program.sources),
        goal: Goal::AtMost(0.75),
        contenders: vec![
            contender("packed with bytecode", with, program.folder.clone()),
            contender("packed without", without, program.folder.clone()),
        ],
    }
}

fn prepare_program(corpus: &Path, workplace: &Workplace) -> Result<()> {
    let root = workplace.path("program");
    if root.exists() {
        return Ok(());
    }
    copy_tree(corpus, &root.join("corpus"))?;
    std::fs::create_dir_all(root.join("app/app"))?;
    std::fs::write(root.join("app/app/__init__.py"), "")?;
    std::fs::write(root.join("bytekiln.toml"), PROGRAM)?;
    measure::run(&mut workplace.pack_all("program"), Ends::Well).map(drop)
}
