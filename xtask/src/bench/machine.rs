//! One line on where figures come from: processors, kernel, versions. Neither host nor user.

use std::process::Command;

use anyhow::Result;

use super::corpora::{Corpora, python_3_11};
use crate::shell;

/// For the head of the report.
pub(crate) fn describe(corpora: &Corpora) -> Result<String> {
    let uv = version(&mut Command::new(&corpora.uv))?;
    let uv = uv.split(" (").next().unwrap_or_default().to_owned();
    Ok(format!(
        "Measured on {}; {}, {uv}, {}. Medians; contenders take turns, each run on a fresh copy where it says \
         so.\n",
        hardware()?,
        version(&mut Command::new(&corpora.python))?,
        version(&mut Command::new("git"))?,
    ))
}

/// For the head of a report that needs none of the contenders, but these programs.
pub(crate) fn describe_alone(programs: &[&str]) -> Result<String> {
    let mut versions = vec![version(&mut Command::new(python_3_11()?))?];
    for program in programs {
        versions.push(version(&mut Command::new(program))?);
    }
    Ok(format!("Measured on {}; {}. Medians.\n", hardware()?, versions.join(", ")))
}

fn version(program: &mut Command) -> Result<String> {
    Ok(shell::read(program.arg("--version"))?.lines().next().unwrap_or_default().to_owned())
}

fn hardware() -> Result<String> {
    let cpus = std::thread::available_parallelism()?;
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim())
        .to_owned();
    let kernel = shell::read(Command::new("uname").args(["-s", "-r"]))?;
    Ok(format!("{cpus} cores of {model}, {}", kernel.trim_end()))
}
