//! What is measured on: wheels from the package index, unpacked into `corpora/` (ignored by git).
//! Fetched once. Knows no contender.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// Distributions and where they go.
const WHEELS: &[(&str, &str)] = &[
    ("django==5.2.*", "small"),
    ("sympy==1.14.*", "small"),
    ("ansible==12.*", "ansible"),
    ("uv==0.13.*", "uv"),
];

/// Everything that scenarios need.
pub(crate) struct Corpora {
    /// A tree of real sources.
    pub(crate) small: Corpus,
    /// A larger one.
    pub(crate) ansible: Corpus,
    /// CPython 3.11, as `sys.executable` says.
    pub(crate) python: PathBuf,
    /// The uv executable.
    pub(crate) uv: PathBuf,
}

/// A tree of sources.
#[derive(Clone)]
pub(crate) struct Corpus {
    /// For titles.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// How many `.py` files it has.
    pub(crate) sources: usize,
}

impl Corpus {
    pub(crate) fn new(name: &str, folder: PathBuf) -> Result<Self> {
        let sources = count(&folder, "py")?;
        if sources == 0 {
            bail!("`{}` has no sources", folder.display());
        }
        Ok(Self { name: name.to_owned(), folder, sources })
    }
}

/// Downloads and unpacks what is not there yet.
pub(crate) fn fetch(folder: &Path) -> Result<Corpora> {
    let python = python_3_11()?;
    for (wheel, name) in WHEELS {
        let done = folder.join(format!(".{}", wheel.split('=').next().unwrap_or(wheel)));
        if done.exists() {
            continue;
        }
        eprintln!("fetching {wheel}");
        let download = folder.join("download");
        if download.exists() {
            fs::remove_dir_all(&download)?;
        }
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]);
        shell::run(pip.arg("--dest").arg(&download).arg(wheel))?;
        for entry in fs::read_dir(&download)? {
            let mut unzip = Command::new(&python);
            unzip.args(["-m", "zipfile", "-e"]).arg(entry?.path()).arg(folder.join(name));
            shell::run(&mut unzip)?;
        }
        fs::remove_dir_all(&download)?;
        fs::write(done, "")?;
    }
    for name in ["small", "ansible"] {
        remove_metadata(&folder.join(name))?;
    }
    Ok(Corpora {
        small: Corpus::new("django + sympy", folder.join("small"))?,
        ansible: Corpus::new("ansible", folder.join("ansible"))?,
        uv: uv_program(&folder.join("uv"))?,
        python,
    })
}

/// uv would look after distributions that it knows; to it these are files like any other.
fn remove_metadata(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "dist-info") {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

fn uv_program(folder: &Path) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(folder)? {
        let program = entry?.path().join("scripts/uv");
        if program.is_file() {
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
            return Ok(program);
        }
    }
    bail!("no uv in `{}`", folder.display())
}

fn python_3_11() -> Result<PathBuf> {
    let code = "import sys; print(sys.executable)";
    let path = shell::read(Command::new("python3.11").args(["-I", "-c", code]))
        .context("the figures are for CPython 3.11")?;
    Ok(PathBuf::from(path.trim_end()))
}

/// How many files below a folder have an extension.
pub(crate) fn count(folder: &Path, extension: &str) -> Result<usize> {
    let mut found = 0;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not read `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|found| found == extension) {
                found += 1;
            }
        }
    }
    Ok(found)
}
