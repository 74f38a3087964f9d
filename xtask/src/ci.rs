//! `cargo xtask ci`: every step that has to pass, in order of what it costs. Stops at the first
//! failure. Leaves `RUSTFLAGS` alone, so that all steps share one set of built crates.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::shell;

/// A step: its name and what it runs.
struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: || cargo(&["fmt", "--all", "--check"]) },
    Step {
        name: "clippy",
        run: || {
            cargo(&[
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ])
        },
    },
    Step { name: "tidy", run: crate::tidy::run },
    Step {
        name: "test",
        run: || cargo(&["test", "--locked", "--workspace", "--quiet", "--no-fail-fast"]),
    },
    Step { name: "doc", run: doc },
    Step {
        name: "release",
        run: || cargo(&["build", "--locked", "--release", "--quiet", "--package", "bytekiln"]),
    },
    Step { name: "fuzz targets", run: fuzz_targets },
    Step { name: "example xtask", run: example_xtask },
];

/// Runs the steps and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in STEPS {
        println!("==> {}", step.name);
        let start = Instant::now();
        let outcome = (step.run)();
        times.push((step.name, start.elapsed()));
        if let Err(error) = outcome {
            summary(&times);
            bail!("step `{}` failed: {error:#}", step.name);
        }
        println!("    {} took {:.1} s", step.name, start.elapsed().as_secs_f64());
    }
    summary(&times);
    println!("all {} steps passed", STEPS.len());
    Ok(())
}

fn summary(times: &[(&str, Duration)]) {
    println!();
    for (name, time) in times {
        println!("{name:>14} {:>8.1} s", time.as_secs_f64());
    }
}

fn cargo(arguments: &[&str]) -> Result<()> {
    shell::run(shell::cargo().args(arguments))
}

fn doc() -> Result<()> {
    let mut command = shell::cargo();
    command.args(["doc", "--locked", "--workspace", "--no-deps", "--quiet"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut command)
}

/// Fuzz targets are a workspace of their own, outside `--workspace`; they compile with the stable
/// toolchain as far as type checking goes, and nightly runs them.
fn fuzz_targets() -> Result<()> {
    for folder in ["crates/blob/fuzz", "crates/bytekiln/fuzz", "crates/codec/fuzz"] {
        let mut command: Command = shell::cargo();
        command.current_dir(shell::root().join(folder));
        command.args(["check", "--locked", "--quiet", "--bins", "--target-dir"]);
        command.arg(shell::root().join("target/fuzz"));
        shell::run(&mut command)?;
    }
    Ok(())
}

/// The xtask of an example is a workspace of its own. What it compiles has to be what the command just built
/// proves.
fn example_xtask() -> Result<()> {
    let example = shell::root().join("examples/mixed-rust");
    let mut command: Command = shell::cargo();
    command.current_dir(&example);
    command.args([
        "run",
        "--locked",
        "--quiet",
        "--manifest-path",
        "xtask/Cargo.toml",
        "--target-dir",
    ]);
    command.arg(shell::root().join("target/examples")).args(["--", "precompile"]);
    shell::run(&mut command)?;
    let mut command = Command::new(shell::root().join("target/release/bytekiln"));
    command.current_dir(&example).args(["verify", "--quiet", "crates/words-py/python"]);
    shell::run(&mut command)
}
