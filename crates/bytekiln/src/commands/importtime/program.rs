//! What is to be run, and by which interpreter: from arguments, the first line of a script, and what lies
//! around. Runs nothing of the program.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytekiln_project::{Interpreter, InterpreterSpec, find_interpreters, find_interpreters_unkept};

use crate::environment::Environment;
use crate::failure::CommandFailure;

/// A program as it was typed.
#[derive(Debug, Clone)]
pub(super) enum Typed {
    /// `-m MODULE ARGS`.
    Module(Vec<OsString>),
    /// `-c CODE ARGS`.
    Code(Vec<OsString>),
    /// `SCRIPT ARGS`.
    Script(Vec<OsString>),
}

/// A program that can be run.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// For people: as it would be typed.
    pub(super) title: String,
    /// What follows the options of the interpreter.
    pub(super) arguments: Vec<OsString>,
    /// The file that is run, if it is one.
    pub(super) script: Option<PathBuf>,
    /// Where it is started.
    pub(super) folder: PathBuf,
    pub(super) interpreter: Interpreter,
}

/// How an interpreter is chosen where none is named.
pub(super) struct Surroundings<'a> {
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
    /// Where nothing else names one; else what the folder says.
    pub(super) otherwise: Option<&'a InterpreterSpec>,
}

impl Typed {
    /// What follows `python` on a command line.
    pub(super) fn of(words: &[String]) -> Typed {
        let rest = || words.iter().skip(1).map(OsString::from).collect();
        match words.first().map(String::as_str) {
            Some("-m") => Typed::Module(rest()),
            Some("-c") => Typed::Code(rest()),
            _ => Typed::Script(words.iter().map(OsString::from).collect()),
        }
    }
}

impl Surroundings<'_> {
    /// Finds script and interpreter.
    pub(super) fn program(
        &self,
        typed: &Typed,
        python: Option<&InterpreterSpec>,
    ) -> Result<Program, CommandFailure> {
        let (mut arguments, script) = match typed {
            Typed::Module(words) => (with_option("-m", words), None),
            Typed::Code(words) => (with_option("-c", words), None),
            Typed::Script(words) => (words.clone(), Some(self.script(words)?)),
        };
        if let (Some(script), Some(first)) = (&script, arguments.first_mut()) {
            *first = script.clone().into_os_string();
        }
        let interpreter = self.interpreter(python, script.as_deref())?;
        Ok(Program {
            title: title(typed),
            arguments,
            script,
            folder: self.folder.to_owned(),
            interpreter,
        })
    }

    /// A file or folder; else a command of this name, beside the virtual environment's interpreter or
    /// on `PATH`.
    fn script(&self, words: &[OsString]) -> Result<PathBuf, CommandFailure> {
        let Some(name) = words.first() else {
            return Err(CommandFailure::usage("no program is named").hint(
                "name a script, `-m MODULE` or `-c CODE`; `bytekiln importtime --help` teaches",
            ));
        };
        let shown = name.to_string_lossy();
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(path);
        }
        if name.as_bytes().starts_with(b"-") {
            return Err(CommandFailure::usage(format!("unknown option `{shown}`")).hint(
                "options for the program come after it, and those for Python with --python-option=",
            ));
        }
        if name.as_bytes().contains(&b'/') {
            return Err(CommandFailure::usage(format!("there is no `{}`", path.display())));
        }
        let on_path = self.environment.path.as_ref().map(std::env::split_paths);
        let folders =
            self.venvs().map(|venv| venv.join("bin")).chain(on_path.into_iter().flatten());
        let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
        match found {
            Some(found) if python_of(&found).is_some() => Ok(found),
            Some(found) => Err(CommandFailure::usage(format!(
                "`{}` is no Python script: its first line names no Python",
                found.display()
            ))),
            None => Err(CommandFailure::usage(format!("there is no script or command `{shown}`"))
                .hint(format!("a module is run with `-m {shown}`"))),
        }
    }

    fn venvs(&self) -> impl Iterator<Item = PathBuf> {
        let active = self.environment.virtual_env.as_ref().map(|venv| self.folder.join(venv));
        let beside = Some(self.folder.join(".venv"));
        [active, beside].into_iter().flatten().filter(|venv| venv.join("pyvenv.cfg").is_file())
    }

    fn interpreter(
        &self,
        named: Option<&InterpreterSpec>,
        script: Option<&Path>,
    ) -> Result<Interpreter, CommandFailure> {
        let mut specs = Vec::new();
        if let Some(spec) = named {
            specs.push(spec.clone());
        } else if let Some(spec) = script.and_then(python_of) {
            specs.push(spec);
        } else if let Some(python) =
            self.venvs().map(|venv| venv.join("bin/python")).find(|python| python.is_file())
        {
            specs.push(InterpreterSpec::Path(python));
        } else {
            specs.extend(self.otherwise.cloned());
        }
        let search = self.environment.search_path();
        // Identities are kept where the user's cache is; without one they are asked for each time.
        let found = match self.environment.default_cache_dir().filter(|dir| dir.is_dir()) {
            Some(cache) => {
                find_interpreters(&specs, &search, self.folder, &cache.join("importtime"))
            }
            None => find_interpreters_unkept(&specs, &search, self.folder),
        };
        let found = found.map_err(|error| CommandFailure::interpreter(&error))?;
        let found = found.into_iter().next();
        found.ok_or_else(|| CommandFailure::environment("no interpreter was found"))
    }
}

fn with_option(option: &str, words: &[OsString]) -> Vec<OsString> {
    std::iter::once(OsString::from(option)).chain(words.iter().cloned()).collect()
}

fn title(typed: &Typed) -> String {
    let words = match typed {
        Typed::Module(words) => with_option("-m", words),
        Typed::Code(words) => with_option("-c", words),
        Typed::Script(words) => words.clone(),
    };
    let mut shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    if !matches!(typed, Typed::Script(_)) {
        shown.insert(0, "python".to_owned());
    }
    shown.join(" ")
}

/// As a shell would take it.
pub(super) fn quoted(word: &OsStr) -> String {
    let text = crate::report::diagnostic::harmless(&word.to_string_lossy());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The interpreter that the first lines of a script name: `#!/x/bin/python3`, `#!/usr/bin/env python3`, or
/// the detour by `/bin/sh` that installers write where the path is too long for a first line.
fn python_of(script: &Path) -> Option<InterpreterSpec> {
    let mut head = Vec::new();
    std::fs::File::open(script).ok()?.take(2048).read_to_end(&mut head).ok()?;
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?.strip_prefix(b"#!")?).ok()?.trim();
    let mut words = first.split_whitespace();
    let program = words.next()?;
    let spec = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let named = name.starts_with("python") || name.starts_with("pypy");
        named.then(|| InterpreterSpec::parse(path).ok()).flatten()
    };
    if program.ends_with("/env") {
        return spec(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    if program == "/bin/sh" {
        let second = std::str::from_utf8(lines.next()?).ok()?;
        let rest = second.strip_prefix("'''exec' ")?;
        let path = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split_whitespace().next()?,
        };
        return spec(path);
    }
    spec(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("#!/x/.venv/bin/python\n", Some("/x/.venv/bin/python")),
            ("#!/x/bin/python3.11 -E\r\n", Some("/x/bin/python3.11")),
            ("#!/usr/bin/env -S python3 -u\n", Some("python3")),
            (
                "#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\n",
                Some("/a b/bin/python"),
            ),
            ("#!/bin/sh\n'''exec' /a/bin/python3 \"$0\" \"$@\"\n", Some("/a/bin/python3")),
            ("#!/bin/bash\n", None),
            ("import this\n", None),
            ("", None),
        ] {
            let path = folder.path().join("script");
            std::fs::write(&path, text).unwrap();
            let found = python_of(&path).map(|spec| match spec {
                InterpreterSpec::Path(path) => path.display().to_string(),
                InterpreterSpec::Command(name) => name,
                InterpreterSpec::Version { .. } => unreachable!("a first line names a file"),
            });
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn titles() {
        let words = |all: &[&str]| all.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            title(&Typed::Code(words(&["import a", "x'y"]))),
            r"python -c 'import a' 'x'\''y'"
        );
        assert_eq!(title(&Typed::Script(words(&["tool.py", "-v"]))), "tool.py -v");
    }
}
