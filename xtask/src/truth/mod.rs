//! `cargo xtask truth`: starts twenty real programs, and compares what they load with what the graph
//! predicts. Prints Markdown: a row a program, and why each missed module was missed.

mod compare;
pub(crate) mod facts;
mod programs;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::corpora;
use crate::shell;
use facts::{Facts, Recording};
use programs::{CONSTRAINTS, PROGRAMS, Program};

/// The recorder; runs in the program's own interpreter.
const RECORD: &str = include_str!("record.py");

const USAGE: &str = "usage: cargo xtask truth [--only NAME] [--verbose] [--command FILE]";

/// Installs, starts, predicts, compares, prints.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut only, mut verbose, mut command) = (None, false, None);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), argument.as_str() == "--only") {
            ("--verbose", _) => verbose = true,
            ("--command", _) => {
                command = Some(std::path::absolute(arguments.next().context(USAGE)?)?);
            }
            (_, true) => only = Some(arguments.next().context(USAGE)?.clone()),
            _ => bail!("unknown argument `{argument}`\n{USAGE}"),
        }
    }
    let known = |name: &String| PROGRAMS.iter().any(|program| program.name == name);
    if let Some(name) = only.as_ref().filter(|name| !known(name)) {
        let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        bail!("no program is called `{name}`; there are {}", names.join(", "));
    }
    let bytekiln = match command {
        Some(command) => command,
        None => {
            let build = ["build", "--release", "--quiet", "--package", "bytekiln"];
            shell::run(shell::cargo().args(build))?;
            shell::target().join("release/bytekiln")
        }
    };
    let corpora = shell::root().join("corpora");
    let place = Place {
        uv: corpora::fetch_uv(&corpora)?,
        python: corpora::python_3_11()?,
        folder: corpora.join("truth"),
        bytekiln,
    };
    fs::create_dir_all(&place.folder)?;
    fs::write(place.folder.join("constraints.txt"), CONSTRAINTS)?;
    fs::write(place.folder.join("record.py"), RECORD)?;
    let mut verdicts = Vec::new();
    for program in PROGRAMS.iter().filter(|p| only.as_ref().is_none_or(|only| only == p.name)) {
        eprintln!("starting: {}", program.name);
        let verdict = place.judge(program).with_context(|| format!("`{}`", program.name))?;
        verdicts.push((program, verdict));
    }
    print!("{}", report::Report { verdicts: &verdicts, base: &place.folder, verbose });
    let faults = verdicts.iter().map(|(_, verdict)| report::faults(verdict)).sum::<usize>();
    if faults > 0 {
        bail!("{faults} statically visible imports were missed");
    }
    Ok(())
}

/// Where programs are, and with what they are made.
struct Place {
    uv: PathBuf,
    python: PathBuf,
    folder: PathBuf,
    bytekiln: PathBuf,
}

impl Place {
    fn judge(&self, program: &Program) -> Result<compare::Verdict> {
        let environment = self.install(program)?;
        let application = self.folder.join(program.name).join("application");
        let recording = self.record(program, &environment, &application)?;
        if recording.status != 0 && !recording.status.is_null() {
            bail!("the program ended with {}", recording.status);
        }
        let facts = self.predict(program, &application)?;
        let entry = application.join("main.py");
        Ok(compare::compare(&facts, &recording, &entry.to_string_lossy()))
    }

    /// Makes the environment once; the interpreter in it.
    fn install(&self, program: &Program) -> Result<PathBuf> {
        let folder = self.folder.join(program.name);
        let (environment, done) = (folder.join("environment"), folder.join(".done"));
        let python = environment.join("bin/python");
        if done.exists() {
            return Ok(python);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let application = folder.join("application");
        fs::create_dir_all(&application)?;
        let mut make = Command::new(&self.uv);
        make.args(["venv", "--quiet", "--no-project", "--python"]).arg(&self.python);
        shell::run(make.arg(&environment))?;
        let mut install = Command::new(&self.uv);
        install.args(["pip", "install", "--quiet", "--python"]).arg(&python);
        install.arg("--constraint").arg(self.folder.join("constraints.txt"));
        shell::run(install.args(program.requirements()))?;
        if !program.setup.is_empty() {
            shell::run(Command::new(&python).args(program.setup).current_dir(&application))?;
        }
        fs::write(application.join("main.py"), program.main())?;
        fs::write(application.join("bytekiln.toml"), "[workspace]\nmembers = [\".\"]\n")?;
        fs::write(done, "")?;
        Ok(python)
    }

    fn record(&self, program: &Program, python: &Path, folder: &Path) -> Result<Recording> {
        let out = self.folder.join(program.name).join("recording.json");
        let mut start = Command::new(python);
        start.arg("-B").arg(self.folder.join("record.py")).arg(&out).arg(folder.join("main.py"));
        start.args(program.arguments).envs(program.environment.iter().copied());
        start
            .env("HOME", self.folder.join(program.name))
            .env("NO_COLOR", "1")
            .env_remove("PYTHONPATH");
        let output =
            start.current_dir(folder).output().context("could not start the interpreter")?;
        if !output.status.success() {
            bail!("the recorder failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Recording::read(&fs::read_to_string(&out)?)
    }

    /// The graph of the program, its environment and the standard library, and the closures of its
    /// entry, from `bytekiln graph`.
    fn predict(&self, program: &Program, application: &Path) -> Result<Facts> {
        let folder = self.folder.join(program.name);
        let graph = |imports: &str, from: &[&str]| -> Result<Facts> {
            let mut command = Command::new(&self.bytekiln);
            command.args(["graph", "--quiet", "--format", "json", "--follow", "all", "--strings"]);
            command.args(["--imports", imports]).arg("--venv").arg(folder.join("environment"));
            command.arg("--python").arg(&self.python).args(from);
            command.arg("--manifest-path").arg(application);
            command.arg("--state-dir").arg(folder.join("state")).current_dir(application);
            Facts::read(&shell::read(&mut command)?, application)
        };
        let mut facts = graph("all", &[])?;
        let entry = ["--from", "main.py"];
        facts.eager = graph("eager", &entry)?.all_names();
        facts.runtime = graph("runtime", &entry)?.all_names();
        facts.all = graph("all", &entry)?.all_names();
        Ok(facts)
    }
}
