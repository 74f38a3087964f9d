//! Which interpreter is meant, and what it says of its importers and of local time. Starts it
//! isolated; nothing of the artifact is executed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytekiln_loader::Earlier;
use bytekiln_project::{Interpreter, InterpreterSpec, find_interpreters, find_interpreters_unkept};

use crate::environment::Environment;
use crate::failure::CommandFailure;

/// Prints a line a fact, then answers each `date time` line of standard input.
const FACTS: &str = r#"
import sys, time, _imp
for suffix in _imp.extension_suffixes():
    print("suffix", suffix)
for name in sys.builtin_module_names:
    print("built-in", name)
for name in getattr(_imp, "_frozen_module_names", lambda: [])():
    print("frozen", name)
names = getattr(sys, "stdlib_module_names", None)
if names is None:
    import os
    folder = os.path.dirname(os.__file__)
    names = {name.split(".")[0] for name in os.listdir(folder) if "-" not in name}
for name in names:
    print("stdlib", name)
for line in sys.stdin:
    date, clock = map(int, line.split())
    try:
        seconds = time.mktime((
            (date >> 9) + 1980, date >> 5 & 15, date & 31,
            clock >> 11, clock >> 5 & 63, (clock & 31) * 2, -1, -1, -1))
        print("time", date, clock, int(seconds))
    except (OverflowError, ValueError):
        print("time", date, clock, "-")
print("end")
"#;

/// What an interpreter says of its importers.
#[derive(Debug, Default)]
pub(in crate::commands) struct Facts {
    pub(in crate::commands) extension_suffixes: Vec<String>,
    pub(in crate::commands) earlier: BTreeMap<String, Earlier>,
    pub(in crate::commands) local_seconds: BTreeMap<(u16, u16), i64>,
}

/// Finds the interpreter: the one that was named, else that of the virtual environment that a path
/// is in, else the folder's own default.
pub(super) fn find(
    named: Option<&str>,
    paths: &[PathBuf],
    start: &Path,
    environment: &Environment,
) -> Result<Interpreter, CommandFailure> {
    let mut specs = Vec::new();
    if let Some(text) = named {
        specs.push(
            InterpreterSpec::parse(text)
                .map_err(|error| CommandFailure::usage(format!("--python `{text}`: {error}")))?,
        );
    } else if let Some(python) = paths.iter().find_map(|path| environment_python(path)) {
        specs.push(InterpreterSpec::Path(python));
    }
    let search = environment.search_path();
    // Identities are kept where the user's cache is; without one they are asked for each time.
    let found = match environment.default_cache_dir().filter(|dir| dir.is_dir()) {
        Some(cache) => find_interpreters(&specs, &search, start, &cache.join("doctor")),
        None => find_interpreters_unkept(&specs, &search, start),
    };
    let found = found.map_err(|error| CommandFailure::interpreter(&error))?;
    let found = found.into_iter().next();
    found.ok_or_else(|| CommandFailure::environment("no interpreter was found"))
}

/// `bin/python` of the virtual environment that a path is in, or is.
fn environment_python(path: &Path) -> Option<PathBuf> {
    let real = std::fs::canonicalize(path).ok()?;
    let root = real.ancestors().find(|folder| folder.join("pyvenv.cfg").is_file())?;
    let python = root.join("bin/python");
    python.is_file().then_some(python)
}

/// Asks an interpreter. Modules of the standard library come first only where it stands before
/// the artifact.
pub(in crate::commands) fn ask(
    executable: &Path,
    library_first: bool,
    stamps: &BTreeSet<(u16, u16)>,
    time_zone: Option<&str>,
    environment: &Environment,
) -> Result<Facts, CommandFailure> {
    let failed =
        |what: String| CommandFailure::environment(format!("`{}` {what}", executable.display()));
    let mut command = Command::new(executable);
    command.args(["-I", "-S", "-B", "-c", FACTS]).env_clear().current_dir("/");
    command.envs(environment.for_interpreters.iter().map(|(key, value)| (key, value)));
    if let Some(zone) = time_zone {
        command.env("TZ", OsStr::new(zone));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().map_err(|error| failed(format!("could not be started: {error}")))?;
    let questions: String = stamps.iter().map(|(date, time)| format!("{date} {time}\n")).collect();
    let stdin = child.stdin.take();
    // On a thread of its own, so that neither side waits for the other's pipe.
    let writer = std::thread::spawn(move || {
        // If it ends early, its output is what tells.
        let _ = stdin.map(|mut stdin| stdin.write_all(questions.as_bytes()));
    });
    let output = child
        .wait_with_output()
        .map_err(|error| failed(format!("could not be asked for its importers: {error}")))?;
    let _ = writer.join();
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !text.ends_with("end\n") {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().last().unwrap_or("nothing was said").to_owned();
        return Err(failed(format!("did not say what its importers look for: {last}")));
    }
    let mut facts = Facts::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(' ') else { continue };
        let earlier = match key {
            "suffix" => {
                facts.extension_suffixes.push(value.to_owned());
                continue;
            }
            "time" => {
                let mut words = value.split(' ');
                let mut number = || words.next().and_then(|word| word.parse().ok());
                if let (Some(date), Some(time)) = (number(), number())
                    && let Some(seconds) = words.next().and_then(|word| word.parse().ok())
                {
                    facts.local_seconds.insert((date, time), seconds);
                }
                continue;
            }
            "built-in" => Earlier::BuiltIn,
            "frozen" => Earlier::Frozen,
            "stdlib" if library_first => Earlier::StandardLibrary,
            _ => continue,
        };
        facts.earlier.entry(value.to_owned()).or_insert(earlier);
    }
    // `python -m` and zips with a `__main__` run these, whatever is frozen.
    for name in ["__main__", "site", "sitecustomize", "usercustomize"] {
        if facts.earlier.get(name) != Some(&Earlier::BuiltIn) {
            facts.earlier.remove(name);
        }
    }
    Ok(facts)
}
