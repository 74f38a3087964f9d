//! For which Python a graph is, and what lies beside the workspace: from arguments, environment and
//! manifest. Starts an interpreter only where files do not say enough.

use std::path::{Path, PathBuf};

use bytekiln_graph::{Target, TargetPlatform};
use bytekiln_planner::{Problem, Severity};
use bytekiln_project::{
    EnvironmentError, Interpreter, InterpreterSpec, PythonEnvironment, Venv, VenvChoice, Workspace,
    find_interpreters, find_venv, standard_library, target_platform, this_platform,
};
use bytekiln_python::Release;

use crate::arguments::{FollowChoice, GraphSelection};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::report::problems;
use crate::report::terminal::Terminal;

/// What decides.
pub(super) struct Surroundings<'a> {
    pub(super) selection: &'a GraphSelection,
    /// The folder that the command was started in.
    pub(super) start: &'a Path,
    pub(super) state_dir: &'a Path,
    pub(super) environment: &'a Environment,
}

impl Surroundings<'_> {
    /// The release is that of `--python`, else of the profile `dev`, else of the virtual environment,
    /// else of the default interpreter.
    pub(super) fn of(
        &self,
        workspace: &Workspace,
        terminal: &Terminal,
    ) -> Result<(Target, PythonEnvironment), CommandFailure> {
        let spec = self.spec(workspace)?;
        let named = spec.as_ref().and_then(release_of);
        let choice = self.choice();
        let venv = find_venv(&workspace.root, &choice, named).map_err(|error| failure(&error))?;
        let of_venv = venv.as_ref().filter(|_| spec.is_none()).and_then(Venv::release);
        let mut interpreter = None;
        let release = match named.or(of_venv) {
            Some(release) => release,
            None => {
                let found = self.interpreter(spec.as_slice(), workspace)?;
                interpreter.insert(found).toolchain.release
            }
        };
        if let Some(venv) = venv.as_ref().filter(|venv| venv.release() != Some(release)) {
            problems::say(terminal, &[mismatch(venv, release, &workspace.root)]);
        }
        let platform = self.platform(interpreter.as_ref())?;
        let library = if self.selection.follow == FollowChoice::All {
            Some(self.library(release, venv.as_ref(), interpreter, workspace)?)
        } else {
            None
        };
        let site = venv.map(|venv| venv.site).unwrap_or_default();
        let around = PythonEnvironment { site, standard_library: library };
        Ok((Target { release, platform }, around))
    }

    fn spec(&self, workspace: &Workspace) -> Result<Option<InterpreterSpec>, CommandFailure> {
        if let Some(text) = &self.selection.python {
            let spec = InterpreterSpec::parse(text);
            let fault = |error| CommandFailure::usage(format!("--python `{text}`: {error}"));
            return spec.map(Some).map_err(fault);
        }
        let dev = workspace.profiles.get("dev");
        Ok(dev.and_then(|profile| profile.interpreters.first().cloned()))
    }

    fn choice(&self) -> VenvChoice {
        if self.selection.no_venv {
            return VenvChoice::Without;
        }
        match (&self.selection.venv, &self.environment.virtual_env) {
            (Some(folder), _) => VenvChoice::Named(self.start.join(folder)),
            (None, Some(folder)) => VenvChoice::Variable(self.start.join(folder)),
            (None, None) => VenvChoice::Search,
        }
    }

    fn interpreter(
        &self,
        specs: &[InterpreterSpec],
        workspace: &Workspace,
    ) -> Result<Interpreter, CommandFailure> {
        let search = self.environment.search_path();
        let found = find_interpreters(specs, &search, &workspace.root, self.state_dir)
            .map_err(|error| CommandFailure::interpreter(&error))?;
        let first = found.into_iter().next();
        first.ok_or_else(|| CommandFailure::environment("no interpreter was found"))
    }

    fn platform(
        &self,
        interpreter: Option<&Interpreter>,
    ) -> Result<TargetPlatform, CommandFailure> {
        if let Some(name) = &self.selection.python_platform {
            return target_platform(name).ok_or_else(|| {
                CommandFailure::usage(format!("--python-platform `{name}`: no such platform"))
                    .hint("name `linux`, `darwin` or `win32`, or `all` to decide nothing")
            });
        }
        // Of a platform that is not known nothing is decided.
        Ok(match interpreter {
            Some(found) => target_platform(&found.toolchain.platform).unwrap_or_default(),
            None => this_platform(),
        })
    }

    fn library(
        &self,
        release: Release,
        venv: Option<&Venv>,
        interpreter: Option<Interpreter>,
        workspace: &Workspace,
    ) -> Result<PathBuf, CommandFailure> {
        if let Some(found) = venv.and_then(|venv| venv.standard_library(release)) {
            return Ok(found);
        }
        let interpreter = match interpreter {
            Some(found) => found,
            None => {
                let numbers = vec![3, u16::from(release.minor())];
                let spec = InterpreterSpec::Version { numbers, free_threaded: false };
                self.interpreter(&[spec], workspace)?
            }
        };
        standard_library(&interpreter.executable, release)
            .ok_or_else(|| failure(&EnvironmentError::NoStandardLibrary { release }))
    }
}

/// A version says all that a graph needs; of a path or a command the interpreter has to be asked.
fn release_of(spec: &InterpreterSpec) -> Option<Release> {
    let InterpreterSpec::Version { numbers, .. } = spec else { return None };
    let [3, minor, ..] = numbers.as_slice() else { return None };
    u8::try_from(*minor).ok().and_then(Release::from_minor)
}

fn mismatch(venv: &Venv, release: Release, root: &Path) -> Problem {
    let (major, minor) = venv.version;
    let folder = venv.folder.strip_prefix(root).unwrap_or(&venv.folder);
    Problem {
        severity: Severity::Warning,
        path: None,
        message: format!(
            "the virtual environment `{}` is of Python {major}.{minor}, and the graph is for 3.{}",
            folder.display(),
            release.minor()
        ),
        hint: Some(format!("`--python {major}.{minor}`, or another environment with `--venv`")),
    }
}

fn failure(error: &EnvironmentError) -> CommandFailure {
    let failure = if error.is_usage() {
        CommandFailure::usage(error)
    } else {
        CommandFailure::environment(error)
    };
    failure.hint(error.hint())
}
