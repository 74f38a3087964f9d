//! `--check`: the ratchet. Starts each program of `[startup.NAME]` once, holds the set of modules that it
//! loads against what the manifest allows, and finds the chain of imports by which a new one came in.

mod verdict;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use bytekiln_project::{AllowedModules, StartupRule, Workspace, set_startup_allowed};
use bytekiln_startup::{Allowed, Profile, Trace, Verbose};
use serde_json::{Value, json};

use super::measure::{Plan, fastest, look_once};
use super::observed::{MAIN, Observed};
use super::program::{Program, Surroundings, Typed};
use super::statements;
use super::variant::Variant;
use super::zips::Zips;
use crate::arguments::{Global, ImporttimeArguments, ImporttimeFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::problems;
use crate::report::terminal::Terminal;
use crate::settings::{workspace, workspace_failure};
use verdict::{Checked, New, Step};

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-startup/1";
/// Runs of which the fastest must be within the budget.
const BUDGET_RUNS: usize = 5;
/// Runs the command.
pub(super) fn run(
    names: &[String],
    arguments: &ImporttimeArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    if !matches!(arguments.format, ImporttimeFormat::Human | ImporttimeFormat::Json) {
        return Err(CommandFailure::usage("a check is shown as text or JSON"));
    }
    let workspace = workspace(global, environment)?;
    problems::say(terminal, &workspace.problems);
    let rules = chosen(&workspace, names)?;
    interrupt::watch(terminal);
    let checker = Checker { workspace: &workspace, arguments, environment, terminal };
    let mut checked = Vec::new();
    for rule in rules {
        checked.push(checker.check(rule)?);
        if interrupt::is_interrupted() {
            return Ok(ExitStatus::Interrupted);
        }
    }
    let mut success = true;
    for one in &checked {
        if arguments.update && one.failure.is_none() {
            checker.update(one)?;
        }
        success &= one.say(arguments.update, terminal);
    }
    if arguments.format == ImporttimeFormat::Json {
        let rules: Vec<Value> = checked.iter().map(Checked::json).collect();
        let value = json!({"schema": SCHEMA, "success": success, "startups": rules});
        terminal.data(&format!("{value:#}\n"));
    }
    Ok(if success { ExitStatus::Success } else { ExitStatus::Failure })
}

fn chosen<'a>(
    workspace: &'a Workspace,
    names: &[String],
) -> Result<Vec<&'a StartupRule>, CommandFailure> {
    if workspace.startup.is_empty() {
        return Err(CommandFailure::usage("the manifest has no `[startup.NAME]`")
            .hint("docs/importtime.md shows how to write one"));
    }
    if names.is_empty() {
        return Ok(workspace.startup.iter().collect());
    }
    let find = |name: &String| {
        let found = workspace.startup.iter().find(|rule| rule.name == *name);
        found.ok_or_else(|| {
            let known = workspace.startup.iter().map(|rule| rule.name.as_str());
            let failure = CommandFailure::usage(format!("there is no `[startup.{name}]`"));
            match bytekiln_project::nearest(name, known.clone()) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => {
                    let known: Vec<&str> = known.collect();
                    failure.hint(format!("there are `{}`", known.join("`, `")))
                }
            }
        })
    };
    names.iter().map(find).collect()
}

struct Checker<'a> {
    workspace: &'a Workspace,
    arguments: &'a ImporttimeArguments,
    environment: &'a Environment,
    terminal: &'a Terminal,
}

impl Checker<'_> {
    fn check<'r>(&self, rule: &'r StartupRule) -> Result<Checked<'r>, CommandFailure> {
        let folder = match &rule.folder {
            Some(folder) => self.workspace.root.join(folder),
            None => self.workspace.root.clone(),
        };
        let located = |failure: CommandFailure| CommandFailure {
            messages: failure
                .messages
                .iter()
                .map(|message| format!("`startup.{}` at {}: {message}", rule.name, rule.place))
                .collect(),
            ..failure
        };
        let otherwise = self.workspace.profiles.get("dev").and_then(|dev| dev.interpreters.first());
        let surroundings =
            Surroundings { folder: &folder, environment: self.environment, otherwise };
        let program = surroundings.program(&Typed::of(&rule.command), rule.python.as_ref());
        let program = program.map_err(located)?;
        let label = program.interpreter.toolchain.label();
        self.terminal.status("Running", format!("`{}` with {label}", program.title));
        let allowed = allowed(self.workspace, rule)?;
        let ran = look_once(&self.plan(&program, rule))?;
        let failure =
            (!ran.end.is_success()).then(|| format!("the program {}", ran.end.sentence()));
        let verbose = Verbose::parse(&ran.captured.lines);
        let bare = self.bare(&program, rule)?;
        let loaded: BTreeSet<String> =
            verbose.modules.keys().filter(|name| !bare.contains(*name)).cloned().collect();
        let is_new = |name: &str| {
            loaded.contains(name) && allowed.as_ref().is_some_and(|set| !set.allows(name))
        };
        let trace = Trace::parse(&ran.captured.lines);
        let count_new = loaded.iter().filter(|name| is_new(name)).count();
        let observed = if count_new == 0 {
            Observed::default()
        } else {
            let Program { script, folder, interpreter, .. } = &program;
            let release = interpreter.toolchain.release;
            let zips = Zips::open(&verbose, script.as_deref(), folder, release, NonZeroUsize::MIN);
            statements(&program, &verbose, &zips)
        };
        let new = new_modules(&trace, &observed, &self.workspace.root, is_new, &loaded);
        let unused = allowed.map(|set| set.unused(loaded.iter().map(String::as_str)));
        let fastest = match (rule.budget_milliseconds, &failure) {
            (Some(_), None) => Some(fastest(&self.plan(&program, rule), BUDGET_RUNS)?),
            _ => None,
        };
        let unused = unused.unwrap_or_default();
        let title = program.title.clone();
        Ok(Checked { rule, title, loaded, new, count_new, unused, fastest, failure })
    }

    fn plan<'p>(&'p self, program: &'p Program, rule: &StartupRule) -> Plan<'p> {
        Plan {
            program,
            variants: vec![Variant::AsIs],
            python_options: &[],
            optimize: rule.optimize.as_u8(),
            library_cached: false,
            runs: None,
            timeout: Duration::from_secs(self.arguments.timeout),
            jobs: NonZeroUsize::MIN,
            environment: self.environment,
            terminal: self.terminal,
        }
    }

    /// What the interpreter loads to run nothing.
    fn bare(
        &self,
        program: &Program,
        rule: &StartupRule,
    ) -> Result<BTreeSet<String>, CommandFailure> {
        let arguments = ["-c", "pass"].map(Into::into).to_vec();
        let nothing = Program { arguments, script: None, ..program.clone() };
        let ran = look_once(&self.plan(&nothing, rule))?;
        if !ran.end.is_success() {
            let executable = program.interpreter.executable.display();
            return Err(CommandFailure::environment(format!(
                "`{executable} -c pass` {}",
                ran.end.sentence()
            )));
        }
        Ok(Verbose::parse(&ran.captured.lines).modules.into_keys().collect())
    }

    fn update(&self, checked: &Checked<'_>) -> Result<(), CommandFailure> {
        let rule = checked.rule;
        if rule.allowed.is_none() {
            return Ok(());
        }
        let allowed = allowed(self.workspace, rule)?.unwrap_or_default();
        let names = allowed.tightened(checked.loaded.iter().map(String::as_str));
        // Read again for each: the one before may have been written into the same manifest.
        let written = set_startup_allowed(self.workspace, rule, &names);
        let name = &rule.name;
        match written.map_err(|error| workspace_failure(&error))? {
            None => self.terminal.status("Unchanged", format!("`startup.{name}`")),
            Some(file) => {
                let file =
                    file.strip_prefix(&self.workspace.root).unwrap_or(&file).display().to_string();
                let (more, less) = (checked.count_new, checked.unused.len());
                let message =
                    format!("`{file}`: `startup.{name}` allows {more} more and {less} less");
                self.terminal.status("Updated", message);
            }
        }
        Ok(())
    }
}

/// What a rule allows; none if it allows anything.
fn allowed(workspace: &Workspace, rule: &StartupRule) -> Result<Option<Allowed>, CommandFailure> {
    let mut allowed = Allowed::default();
    match &rule.allowed {
        None => return Ok(None),
        Some(AllowedModules::Listed(names)) => {
            for name in names {
                allowed.add(name).map_err(|error| {
                    CommandFailure::usage(format!("`startup.{}`: {error}", rule.name))
                })?;
            }
        }
        Some(AllowedModules::File(file)) => {
            let path = workspace.root.join(file);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                // A new one is made by `--update`.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => {
                    let message = format!("`{}` could not be read: {error}", path.display());
                    return Err(CommandFailure::usage(message));
                }
            };
            for (number, line) in (1..).zip(text.lines()) {
                let name = line.split('#').next().unwrap_or_default().trim();
                if !name.is_empty() {
                    allowed.add(name).map_err(|error| {
                        CommandFailure::usage(format!("{}:{number}: {error}", file.display()))
                    })?;
                }
            }
        }
    }
    Ok(Some(allowed))
}

fn new_modules(
    trace: &Trace,
    observed: &Observed,
    root: &Path,
    is_new: impl Fn(&str) -> bool,
    loaded: &BTreeSet<String>,
) -> Vec<New> {
    let profile = Profile::new(&[vec![trace.clone()]]);
    let mut found: Vec<New> = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (at, row) in profile.rows.iter().enumerate() {
        if !is_new(&row.name) || !told.insert(&row.name) {
            continue;
        }
        let chain = profile.chain(at);
        let names: Vec<&str> =
            chain.iter().filter_map(|at| Some(&*profile.rows.get(*at)?.name)).collect();
        // What came by another new one is told with that.
        let before = names.iter().rev().skip(1).rev();
        let bringer = before.clone().find(|name| is_new(name)).map(|name| (*name).to_owned());
        if let Some(bringer) = bringer {
            if let Some(new) = found.iter_mut().find(|new| new.module == bringer) {
                new.with_it += 1;
            }
            continue;
        }
        let chain = steps(&names, observed, root);
        found.push(New { module: row.name.clone(), with_it: 0, chain });
    }
    // Loaded, and in no line of the trace: by code that does not go through `import`.
    for name in loaded.iter().filter(|name| is_new(name) && !told.contains(name.as_str())) {
        found.push(New { module: name.clone(), with_it: 0, chain: Vec::new() });
    }
    found
}

fn steps(names: &[&str], observed: &Observed, root: &Path) -> Vec<Step> {
    let mut importer = MAIN;
    let mut steps = Vec::new();
    for name in names {
        let package = importer.strip_prefix(*name).is_some_and(|rest| rest.starts_with('.'));
        let places = observed.importers.get(*name);
        let place =
            places.and_then(|places| places.iter().find(|place| place.importer == importer));
        let statement = place.map(|place| {
            let text = std::fs::read(&place.file).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let line = usize::try_from(place.line).unwrap_or(0).saturating_sub(1);
            let line = text.lines().nth(line).unwrap_or_default().trim().to_owned();
            let file = place.file.strip_prefix(root).unwrap_or(&place.file);
            (file.display().to_string(), place.line, line)
        });
        steps.push(Step { module: (*name).to_owned(), statement, package });
        importer = name;
    }
    steps
}
