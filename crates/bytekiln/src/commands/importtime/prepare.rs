//! Makes what the ways of a start need, once it is known what the program loads: trees of caches, and trees
//! and zips of the program itself. Starts nothing of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytekiln_python::InvalidationMode;
use bytekiln_startup::{Loaded, Origin, Verbose};

use super::caches::{Making, Tree, make};
use super::gather::{Gathering, gather};
use super::home::Building;
use super::process::Run;
use super::runner::Runner;
use super::variant::{Place, Variant};
use super::zips::Zips;
use crate::failure::CommandFailure;
use crate::interrupt;

/// Below their prefixes lie the caches that we make; trees and zips get theirs from there.
const MADE: [Variant; 2] = [Variant::Checked, Variant::Unchecked];

impl Runner<'_> {
    /// Makes all that the variants need, of what was seen to be loaded and the zips that it came from.
    pub(super) fn prepare(
        &mut self,
        seen: &Verbose,
        zips: &Zips,
        problems: &mut Vec<String>,
    ) -> Result<(), CommandFailure> {
        let moves = self.plan.variants.iter().any(|variant| !variant.is_usual());
        let unpacked = match moves {
            true => zips.unpack(&self.folder.join("unpacked")).map_err(|error| {
                CommandFailure::environment(format!("a zip could not be unpacked: {error}"))
            })?,
            false => BTreeMap::new(),
        };
        let seen = self.in_folders(seen, &unpacked);
        self.make_trees(&seen, problems)?;
        if moves {
            self.make_homes(&seen, &unpacked, problems)?;
        }
        Ok(())
    }

    /// The same modules without those that are in a zip, or where that was unpacked to.
    fn in_folders(&self, seen: &Verbose, unpacked: &BTreeMap<PathBuf, PathBuf>) -> Verbose {
        let mut seen = seen.clone();
        let folder = &self.plan.program.folder;
        seen.modules.retain(|_, loaded| {
            let file = loaded.file.as_ref().filter(|_| loaded.zipped);
            let Some(path) = file.map(|file| folder.join(file)) else { return !loaded.zipped };
            let below = unpacked
                .iter()
                .find_map(|(zip, into)| Some(into.join(path.strip_prefix(zip).ok()?)));
            loaded.zipped = false;
            loaded.file = below.map(|below| below.display().to_string());
            loaded.file.is_some()
        });
        // What is run from a zip is named nowhere.
        let main = self.plan.program.script.as_ref().and_then(|script| unpacked.get(script));
        if let Some(main) =
            main.map(|folder| folder.join("__main__.py")).filter(|one| one.is_file())
        {
            let file = Some(main.display().to_string());
            seen.others.push(Loaded { origin: Origin::Compiled, file, zipped: false });
        }
        seen
    }

    /// A zip on the path makes the standard library load modules that were not seen before; they get
    /// caches as the others did. Whether there were any.
    pub(super) fn complete(
        &self,
        variant: Variant,
        run: &Run,
        problems: &mut Vec<String>,
    ) -> Result<bool, CommandFailure> {
        let prefix = variant.prefix().filter(|_| variant.place() == Place::Zip);
        let folder = prefix.map(|prefix| self.folder.join(prefix.id()));
        let mut trees = self.trees()?;
        trees.retain(|tree| Some(&tree.folder) == folder.as_ref());
        let mut verbose = Verbose::parse(&run.captured.lines);
        verbose.modules.retain(|_, one| one.origin == Origin::Compiled && !one.zipped);
        let mut sources = self.sources(&verbose);
        sources.retain(|source| trees.iter().any(|tree| tree.holds(source)));
        if sources.is_empty() {
            return Ok(false);
        }
        problems.extend(self.compile(&trees, &sources));
        Ok(true)
    }

    /// What has caches of ours below a prefix.
    fn trees(&self) -> Result<Vec<Tree>, CommandFailure> {
        let variants = &self.plan.variants;
        let mut trees = Vec::new();
        for variant in MADE {
            let Some(mode) = variant.mode() else { continue };
            if variants.iter().any(|one| one.mode() == Some(mode)) {
                trees.push(Tree { folder: self.folder.join(variant.id()), mode, only: None });
            }
        }
        let is_without = |variant: &Variant| variant.prefix() == Some(Variant::None);
        if self.plan.library_cached && variants.iter().any(is_without) {
            trees.push(Tree {
                folder: self.folder.join(Variant::None.id()),
                mode: InvalidationMode::UncheckedHash,
                only: Some(self.library()?),
            });
        }
        Ok(trees)
    }

    fn make_trees(&self, seen: &Verbose, problems: &mut Vec<String>) -> Result<(), CommandFailure> {
        let trees = self.trees()?;
        for tree in &trees {
            std::fs::create_dir_all(&tree.folder).map_err(|error| {
                let folder = tree.folder.display();
                CommandFailure::environment(format!("`{folder}` could not be made: {error}"))
            })?;
        }
        let sources = self.sources(seen);
        if trees.is_empty() || sources.is_empty() {
            return Ok(());
        }
        let message = format!("{} sources that it loads, into trees apart", sources.len());
        self.plan.terminal.status("Compiling", message);
        problems.extend(self.compile(&trees, &sources));
        Ok(())
    }

    fn compile(&self, trees: &[Tree], sources: &[PathBuf]) -> Vec<String> {
        let making = Making {
            sources,
            interpreter: &self.plan.program.interpreter,
            level: self.level(),
            folder: &self.plan.program.folder,
            environment: self.plan.environment,
            jobs: self.plan.jobs,
            cancel: &interrupt::CANCEL,
        };
        make(trees, &making)
    }

    /// Trees and zips. One that cannot be made is a problem of that way alone.
    fn make_homes(
        &mut self,
        seen: &Verbose,
        unpacked: &BTreeMap<PathBuf, PathBuf>,
        problems: &mut Vec<String>,
    ) -> Result<(), CommandFailure> {
        let library = self.library()?;
        let program = self.plan.program;
        let script = program.script.as_ref().filter(|_| self.plan.is_folder_or_zip());
        let script = script.map(|script| unpacked.get(script).unwrap_or(script));
        let words = &program.arguments;
        let is_module = words.first().is_some_and(|first| first == "-m");
        let module = words.get(1).and_then(|module| module.to_str()).filter(|_| is_module);
        for place in [Place::Tree, Place::Zip] {
            let variants = self.plan.variants.iter().filter(|variant| variant.place() == place);
            let variants: Vec<Variant> = variants.copied().collect();
            let Some(first) = variants.first() else { continue };
            let gathering = Gathering {
                seen,
                folder: &program.folder,
                script: script.map(PathBuf::as_path),
                module,
                library: &library,
                place,
            };
            let gathered = match gather(&gathering) {
                Ok(gathered) => gathered,
                Err(error) => {
                    problems.push(format!("{}: {error}", first.title()));
                    continue;
                }
            };
            if !gathered.left_out.is_empty() {
                let names: Vec<&str> = gathered.left_out.iter().map(String::as_str).collect();
                problems.push(format!(
                    "not in a zip, since they have extension modules: {}",
                    names.join(", ")
                ));
            }
            let count = gathered.files.len();
            let what = if place == Place::Zip { "zips" } else { "trees" };
            self.plan.terminal.status("Packing", format!("{count} files of it into {what}"));
            for variant in variants {
                let caches = MADE.into_iter().find(|made| made.mode() == variant.mode());
                let caches = caches.map(|made| self.folder.join(made.id()));
                let suffix = if place == Place::Zip { ".zip" } else { "" };
                let building = Building {
                    gathered: &gathered,
                    place,
                    path: self.folder.join(format!("{}{suffix}", variant.id())),
                    caches: caches.as_deref(),
                    interpreter: &program.interpreter,
                    level: self.level(),
                    jobs: self.plan.jobs,
                    unpacked,
                };
                match building.build() {
                    Ok(home) => {
                        self.homes.insert(variant, home);
                    }
                    Err(error) => problems.push(format!("{}: {error}", variant.title())),
                }
            }
        }
        Ok(())
    }

    /// Sources that were compiled or whose cache was read, by path.
    fn sources(&self, seen: &Verbose) -> Vec<PathBuf> {
        let all = seen.modules.values().chain(&seen.others);
        let is_source = |origin| matches!(origin, Origin::Cache | Origin::Compiled | Origin::Stale);
        let files =
            all.filter(|loaded| is_source(loaded.origin)).filter_map(|one| one.file.as_ref());
        let mut sources: Vec<PathBuf> = files
            .filter(|file| file.ends_with(".py"))
            .map(|file| self.plan.program.folder.join(file))
            .collect();
        sources.sort();
        sources.dedup();
        sources
    }

    /// Where the standard library lies.
    fn library(&self) -> Result<PathBuf, CommandFailure> {
        let executable = &self.plan.program.interpreter.executable;
        let script = "import os; print(os.path.dirname(os.__file__))";
        let output = std::process::Command::new(executable)
            .args(["-I", "-S", "-B", "-c", script])
            .current_dir("/")
            .output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        match text {
            Ok(text) if text.starts_with('/') => Ok(PathBuf::from(text)),
            _ => Err(CommandFailure::environment(format!(
                "`{}` did not say where its standard library is",
                executable.display()
            ))),
        }
    }
}
