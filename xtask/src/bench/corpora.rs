//! What is measured on: wheels from the package index, unpacked into `corpora/` (ignored by git).
//! Fetched once. Knows no contender.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::distributions;
use crate::shell;

/// Distributions and where they go.
const WHEELS: &[(&str, &str)] = &[
    ("django==5.2.*", "small"),
    ("sympy==1.14.*", "small"),
    ("ansible==12.*", "ansible"),
    ("uv==0.13.*", "uv"),
];

/// Of the rewriter of caches that is compared with.
const ADD_DETERMINISM: &str = "0.7.3";

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
    /// The add-det executable.
    pub(crate) add_determinism: PathBuf,
    /// The ruff executable.
    pub(crate) ruff: PathBuf,
    /// A folder of `PYTHONPATH` with grimp.
    pub(crate) grimp: PathBuf,
    folder: PathBuf,
}

/// What is installed by uv into folders of their own.
const TOOLS: &[(&str, &str)] = &[("ruff==0.17.*", "ruff"), ("grimp==3.19.*", "grimp")];

/// Caches as compileall makes them, beside their sources.
#[derive(Clone)]
pub(crate) struct RawCaches {
    /// For titles.
    pub(crate) name: String,
    /// Where they are.
    pub(crate) folder: PathBuf,
    /// The interpreter that made them.
    pub(crate) python: PathBuf,
    /// How many.
    pub(crate) files: usize,
    /// How many bytes.
    pub(crate) bytes: u64,
}

/// Copies the standard library without what is installed into it.
const COPY_LIBRARY: &str = "
import shutil, sys, sysconfig
shutil.copytree(sysconfig.get_path('stdlib'), sys.argv[1], symlinks=True,
                ignore=shutil.ignore_patterns('site-packages', '__pycache__', 'config-*', '*.so', '*.a'))
";

impl Corpora {
    /// A tree of some 86,000 sources.
    pub(crate) fn packages(&self) -> Result<Corpus> {
        let folder = self.folder.join("distributions");
        let done = folder.join(".done");
        if !done.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            distributions::fetch(&self.uv, &self.python, &folder)?;
            for corpus in [&self.small, &self.ansible] {
                super::contender::copy_tree(&corpus.folder, &folder)?;
            }
            remove_metadata(&folder)?;
            remove_extensions(&folder)?;
            fs::write(&done, "")?;
        }
        let number = distributions::count() + WHEELS.len() - 1;
        Corpus::new(&format!("{number} distributions"), folder)
    }

    /// A program with all that it needs.
    pub(crate) fn program(&self) -> Result<Corpus> {
        let folder = self.folder.join("program");
        let done = folder.join(".done");
        if !done.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            let mut install = Command::new(&self.uv);
            install.args(["pip", "install", "--quiet", "--only-binary", ":all:", "--python"]);
            install.arg(&self.python).arg("--target").arg(&folder).arg("sphinx==8.2.*");
            shell::run(&mut install)?;
            fs::write(&done, "")?;
        }
        Corpus::new("sphinx", folder)
    }

    /// Standard library, django and sympy, compiled by 3.11 and by the newest interpreter there is.
    pub(crate) fn raw(&self) -> Result<Vec<RawCaches>> {
        let mut pythons = vec![("3.11".to_owned(), self.python.clone())];
        pythons.extend(newer_python());
        pythons.into_iter().map(|(name, python)| self.raw_of(&name, python)).collect()
    }

    fn raw_of(&self, name: &str, python: PathBuf) -> Result<RawCaches> {
        let folder = self.folder.join(format!("raw-{name}"));
        let done = folder.join(".done");
        if !done.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            let mut library = Command::new(&python);
            library.args(["-I", "-S", "-B", "-c", COPY_LIBRARY]).arg(folder.join("stdlib"));
            shell::run(&mut library)?;
            super::contender::copy_tree(&self.small.folder, &folder.join("packages"))?;
            let mut compile = Command::new(&python);
            compile.args(["-I", "-m", "compileall", "-q", "-q", "-j", "2"]).arg(&folder);
            // Some test data of the standard library is not to be compiled: status 1.
            compile.status().context("could not start the interpreter")?;
            fs::write(&done, "")?;
        }
        let (files, bytes) = (count(&folder, "pyc")?, size(&folder, "pyc")?);
        if files == 0 {
            bail!("`{}` has no caches", folder.display());
        }
        let name = format!("stdlib + django + sympy, CPython {name}");
        Ok(RawCaches { name, folder, python, files, bytes })
    }
}

/// The newest interpreter on the `PATH` or in the folders of `BYTEKILN_TEST_PYTHONS`.
fn newer_python() -> Option<(String, PathBuf)> {
    let more = std::env::var_os("BYTEKILN_TEST_PYTHONS").unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&more).chain(std::env::split_paths(&path)).collect();
    (12..=15).rev().find_map(|minor| {
        let name = format!("3.{minor}");
        let runs = |program: &PathBuf| {
            program.is_file()
                && shell::read(Command::new(program).args(["-I", "-c", "import zlib"])).is_ok()
        };
        let program =
            folders.iter().map(|folder| folder.join(format!("python{name}"))).find(runs)?;
        Some((name, program))
    })
}

/// `add-det`, from the registry of crates.
fn add_determinism(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("bin/add-det");
    if !program.is_file() {
        eprintln!("building add-determinism {ADD_DETERMINISM}");
        let mut install = shell::cargo();
        install.args(["install", "--quiet", "--locked", "add-determinism", "--version"]);
        shell::run(install.arg(ADD_DETERMINISM).arg("--root").arg(folder))?;
    }
    Ok(program)
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
    for (wheel, name) in WHEELS {
        fetch_wheel(folder, wheel, name)?;
    }
    for name in ["small", "ansible"] {
        remove_metadata(&folder.join(name))?;
    }
    Ok(Corpora {
        small: Corpus::new("django + sympy", folder.join("small"))?,
        ansible: Corpus::new("ansible", folder.join("ansible"))?,
        uv: uv_program(&folder.join("uv"))?,
        add_determinism: add_determinism(&folder.join("add-determinism"))?,
        ruff: tool(folder, "ruff")?.join("bin/ruff"),
        grimp: tool(folder, "grimp")?,
        folder: folder.to_owned(),
        python: python_3_11()?,
    })
}

/// Installs a tool, once; its folder.
pub(crate) fn tool(folder: &Path, name: &str) -> Result<PathBuf> {
    let target = folder.join(name);
    if !target.join(".done").exists() {
        let wanted = TOOLS.iter().find(|(_, tool)| *tool == name).context("no such tool")?;
        eprintln!("fetching {}", wanted.0);
        let mut install = Command::new(fetch_uv(folder)?);
        install.args(["pip", "install", "--quiet", "--python"]).arg(python_3_11()?);
        shell::run(install.arg("--target").arg(&target).arg(wanted.0))?;
        fs::write(target.join(".done"), "")?;
    }
    Ok(target)
}

/// Only uv.
pub(crate) fn fetch_uv(folder: &Path) -> Result<PathBuf> {
    for (wheel, name) in WHEELS.iter().filter(|(_, name)| *name == "uv") {
        fetch_wheel(folder, wheel, name)?;
    }
    uv_program(&folder.join("uv"))
}

/// Downloads and unpacks a wheel, once.
fn fetch_wheel(folder: &Path, wheel: &str, name: &str) -> Result<()> {
    let python = python_3_11()?;
    let done = folder.join(format!(".{}", wheel.split('=').next().unwrap_or(wheel)));
    if done.exists() {
        return Ok(());
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
    Ok(())
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

/// Nothing of a tree of sources is run, and extension modules are most of its bytes.
fn remove_extensions(folder: &Path) -> Result<()> {
    for path in find(folder, "so")? {
        fs::remove_file(path)?;
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

/// CPython 3.11, as `sys.executable` says.
pub(crate) fn python_3_11() -> Result<PathBuf> {
    let code = "import sys; print(sys.executable)";
    let path = shell::read(Command::new("python3.11").args(["-I", "-c", code]))
        .context("the figures are for CPython 3.11")?;
    Ok(PathBuf::from(path.trim_end()))
}

/// How many files below a folder have an extension.
pub(crate) fn count(folder: &Path, extension: &str) -> Result<usize> {
    Ok(find(folder, extension)?.len())
}

/// How many bytes they have.
pub(crate) fn size(folder: &Path, extension: &str) -> Result<u64> {
    let sizes = find(folder, extension)?.into_iter().map(|file| Ok(fs::metadata(file)?.len()));
    sizes.sum()
}

fn find(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("could not read `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    Ok(found)
}
