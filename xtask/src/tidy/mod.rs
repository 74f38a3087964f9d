//! `cargo xtask tidy`: the house rules that neither rustc nor clippy can check.
//!
//! The rules are functions over a [`model::Repository`], a value; only `load` reads the disk.
//! Each finding names a file, a line and what to do about it.

mod dependencies;
mod files;
mod layers;
mod load;
mod model;
mod rust;
#[cfg(test)]
mod tests;

use anyhow::{Result, bail};

use model::{Finding, Repository};

/// Prints every finding; fails when there is one.
pub(crate) fn run() -> Result<()> {
    let repository = load::load(&crate::shell::root())?;
    let findings = findings(&repository);
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} finding(s) in {} files", findings.len(), repository.files.len());
    }
    println!(
        "tidy: {} packages, {} files, nothing to complain of",
        repository.packages.len(),
        repository.files.len()
    );
    Ok(())
}

/// All rules, in the order of their findings' files.
fn findings(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    layers::check(repository, &mut findings);
    dependencies::check(repository, &mut findings);
    rust::check(repository, &mut findings);
    files::check(repository, &mut findings);
    findings.sort();
    findings
}
