//! Starts a program in one way, and understands what the interpreter says of that start. Knows nothing of
//! how often, or of what is made of the results.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use bytekiln_python::OptimizationLevel;
use bytekiln_startup::Verbose;

use super::home::Home;
use super::measure::Plan;
use super::process::{Launch, Run, run};
use super::simulate::{Agreement, Circumstances, agreement};
use super::variant::Variant;
use super::zips::Zips;
use crate::failure::CommandFailure;
use crate::interrupt;

/// Variables of Python that would make runs other than they are meant to be.
const DISTURBING: [&str; 4] =
    ["PYTHONPROFILEIMPORTTIME", "PYTHONVERBOSE", "PYTHONDONTWRITEBYTECODE", "PYTHONOPTIMIZE"];
const DISTURBING_CACHES: [&str; 5] = [
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONVERBOSE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONOPTIMIZE",
    "PYTHONPYCACHEPREFIX",
];

/// From here on `-P` keeps the program's own folder from coming before all else.
const SAFE_PATH: u8 = 11;

/// Starts the program in each way.
pub(super) struct Runner<'a> {
    pub(super) plan: &'a Plan<'a>,
    /// Everything that is made lies below it.
    pub(super) folder: &'a Path,
    pub(super) homes: BTreeMap<Variant, Home>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, folder: &'a Path) -> Runner<'a> {
        Runner { plan, folder, homes: BTreeMap::new() }
    }

    /// Starts it.
    pub(super) fn run(
        &self,
        variant: Variant,
        before: &[OsString],
        capture: bool,
    ) -> Result<Run, CommandFailure> {
        // Nothing is written by any of them.
        let mut arguments = vec![OsString::from("-B")];
        if let Some(prefix) = variant.prefix() {
            arguments.extend(prefix_option(&self.folder.join(prefix.id())));
        }
        arguments.extend(before.iter().cloned());
        self.start(arguments, variant == Variant::AsIs, self.homes.get(&variant), capture)
    }

    fn start(
        &self,
        mut arguments: Vec<OsString>,
        own_prefix: bool,
        home: Option<&Home>,
        capture: bool,
    ) -> Result<Run, CommandFailure> {
        let Plan { program, optimize, python_options, .. } = self.plan;
        if *optimize > 0 {
            arguments.push(format!("-{}", "O".repeat((*optimize).into())).into());
        }
        arguments.extend(python_options.iter().cloned());
        let mut with = Vec::new();
        let mut words = program.arguments.clone();
        if let Some(home) = home {
            // A folder or zip that is run comes first by itself, and before that `site` has imports.
            match words.first_mut().filter(|_| self.plan.is_folder_or_zip()) {
                Some(script) => *script = home.path.clone().into_os_string(),
                None => arguments.push("-P".into()),
            }
            with.push(("PYTHONPATH", self.path_behind(home)?));
        }
        arguments.extend(words);
        let executable = &program.interpreter.executable;
        let launch = Launch {
            executable,
            arguments: &arguments,
            folder: &program.folder,
            without: if own_prefix { &DISTURBING } else { &DISTURBING_CACHES },
            with: &with,
            timeout: self.plan.timeout,
            capture,
        };
        run(&launch, &interrupt::CANCEL).map_err(|error| {
            let executable = executable.display();
            CommandFailure::environment(format!("`{executable}` could not be started: {error}"))
        })
    }

    /// A path that begins with a place, and goes on as it would without.
    fn path_behind(&self, home: &Home) -> Result<OsString, CommandFailure> {
        let program = self.plan.program;
        let own = match &program.script {
            _ if self.plan.has_flag('P') || self.plan.is_folder_or_zip() => None,
            // Links are followed, as Python does.
            Some(script) => {
                let real = std::fs::canonicalize(script).unwrap_or_else(|_| script.clone());
                real.parent().map(Path::to_owned)
            }
            None => Some(program.folder.clone()),
        };
        let rest = self.plan.environment.python_path.as_ref();
        let rest = rest.into_iter().flat_map(std::env::split_paths);
        let all = std::iter::once(home.path.clone()).chain(own).chain(rest);
        std::env::join_paths(all).map_err(|error| {
            CommandFailure::environment(format!("a folder cannot be on the path: {error}"))
        })
    }

    /// The first run: finds out what is loaded, and lets CPython write its own caches.
    pub(super) fn warm(&self) -> Result<Run, CommandFailure> {
        let folder = self.folder.join(Variant::Timestamp.id());
        let mut arguments: Vec<OsString> = prefix_option(&folder).into();
        arguments.extend(observing());
        self.start(arguments, false, None, true)
    }

    /// A run that is not measured: what is loaded, and from where.
    pub(super) fn look(&self, variant: Variant) -> Result<Run, CommandFailure> {
        self.run(variant, &observing(), true)
    }

    /// What a variant loaded, by files that are still there when it is read of; what `doctor` says of it;
    /// and modules that did not come from the place that was made for it.
    pub(super) fn understand(
        &self,
        variant: Variant,
        run: &Run,
    ) -> (Verbose, Agreement, Option<String>) {
        let plan = self.plan;
        let folder = &plan.program.folder;
        let mut verbose = Verbose::parse(&run.captured.lines);
        let release = plan.program.interpreter.toolchain.release;
        let zips = Zips::open(&verbose, None, folder, release, plan.jobs);
        zips.settle(&mut verbose, folder);
        let own = match variant {
            Variant::AsIs => plan.environment.pycache_prefix.clone(),
            _ => variant.prefix().map(|prefix| self.folder.join(prefix.id())),
        };
        let circumstances = Circumstances {
            interpreter: &plan.program.interpreter,
            level: self.level(),
            prefix: own.as_deref(),
            folder,
        };
        let zipped = zips.agreement(&verbose, &circumstances, plan.environment);
        let agreement = agreement(&verbose, &circumstances).and(zipped);
        let Some(home) = self.homes.get(&variant) else { return (verbose, agreement, None) };
        let strangers = home.strangers(&verbose);
        let problem = strangers.first().map(|first| {
            let (title, count) = (variant.title(), strangers.len());
            format!("{title}: {count} modules were loaded from elsewhere, such as `{first}`")
        });
        home.translate(&mut verbose);
        (verbose, agreement, problem)
    }

    pub(super) fn level(&self) -> OptimizationLevel {
        let level = self.plan.optimize.min(2);
        OptimizationLevel::from_u8(level).unwrap_or(OptimizationLevel::Two)
    }

    /// Whether there is what a variant needs.
    pub(super) fn is_ready(&self, variant: Variant) -> bool {
        variant.is_usual() || self.homes.contains_key(&variant)
    }
}

impl Plan<'_> {
    /// Whether what is run is a folder or zip with a `__main__`, which is on the path itself.
    pub(super) fn is_folder_or_zip(&self) -> bool {
        use bytekiln_artifact::{LocatedKind, locate};
        let script = self.program.script.as_ref();
        let kind = script.and_then(|script| locate(script).ok()).map(|located| located.kind);
        matches!(kind, Some(LocatedKind::Directory | LocatedKind::Archive))
    }

    /// Whether the interpreter gets an option of one letter.
    fn has_flag(&self, flag: char) -> bool {
        self.python_options.iter().filter_map(|option| option.to_str()).any(|option| {
            let letters = option.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
            // What follows these is a value.
            letters
                .is_some_and(|letters| !letters.starts_with(['X', 'W']) && letters.contains(flag))
        })
    }

    /// Whether the variants are possible.
    pub(super) fn check(&self) -> Result<(), CommandFailure> {
        let Some(moved) = self.variants.iter().find(|variant| !variant.is_usual()) else {
            return Ok(());
        };
        if self.is_folder_or_zip() {
            return Ok(());
        }
        let name = moved.id();
        if self.program.interpreter.toolchain.release.minor() < SAFE_PATH {
            return Err(CommandFailure::usage(format!(
                "--variant {name} needs Python 3.11 or later, whose `-P` lets it come first"
            ))
            .hint("a folder or zip with a __main__.py can be started so by any"));
        }
        if let Some(flag) = ['I', 'E'].into_iter().find(|flag| self.has_flag(*flag)) {
            return Err(CommandFailure::usage(format!(
                "--variant {name} puts modules before others by PYTHONPATH, which -{flag} ignores"
            )));
        }
        Ok(())
    }
}

/// `-X pycache_prefix=FOLDER`: unlike the variable it also holds with `-E` and `-I`.
fn prefix_option(folder: &Path) -> [OsString; 2] {
    let mut option = OsString::from("pycache_prefix=");
    option.push(folder);
    ["-X".into(), option]
}

/// Names every module with its file, what it was looked for, and times too.
fn observing() -> [OsString; 3] {
    ["-vv", "-X", "importtime"].map(OsString::from)
}
