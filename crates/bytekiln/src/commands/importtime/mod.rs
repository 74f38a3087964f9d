//! `bytekiln importtime`: what start-up costs, without and with caches. `program` finds what is to be run,
//! `process` runs it, `runner` in one way, `measure` again and again in every way; `prepare`
//! has `caches` make the trees of caches, and `gather` and `home` the trees and zips of the program itself;
//! `zips` reads those that it has;
//! `simulate` holds `doctor` against what happens, `observed` finds the statements, `assemble` puts it all
//! into the `document`, and the other files show that or answer instead of it.

mod assemble;
mod caches;
mod check;
mod comparison;
mod document;
mod exported;
mod gather;
mod home;
mod human;
mod measure;
mod observed;
mod page;
mod prepare;
mod process;
mod program;
mod runner;
mod simulate;
mod variant;
mod zips;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytekiln_graph::Target;
use bytekiln_project::InterpreterSpec;
use bytekiln_startup::Verbose;

use crate::arguments::{Global, ImporttimeArguments, ImporttimeFormat, UncachedChoice};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::diagnostic::harmless;
use crate::report::opener;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};
use crate::settings::start_folder;
use document::Document;
use measure::{Measurement, Plan};
use observed::Observed;
use program::{Program, Surroundings, Typed, quoted};
use variant::Variant;
use zips::Zips;

/// Runs the command.
pub(crate) fn run(
    arguments: &ImporttimeArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let start = start_folder(global, environment)?;
    if let [old, new] = &*arguments.compare {
        return comparison::run(&start.join(old), &start.join(new), arguments.format, terminal);
    }
    if let Some(names) = &arguments.check {
        return check::run(names, arguments, global, environment, terminal);
    }
    if arguments.update {
        return Err(CommandFailure::usage("--update goes with --check"));
    }
    let typed = match (&*arguments.module, &*arguments.code) {
        ([], []) => Typed::Script(arguments.program.clone()),
        ([], code) => Typed::Code(code.to_vec()),
        (module, _) => Typed::Module(module.to_vec()),
    };
    let python = arguments.python.as_deref().map(|text| {
        let fault = |error| CommandFailure::usage(format!("--python `{text}`: {error}"));
        InterpreterSpec::parse(text).map_err(fault)
    });
    let python = python.transpose()?;
    let surroundings = Surroundings { folder: &start, environment, otherwise: None };
    let program = surroundings.program(&typed, python.as_ref())?;
    let plan = plan(arguments, &program, environment, terminal);
    interrupt::watch(terminal);
    let label = program.interpreter.toolchain.label();
    terminal.status("Running", format!("`{}` with {label}, all that its code does", program.title));
    let measurement = measure::measure(&plan)?;
    let observed = observe(&program, &measurement);
    let options = arguments.python_option.iter().map(|option| quoted(option)).collect();
    let heading = assemble::Heading {
        program: &program,
        optimize: arguments.opt,
        options,
        uncached: match arguments.uncached {
            UncachedChoice::All => "all",
            UncachedChoice::Program => "program",
        },
        ignore_failure: arguments.ignore_failure,
    };
    let document = assemble::assemble(&measurement, &observed, &heading);
    show(arguments, &document, &start, terminal)?;
    Ok(end(&document, &measurement, terminal))
}

fn plan<'a>(
    arguments: &'a ImporttimeArguments,
    program: &'a Program,
    environment: &'a Environment,
    terminal: &'a Terminal,
) -> Plan<'a> {
    let chosen = |variant: &Variant| match &*arguments.variant {
        [] => variant.is_usual(),
        choices => choices.iter().any(|choice| Variant::from(*choice) == *variant),
    };
    Plan {
        program,
        variants: Variant::ALL.into_iter().filter(chosen).collect(),
        python_options: &arguments.python_option,
        optimize: arguments.opt,
        library_cached: arguments.uncached == UncachedChoice::Program,
        runs: arguments.runs,
        timeout: Duration::from_secs(arguments.timeout),
        jobs: arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism),
        environment,
        terminal,
    }
}

/// Statements of the modules that were loaded in any way.
fn observe(program: &Program, measurement: &Measurement) -> Observed {
    let Some(first) = measurement.variants.first() else { return Observed::default() };
    let mut verbose = first.verbose.clone();
    for other in measurement.variants.iter().skip(1) {
        for (name, loaded) in &other.verbose.modules {
            verbose.modules.entry(name.clone()).or_insert_with(|| loaded.clone());
        }
    }
    statements(program, &verbose, &measurement.zips)
}

/// Statements of the modules that a program loaded, and of itself.
fn statements(program: &Program, verbose: &Verbose, zips: &Zips) -> Observed {
    let toolchain = &program.interpreter.toolchain;
    let main = main_file(program, verbose, zips);
    let platform = bytekiln_project::target_platform(&toolchain.platform).unwrap_or_default();
    let target = Target { release: toolchain.release, platform };
    observed::observe(verbose, main.as_deref(), &program.folder, zips, target)
}

/// The file of `__main__`: the script, or what `-m` found, whose code was read for no import.
fn main_file(program: &Program, verbose: &Verbose, zips: &Zips) -> Option<PathBuf> {
    if let Some(script) = &program.script {
        let is_file = script.is_file() && !zips.is_zip(script);
        return Some(if is_file { script.clone() } else { script.join("__main__.py") });
    }
    let module = program.arguments.get(1)?.to_str()?;
    if program.arguments.first()? != "-m" {
        return None;
    }
    let below = module.replace('.', "/");
    let ends = [format!("/{below}.py"), format!("/{below}/__main__.py")];
    let files = verbose.others.iter().filter_map(|loaded| loaded.file.as_ref());
    let mut paths = files.map(|file| program.folder.join(file));
    paths.find(|path| ends.iter().any(|end| path.to_string_lossy().ends_with(end)))
}

fn show(
    arguments: &ImporttimeArguments,
    document: &Document,
    start: &Path,
    terminal: &Terminal,
) -> Result<(), CommandFailure> {
    if arguments.html.is_some() || arguments.open {
        let file = match &arguments.html {
            Some(file) => start.join(file),
            None => default_page(start)?,
        };
        write_page(&file, document)?;
        terminal.status("Wrote", format!("`{}`", file.display()));
        if arguments.open {
            opener::open(&file, terminal);
        }
    }
    match arguments.format {
        ImporttimeFormat::Human => human::report(document, arguments.all, terminal),
        ImporttimeFormat::Json => stream(terminal, |out| {
            serde_json::to_writer_pretty(&mut *out, document)?;
            out.write_all(b"\n")
        })?,
        ImporttimeFormat::Speedscope => {
            stream(terminal, |out| exported::speedscope(document, out))?
        }
        ImporttimeFormat::Chrome => stream(terminal, |out| exported::chrome(document, out))?,
    }
    Ok(())
}

/// Beside what else Bytekiln keeps of the folder, in a folder that version control ignores.
fn default_page(start: &Path) -> Result<PathBuf, CommandFailure> {
    let folder = start.join(".bytekiln");
    bytekiln_project::prepare_state(&folder)
        .map_err(|error| CommandFailure::environment(error).hint("name a file with --html"))?;
    Ok(folder.join("importtime.html"))
}

fn write_page(file: &Path, document: &Document) -> Result<(), CommandFailure> {
    let write = || -> std::io::Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        page::render(document, &mut out)?;
        out.flush()
    };
    write().map_err(|error| {
        CommandFailure::environment(format!("`{}` could not be written: {error}", file.display()))
    })
}

fn stream(
    terminal: &Terminal,
    mut write: impl FnMut(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Result<(), CommandFailure> {
    terminal.stream(&mut write).map_err(|error| {
        CommandFailure::environment(format!("standard output takes no more: {error}"))
    })
}

/// Says how it went.
fn end(document: &Document, measurement: &Measurement, terminal: &Terminal) -> ExitStatus {
    for warning in &document.warnings {
        terminal.warning(harmless(warning));
    }
    let interrupted = measurement.failure == Some(process::End::Interrupted);
    if let Some(end) = measurement.failure.filter(|_| !interrupted) {
        let text = format!("the program {}", end.sentence());
        if document.success {
            terminal.warning(&text);
        } else {
            terminal.error(&text);
        }
        if let Some(talk) = measurement.talk.as_deref().filter(|talk| !talk.is_empty()) {
            for line in talk.lines() {
                terminal.say(&format!("  | {}", harmless(line)));
            }
        }
        if !document.success && matches!(end, process::End::Exited(_)) {
            terminal.help("--ignore-failure takes any status for a good one");
        }
    }
    let runs = measurement.runs;
    match measurement.failure {
        Some(process::End::Interrupted) => {
            terminal.status_in(
                Tone::Warning,
                "Interrupted",
                format!("after {runs} {} of each way", plural(runs, "run", "runs")),
            );
            ExitStatus::Interrupted
        }
        Some(_) if !document.success => {
            terminal.status_in(Tone::Error, "Failed", "what is shown is what there was up to then");
            ExitStatus::Failure
        }
        _ => {
            let count = document.imports.iter().filter(|import| import.loaded).count();
            let ways = document.variants.len();
            let message = format!("{count} modules, {ways} ways, {runs} runs each");
            terminal.status("Finished", message);
            ExitStatus::Success
        }
    }
}
