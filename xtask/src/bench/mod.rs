//! `cargo xtask bench`: Bytekiln against compileall, uv and git, interleaved in one run, because
//! only ratios of one run mean anything. Prints a Markdown table with the command lines.

pub(crate) mod contender;
pub(crate) mod corpora;
mod distributions;
mod finished;
mod graph;
mod load;
mod machine;
mod measure;
mod pack;
mod remote;
mod report;
mod scenario;
mod startup;

use anyhow::{Result, bail};

use crate::shell;

/// What was asked for.
struct Options {
    /// Runs of each contender.
    runs: usize,
    /// Also the tree of 86,000 sources.
    big: bool,
    /// Only scenarios whose title has this in it.
    only: Option<String>,
    /// This executable instead of one built now.
    command: Option<std::path::PathBuf>,
}

const USAGE: &str = "usage: cargo xtask bench [--runs N] [--big] [--only TEXT] [--command FILE]";

fn options(arguments: &[String]) -> Result<Options> {
    let mut options = Options { runs: 5, big: false, only: None, command: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), argument.as_str() == "--big") {
            (_, true) => options.big = true,
            ("--runs", _) => match arguments.next().map(|runs| runs.parse()) {
                Some(Ok(runs)) if runs > 0 => options.runs = runs,
                _ => bail!("`--runs` wants a number above 0\n{USAGE}"),
            },
            ("--only", _) => match arguments.next() {
                Some(text) => options.only = Some(text.clone()),
                None => bail!("`--only` wants a text\n{USAGE}"),
            },
            ("--command", _) => match arguments.next() {
                Some(file) => options.command = Some(std::path::absolute(file)?),
                None => bail!("`--command` wants a file\n{USAGE}"),
            },
            _ => bail!("unknown argument `{argument}`\n{USAGE}"),
        }
    }
    Ok(options)
}

/// Builds the command, fetches what is missing, measures, prints.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = options(arguments)?;
    if options.command.is_none() {
        let build = ["build", "--release", "--quiet", "--package", "bytekiln"];
        shell::run(shell::cargo().args(build))?;
    }
    let folder = shell::root().join("corpora");
    let wants =
        |title: &str| options.only.as_ref().is_none_or(|only| title.contains(only.as_str()));
    let built = shell::target().join("release/bytekiln");
    let command = options.command.as_deref().unwrap_or(&built);
    let mut alone = Vec::new();
    if wants(startup::TITLE) {
        let text = startup::measure(&folder, command, options.runs)?;
        alone.push((startup::TITLE, text, machine::describe_alone(&["hyperfine"])?));
    }
    if wants(remote::TITLE)
        && let Some(text) = remote::measure(command, options.runs)?
    {
        alone.push((remote::TITLE, text, machine::describe_alone(&[])?));
    }
    let is_only = |title: &&str| options.only.is_some() && wants(title);
    if [startup::TITLE, remote::TITLE].iter().any(is_only) {
        // These need none of the corpora.
        for (title, text, machine) in alone {
            print!("{machine}\n## {title}\n\n{text}");
        }
        return Ok(());
    }
    let corpora = corpora::fetch(&folder)?;
    let workplace = contender::Workplace::new(&corpora, options.command.clone())?;
    let mut report = report::Report::new(machine::describe(&corpora)?);
    for scenario in scenario::all(&corpora, &workplace, options.big)? {
        let wanted =
            options.only.as_ref().is_none_or(|only| scenario.title.contains(only.as_str()));
        if wanted {
            if scenario.title.starts_with("canonicalise") {
                build_canonicalise()?;
            }
            eprintln!("measuring: {} ({} runs)", scenario.title, options.runs);
            report.add(&scenario.title, scenario.goal, scenario::measure(&scenario, options.runs)?);
        }
    }
    for (title, text, _) in alone {
        report.add_text(title, text);
    }
    for raw in corpora.raw()? {
        let title = format!("load time and size of canonical caches, {}", raw.name);
        if options.only.as_ref().is_none_or(|only| title.contains(only.as_str())) {
            build_canonicalise()?;
            eprintln!("measuring: {title}");
            report.add_text(&title, load::measure(&raw, &workplace, options.runs)?);
        }
    }
    print!("{report}");
    Ok(())
}

/// The codec alone, as a process.
fn build_canonicalise() -> Result<()> {
    let build =
        ["build", "--release", "--quiet", "--package", "xtask", "--example", "canonicalise"];
    shell::run(shell::cargo().args(build))
}
