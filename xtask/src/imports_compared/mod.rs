//! `cargo xtask compare-imports`: edges between django's modules as Bytekiln, ruff, grimp and CPython's
//! modulefinder see them, and a reason for each difference. Prints Markdown; fails if a difference has
//! no reason.

mod differences;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::bench::contender::copy_tree;
use crate::bench::corpora;
use crate::shell;
use crate::truth::facts::Facts;
use differences::{Differences, Edges, Own};

/// grimp and modulefinder; run by the interpreter of the corpora.
const OTHERS: &str = include_str!("others.py");

const PACKAGE: &str = "django";

/// Who is compared with.
const TOOLS: [&str; 3] = ["ruff analyze graph", "grimp", "modulefinder"];

/// Fetches what is missing, runs all, compares, prints.
pub(crate) fn run() -> Result<()> {
    let folder = shell::root().join("corpora");
    let corpora = corpora::fetch(&folder)?;
    let build = ["build", "--quiet", "--package", "bytekiln"];
    shell::run(shell::cargo().args(build))?;
    let place = Place {
        root: corpora.small.folder.clone(),
        python: corpora.python.clone(),
        ruff: corpora.ruff.clone(),
        grimp: corpora.grimp.clone(),
        bytekiln: shell::target().join("debug/bytekiln"),
    };
    let told = place.compare()?;
    print!("{}", told.table());
    let unexplained = told.unexplained();
    for line in &unexplained {
        println!("- {line}");
    }
    if !unexplained.is_empty() {
        bail!("{} differences have no reason", unexplained.len());
    }
    Ok(())
}

struct Place {
    root: PathBuf,
    python: PathBuf,
    ruff: PathBuf,
    grimp: PathBuf,
    bytekiln: PathBuf,
}

/// All that was found.
struct Comparison {
    own: Own,
    /// In the order of [`TOOLS`].
    others: Vec<(Edges, Differences)>,
    /// Modules and the first names of what they import from elsewhere: ours, and grimp's.
    elsewhere: (Edges, Edges),
}

impl Place {
    fn compare(&self) -> Result<Comparison> {
        // A copy: what is in `corpora` belongs to a repository that ignores it.
        let copy = tempfile::Builder::new().prefix("bytekiln-compare-").tempdir()?;
        copy_tree(&self.root.join(PACKAGE), &copy.path().join(PACKAGE))?;
        fs::write(copy.path().join("bytekiln.toml"), "[workspace]\nmembers = [\".\"]\n")?;
        let mut command = Command::new(&self.bytekiln);
        command.args(["graph", "--quiet", "--format", "json", "--no-venv"]);
        command.arg("--python").arg(&self.python).arg("--manifest-path").arg(copy.path());
        let facts = Facts::read(&shell::read(command.current_dir(copy.path()))?, copy.path())?;
        let (own, elsewhere) = own(&facts);
        let mut command = Command::new(&self.python);
        command.args(["-B", "-c", OTHERS]).arg(&self.root).arg(PACKAGE);
        let told = shell::read(command.env("PYTHONPATH", &self.grimp))?;
        let told: Value = serde_json::from_str(&told)?;
        let grimp = edges(&told["grimp"])?;
        let (inside, outside): (Edges, Edges) =
            grimp.into_iter().partition(|(_, to)| is_inside(to));
        let outside = outside.into_iter().map(|(from, to)| (from, first(&to))).collect();
        let others = [self.ruff()?, inside, edges(&told["modulefinder"])?];
        let others = others.into_iter().map(|theirs| {
            let differences = Differences::between(&own, &theirs);
            (theirs, differences)
        });
        Ok(Comparison { others: others.collect(), elsewhere: (elsewhere, outside), own })
    }

    /// Files to modules.
    fn ruff(&self) -> Result<Edges> {
        let mut command = Command::new(&self.ruff);
        command.args(["analyze", "graph", "--isolated", "--quiet", "--target-version", "py311"]);
        let told = shell::read(command.arg(PACKAGE).current_dir(&self.root))?;
        let told: Value = serde_json::from_str(&told)?;
        let mut edges = Edges::new();
        for (from, targets) in told.as_object().context("ruff told no object")? {
            for to in targets.as_array().context("ruff told no list")? {
                let to = module(to.as_str().context("ruff told no path")?);
                edges.insert((module(from), to));
            }
        }
        edges.retain(|(from, to)| from != to && is_inside(to));
        Ok(edges)
    }
}

/// Our edges within the package with their labels, and those that lead out of it.
fn own(facts: &Facts) -> (Own, Edges) {
    let (mut own, mut elsewhere) = (Own::new(), Edges::new());
    for (from, edges) in facts.nodes.iter().zip(&facts.edges) {
        // Edges without a line lead from a module to its package; no other tool has these.
        for edge in edges.iter().filter(|edge| is_inside(&from.name) && edge.line > 0) {
            let Some(to) = facts.nodes.get(edge.to).filter(|to| to.name != from.name) else {
                continue;
            };
            if is_inside(&to.name) && to.kind != "unresolved" {
                let key = (from.name.clone(), to.name.clone());
                own.entry(key).or_default().insert((edge.line, edge.words.clone()));
            } else if !is_inside(&to.name) && !to.name.is_empty() {
                elsewhere.insert((from.name.clone(), first(&to.name)));
            }
        }
    }
    (own, elsewhere)
}

fn edges(value: &Value) -> Result<Edges> {
    let name = |value: &Value| value.as_str().map(str::to_owned).context("a name is missing");
    let pairs = value.as_array().context("a list of edges is missing")?;
    pairs.iter().map(|pair| Ok((name(&pair[0])?, name(&pair[1])?))).collect()
}

fn is_inside(name: &str) -> bool {
    first(name) == PACKAGE
}

fn first(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The module of a path below a root.
fn module(path: &str) -> String {
    let path = Path::new(path).with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let parts = match parts.split_last() {
        Some((last, package)) if last == "__init__" => package,
        _ => &parts,
    };
    parts.join(".")
}

impl Comparison {
    fn table(&self) -> String {
        let mut table = "| | edges | of both | only ours | only theirs | without a reason |\n\
                         |---|---|---|---|---|---|\n"
            .to_owned();
        let ours: BTreeSet<_> = self.own.keys().collect();
        table.push_str(&format!("| bytekiln | {} | | | | |\n", ours.len()));
        for (tool, (theirs, differences)) in TOOLS.iter().zip(&self.others) {
            let both = theirs.iter().filter(|edge| ours.contains(edge)).count();
            let (own, their) = (ours.len() - both, theirs.len() - both);
            let open = differences.unexplained.len();
            table.push_str(&format!(
                "| {tool} | {} | {both} | {own} | {their} | {open} |\n",
                theirs.len()
            ));
        }
        table.push_str("\n| difference | why | number |\n|---|---|---|\n");
        for (tool, (_, differences)) in TOOLS.iter().zip(&self.others) {
            for (reason, count) in &differences.explained {
                let (side, why) = (reason.side(), reason.why());
                table.push_str(&format!("| {side}, against {tool} | {why} | {count} |\n"));
            }
        }
        let (ours, theirs) = &self.elsewhere;
        let both = ours.intersection(theirs).count();
        table.push_str(&format!(
            "\nModules and the first names of what they import from elsewhere: {} ours, {} grimp's, \
             {both} of both.\n",
            ours.len(),
            theirs.len()
        ));
        table
    }

    fn unexplained(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (tool, (_, differences)) in TOOLS.iter().zip(&self.others) {
            for (from, to) in &differences.unexplained {
                lines.push(format!("{tool}: `{from}` imports `{to}`"));
            }
        }
        let (ours, theirs) = &self.elsewhere;
        for (from, to) in ours.symmetric_difference(theirs) {
            lines.push(format!("grimp, elsewhere: `{from}` imports `{to}`"));
        }
        lines
    }
}

/// For [`differences`]: labels by line.
type Labels = BTreeMap<(String, String), BTreeSet<(u64, String)>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules() {
        assert_eq!(module("django/db/__init__.py"), "django.db");
        assert_eq!(module("django/db/utils.py"), "django.db.utils");
    }

    /// The comparison itself, where its corpora and tools are: `cargo xtask compare-imports` fetches
    /// them.
    #[test]
    fn django() {
        let folder = shell::root().join("corpora");
        let place = Place {
            root: folder.join("small"),
            python: PathBuf::from("python3.11"),
            ruff: folder.join("ruff/bin/ruff"),
            grimp: folder.join("grimp"),
            bytekiln: shell::target().join("debug/bytekiln"),
        };
        let needed = [&place.root.join("django"), &place.ruff, &place.grimp, &place.bytekiln];
        if let Some(missing) = needed.into_iter().find(|path| !path.exists()) {
            println!("skipped: there is no `{}`", missing.display());
            return;
        }
        let told = place.compare().unwrap();
        assert_eq!(told.unexplained(), Vec::<String>::new());
        assert!(told.own.len() > 3000, "{} edges", told.own.len());
        for (tool, (theirs, _)) in TOOLS.iter().zip(&told.others) {
            assert!(theirs.len() > 3000, "{tool}: {} edges", theirs.len());
        }
    }
}
