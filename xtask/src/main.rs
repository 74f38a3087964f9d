//! Automation of this repository: `cargo xtask COMMAND`. Knows the repository's layout and the
//! command line of `bytekiln`, never the insides of a crate.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command; printing is what it does"
)]

mod bench;
mod ci;
mod imports_compared;
mod opcodes;
mod shell;
mod tidy;
mod transcripts;
mod truth;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  tidy                    check what clippy cannot: layers, dependencies, file headers, sizes, names
  ci                      everything that has to pass before a change is merged
  bench [--runs N] [--big] [--only TEXT]
                          measure against compileall, uv and git, as ratios in one run
  compare-imports         compare django's import graph with those of ruff, grimp and modulefinder
  opcodes [--check]       write the tables of crate `bytecode` from the interpreters found
  truth [--only NAME] [--verbose]
                          start twenty programs, compare what they load with the graph
  transcripts [--update]  replay the READMEs of examples/, or write what was printed
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match arguments.first().map(String::as_str) {
        Some("tidy") if rest.is_empty() => tidy::run(),
        Some("ci") if rest.is_empty() => ci::run(),
        Some("bench") => bench::run(rest),
        Some("compare-imports") if rest.is_empty() => imports_compared::run(),
        Some("opcodes") if rest.is_empty() => opcodes::run(false),
        Some("opcodes") if rest == ["--check"] => opcodes::run(true),
        Some("truth") => truth::run(rest),
        Some("transcripts") if rest.is_empty() => transcripts::run(false),
        Some("transcripts") if rest == ["--update"] => transcripts::run(true),
        Some("-h" | "--help" | "help") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
