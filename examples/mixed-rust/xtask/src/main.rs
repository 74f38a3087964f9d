//! `cargo xtask precompile [PROFILE]`: compiles the Python of this workspace with Bytekiln as a library.

use std::path::Path;
use std::process::ExitCode;

use bytekiln::failure::CommandFailure;
use bytekiln::precompile::{Precompile, Progress};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["precompile"] => precompile("dev"),
        ["precompile", profile] => precompile(profile),
        _ => {
            eprintln!("usage: cargo xtask precompile [PROFILE]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.status.into()
        }
    }
}

fn precompile(profile: &str) -> Result<bool, CommandFailure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let precompile = Precompile::in_folder(root).profile(profile);
    let plan = precompile.plan()?;
    for step in plan.steps() {
        println!("{} for {}: {}", step.source.display(), step.target, step.reasons.join("; "));
    }
    let outcome = plan.execute(&|progress| match progress {
        Progress::Rejected { diagnostic, .. } | Progress::Warning { diagnostic, .. } => {
            eprint!("{diagnostic}");
        }
        Progress::Failed { step, message } => eprintln!("`{}`: {message}", step.source.display()),
        _ => {}
    })?;
    for warning in &outcome.warnings {
        eprintln!("{warning}");
    }
    println!("{}", outcome.tally.sentence());
    Ok(outcome.is_success())
}
