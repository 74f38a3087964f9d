//! One line on where figures come from: processors, kernel, versions. Neither host nor user.

use std::process::Command;

use anyhow::Result;

use super::corpora::Corpora;
use crate::shell;

/// For the head of the report.
pub(crate) fn describe(corpora: &Corpora) -> Result<String> {
    let cpus = std::thread::available_parallelism()?;
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim())
        .to_owned();
    let version = |program: &mut Command| -> Result<String> {
        Ok(shell::read(program.arg("--version"))?.lines().next().unwrap_or_default().to_owned())
    };
    let kernel = shell::read(Command::new("uname").args(["-s", "-r"]))?;
    let uv = version(&mut Command::new(&corpora.uv))?;
    let uv = uv.split(" (").next().unwrap_or_default().to_owned();
    Ok(format!(
        "Measured on {cpus} cores of {model}, {}; {}, {uv}, {}. Medians; contenders take turns, \
         each run on a fresh copy where it says so.\n",
        kernel.trim_end(),
        version(&mut Command::new(&corpora.python))?,
        version(&mut Command::new("git"))?,
    ))
}
