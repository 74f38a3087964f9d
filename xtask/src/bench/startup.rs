//! `importtime` against an independent measurement of the same commands, on real programs from the package
//! index and on two thousand made-up modules. The other stopwatch is hyperfine; both take
//! turns, so that what the machine does meanwhile meets both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::corpora::python_3_11;
use crate::shell;

/// What the title of the section has in it, for `--only`.
pub(super) const TITLE: &str = "importtime against hyperfine";

/// What is installed, at the versions that the import graph is measured with too.
const REQUIREMENTS: [&str; 4] =
    ["django==5.2.19", "ansible-core==2.19.14", "sphinx==9.0.4", "black==26.10.1"];

/// A program: for the table, and what follows `python`, the first word below `bin/` if it is a script.
const PROGRAMS: [(&str, &[&str]); 5] = [
    ("django-admin check", &["bin/django-admin", "check"]),
    ("ansible --version", &["bin/ansible", "--version"]),
    ("sphinx-build --version", &["bin/sphinx-build", "--version"]),
    ("black --version", &["bin/black", "--version"]),
    ("2,000 modules", &["load_thousands.py"]),
];

/// How often both take turns.
const TURNS: usize = 3;

/// The ways that hyperfine can start too.
const COMPARED: [&str; 2] = ["as-is", "none"];

/// The ways that make a place for the program.
const PLACES: [&str; 3] = ["tree-unchecked", "zip-none", "zip-unchecked"];

/// Measures, and writes the section.
pub(super) fn measure(folder: &Path, bytekiln: &Path, runs: usize) -> Result<String> {
    let venv = prepare(folder)?;
    let empty = tempfile::tempdir()?;
    let mut text = String::from(
        "| program | modules | way | importtime: median (fastest to slowest) | hyperfine: median (fastest) | \
         median within | fastest apart |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut worth = String::from(
        "\n| program | as it is | no cache | timestamp | checked | unchecked | saved by unchecked | \
         tree, unchecked | zip, no cache | zip, unchecked |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let (mut within, mut all) = (0, 0);
    for (name, words) in PROGRAMS {
        eprintln!("measuring: {TITLE}: {name} ({runs} runs)");
        let command = [venv.join(words[0]).display().to_string()]
            .into_iter()
            .chain(words[1..].iter().map(|word| (*word).to_owned()))
            .collect::<Vec<_>>();
        let other = |times: &mut [Vec<f64>; 2]| -> Result<()> {
            for (way, times) in COMPARED.iter().zip(times) {
                let prefix = (*way == "none").then_some(empty.path());
                times.extend(hyperfine(&venv, &command, prefix, runs)?);
            }
            Ok(())
        };
        let mut theirs: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
        let mut ours: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut modules = 0;
        for _ in 0..TURNS {
            other(&mut theirs)?;
            let measured = importtime(bytekiln, &venv, &command, runs, &[])?;
            gather(&measured, &mut ours);
            let imports = measured["imports"].as_array().into_iter().flatten();
            modules = imports.filter(|import| import["loaded"] == true).count();
        }
        other(&mut theirs)?;
        // Apart, so that no more ways take turns with what is compared.
        let measured = importtime(bytekiln, &venv, &command, runs * TURNS, &PLACES)?;
        gather(&measured, &mut ours);
        for (way, times) in COMPARED.iter().zip(&mut theirs) {
            let own = ours.get_mut(*way).context("a way is missing")?;
            let median = median_of(own) * 1e3;
            let least = own.first().unwrap_or(&0.0) * 1e3;
            let most = own.last().unwrap_or(&0.0) * 1e3;
            let their = median_of(times) * 1e3;
            let their_least = times.first().unwrap_or(&0.0) * 1e3;
            let apart = (least / their_least - 1.0) * 100.0;
            let fits = (least..=most).contains(&their);
            all += 1;
            within += usize::from(fits);
            let fits = if fits { "yes" } else { "**no**" };
            writeln!(
                text,
                "| {name} | {modules} | {way} | {median:.1} ms ({least:.1} to {most:.1}) | {their:.1} ms \
                 ({their_least:.1}) | {fits} | {apart:+.1} % |"
            )?;
        }
        let mut median = |way: &str| ours.get_mut(way).map_or(0.0, |times| median_of(times) * 1e3);
        let ways = ["as-is", "none", "timestamp", "checked", "unchecked"].map(&mut median);
        let saved = (1.0 - ways[4] / ways[1]) * 100.0;
        let cell = |time: f64| {
            // A program that does not run from a zip has no time there.
            if time > 0.0 { format!("{time:.1} ms") } else { "–".to_owned() }
        };
        let cells = ways.map(cell).join(" | ");
        let places = PLACES.map(|way| cell(median(way))).join(" | ");
        writeln!(worth, "| {name} | {cells} | {saved:.0} % | {places} |")?;
    }
    writeln!(
        text,
        "\n{within} of {all} medians of hyperfine lie within the spread that importtime shows."
    )?;
    text.push_str("What caches are worth, medians of whole processes:\n");
    text.push_str(&worth);
    writeln!(
        text,
        "\n- `bytekiln importtime --runs {runs} --format json PROGRAM`, {TURNS} times in turns with the other; then once\n  \
         with `--variant {} --runs {}`\n\
         - as-is: `hyperfine -N --warmup 1 'python -B PROGRAM'`\n\
         - none: `hyperfine -N --warmup 1 'python -B -X pycache_prefix=EMPTY PROGRAM'`",
        PLACES.join(","),
        runs * TURNS
    )?;
    Ok(text)
}

/// A virtual environment with the programs, their caches made at installation, and the made-up modules.
fn prepare(folder: &Path) -> Result<PathBuf> {
    let venv = folder.join("startup-venv");
    let done = venv.join(".done");
    let python = venv.join("bin/python");
    if !done.exists() {
        if venv.exists() {
            fs::remove_dir_all(&venv)?;
        }
        eprintln!("installing {}", REQUIREMENTS.join(", "));
        shell::run(Command::new(python_3_11()?).args(["-m", "venv"]).arg(&venv))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        shell::run(Command::new(&python).args(install).args(REQUIREMENTS))?;
        make_up(&venv)?;
        // What `check` checks.
        let start = ["-m", "django", "startproject", "project", "."];
        shell::run(Command::new(&python).args(start).current_dir(&venv))?;
        let compile = ["-m", "compileall", "-q", "thousands", "project"];
        shell::run(Command::new(&python).args(compile).current_dir(&venv))?;
        fs::write(&done, "")?;
    }
    Ok(venv)
}

/// What Django's own command wants to know; the others do not look at it.
fn environment(command: &mut Command, venv: &Path) {
    command.current_dir(venv).env("DJANGO_SETTINGS_MODULE", "project.settings");
    command.env("PYTHONPATH", venv);
}

/// Twenty packages of a hundred modules, each with a class and some functions.
fn make_up(venv: &Path) -> Result<()> {
    let mut main = String::new();
    for package in 0..20 {
        let folder = venv.join(format!("thousands/package{package}"));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("__init__.py"), "")?;
        for module in 0..99 {
            let mut text = format!("\"\"\"Module {module}.\"\"\"\n\n");
            for number in 0..8 {
                let next = number + 1;
                writeln!(
                    text,
                    "\ndef function{number}(left, right=None, *, limit={number}):\n    \
                     \"\"\"Adds {number}.\"\"\"\n    total = [left + item * {next} for item in range(limit)]\n    \
                     if right is not None and total:\n        return {{'sum': sum(total), 'right': right}}\n    \
                     return {{'sum': {number}, 'name': f'{{left!r}} {number}'}}\n"
                )?;
            }
            writeln!(
                text,
                "\nclass Thing{module}:\n    limit: int = {module}\n\n    def call(self):\n        return function0(self.limit)"
            )?;
            fs::write(folder.join(format!("module{module}.py")), text)?;
            writeln!(main, "import thousands.package{package}.module{module}")?;
        }
    }
    fs::write(venv.join("thousands/__init__.py"), "")?;
    // Of another name than the package, which it would hide.
    Ok(fs::write(venv.join("load_thousands.py"), &main)?)
}

/// The times of whole processes, by way, in seconds.
fn gather(measured: &Value, times: &mut BTreeMap<String, Vec<f64>>) {
    for variant in measured["variants"].as_array().into_iter().flatten() {
        let id = variant["id"].as_str().unwrap_or_default().to_owned();
        let walls = variant["walls"].as_array().into_iter().flatten();
        let seconds = walls.filter_map(Value::as_f64).map(|micros| micros / 1e6);
        times.entry(id).or_default().extend(seconds);
    }
}

/// In these ways, or the usual ones.
fn importtime(
    bytekiln: &Path,
    venv: &Path,
    command: &[String],
    runs: usize,
    ways: &[&str],
) -> Result<Value> {
    let mut run = Command::new(bytekiln);
    run.args(["importtime", "--quiet", "--format", "json", "--runs", &runs.to_string()]);
    if !ways.is_empty() {
        run.arg("--variant").arg(ways.join(","));
    }
    run.arg("--python").arg(venv.join("bin/python")).args(command);
    environment(&mut run, venv);
    Ok(serde_json::from_str(&shell::read(&mut run)?)?)
}

/// The times of each run, in seconds.
fn hyperfine(
    venv: &Path,
    command: &[String],
    prefix: Option<&Path>,
    runs: usize,
) -> Result<Vec<f64>> {
    let folder = tempfile::tempdir()?;
    let export = folder.path().join("times.json");
    let mut words = vec![venv.join("bin/python").display().to_string(), "-B".to_owned()];
    if let Some(prefix) = prefix {
        words.extend(["-X".to_owned(), format!("pycache_prefix={}", prefix.display())]);
    }
    words.extend(command.iter().cloned());
    ensure!(words.iter().all(|word| !word.contains([' ', '\''])), "a path with blanks or quotes");
    let mut run = Command::new("hyperfine");
    run.args(["-N", "--warmup", "1", "--style", "none", "--runs", &runs.max(2).to_string()]);
    run.arg("--export-json").arg(&export).arg(words.join(" "));
    environment(&mut run, venv);
    shell::read(&mut run).context("hyperfine is needed (Debian: `apt-get install hyperfine`)")?;
    let value: Value = serde_json::from_str(&fs::read_to_string(export)?)?;
    let times = value["results"][0]["times"].as_array().context("no times")?;
    Ok(times.iter().filter_map(Value::as_f64).collect())
}

fn median_of(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match (times.get(middle.wrapping_sub(1)), times.get(middle)) {
        (Some(low), Some(high)) if times.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(high)) => *high,
        _ => 0.0,
    }
}
