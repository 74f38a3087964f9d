//! What a compilation is to do, from its arguments. Reads manifests and identities, and no source.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytekiln_action::{CompileFlags, RepoPath};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_python::{InvalidationMode, OptimizationLevel, cache_file_name, legacy_file_name};

use super::base::{Base, is_inside};
use super::entries::{self, Entry};
use super::identity::Expectation;
use super::manifest;
use super::parameters::read;
use crate::arguments::{CompileArguments, TreeLayout};
use crate::failure::CommandFailure;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct CompileOrder {
    pub(super) entries: Vec<Entry>,
    /// Executable of the interpreter.
    pub(crate) python: PathBuf,
    /// As named, for the depfile.
    pub(super) python_as_named: PathBuf,
    pub(crate) expectation: Expectation,
    pub(super) level: OptimizationLevel,
    pub(super) mode: InvalidationMode,
    pub(crate) flags: CompileFlags,
    pub(super) out_dir: Option<PathBuf>,
    layout: TreeLayout,
    pub(super) out_manifest: Option<PathBuf>,
    pub(super) out_report: Option<PathBuf>,
    pub(super) depfile: Option<PathBuf>,
    pub(super) touch: bool,
    /// Files besides sources that were read, as named.
    pub(super) also_read: Vec<PathBuf>,
    /// The cache, if one is wanted.
    pub(crate) cache_dir: Option<PathBuf>,
    pub(super) jobs: NonZeroUsize,
    pub(super) timeout: Duration,
}

/// Where all outputs go.
#[derive(Debug)]
pub(super) struct Placement {
    /// For [`bytekiln_executor::Work`]; number 0 is the base.
    pub(super) roots: Vec<PathBuf>,
    /// By entry.
    pub(super) outputs: Vec<Placed>,
}

/// Where one output goes.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) place: OutputPath,
    /// As the caller reaches it.
    pub(super) shown: PathBuf,
    /// Its name in the tree, if it is in one.
    pub(super) name: Option<RepoPath>,
}

impl CompileOrder {
    /// Understands the arguments. `also_read` are parameter files that they came from.
    pub(crate) fn new(
        arguments: &CompileArguments,
        mut also_read: Vec<PathBuf>,
        base: &Base,
    ) -> Result<CompileOrder, CommandFailure> {
        let mut all = Vec::with_capacity(arguments.entries.len());
        for text in &arguments.entries {
            all.push(entries::parse(text)?);
        }
        for path in &arguments.manifest {
            all.extend(manifest::parse(&read(path, base)?, path)?);
            also_read.push(path.clone());
        }
        let (compiler, python) = (&arguments.expect_compiler, &arguments.expect_python);
        for file in [compiler, python].into_iter().flatten() {
            also_read.extend(file.strip_prefix('@').map(PathBuf::from));
        }
        let expectation = Expectation::read(compiler.as_deref(), python.as_deref(), base)?;
        let Some(python) = &arguments.python else {
            return Err(CommandFailure::usage("no interpreter is named")
                .hint("name one with --python PATH: nothing is taken from PATH or the workspace"));
        };
        let level = OptimizationLevel::from_u8(arguments.optimize);
        let mode = InvalidationMode::parse(&arguments.invalidation_mode);
        let (Some(level), Some(mode)) = (level, mode) else {
            return Err(CommandFailure::usage("no such level or mode"));
        };
        let by_products = [&arguments.out_manifest, &arguments.out_report, &arguments.depfile];
        for path in by_products.into_iter().flatten() {
            base.resolve(path)?;
        }
        Ok(CompileOrder {
            entries: all,
            python: base.resolve_tool(python),
            python_as_named: python.clone(),
            expectation,
            level,
            mode,
            flags: CompileFlags { debug_ranges: !arguments.no_debug_ranges },
            out_dir: arguments.out_dir.clone(),
            layout: arguments.layout,
            out_manifest: arguments.out_manifest.clone(),
            out_report: arguments.out_report.clone(),
            depfile: arguments.depfile.clone(),
            touch: arguments.touch,
            also_read,
            cache_dir: arguments.cache_dir.as_ref().map(|path| base.resolve_tool(path)),
            jobs: arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism),
            timeout: Duration::from_secs(arguments.timeout),
        })
    }

    /// One compiler, unless more are asked for: a build tool counts an action as one.
    pub(crate) fn limit_jobs(&mut self, asked: Option<NonZeroUsize>) {
        self.jobs = asked.unwrap_or(NonZeroUsize::MIN);
    }

    /// Where outputs go, for an interpreter with this cache tag.
    ///
    /// # Errors
    /// An output without a place, two of one place, or one outside of the base.
    pub(super) fn placement(&self, tag: &str, base: &Base) -> Result<Placement, CommandFailure> {
        let mut roots = Roots::new(base);
        let tree = match &self.out_dir {
            Some(folder) => Some((folder, roots.number(base.resolve(folder)?)?)),
            None => None,
        };
        let mut outputs: Vec<Placed> = Vec::with_capacity(self.entries.len());
        let mut taken: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            base.resolve(&entry.source)?;
            let placed = match (&entry.output, &tree) {
                (Some(output), _) => self.explicit(output, base, &mut roots)?,
                (None, Some((folder, root))) => {
                    let name = self.tree_name(entry, tag)?;
                    let shown = folder.join(path_of(&name));
                    let place = OutputPath { root: *root, path: name.clone() };
                    Placed { place, shown, name: Some(name) }
                }
                (None, None) => {
                    let source = entry.source.display();
                    return Err(CommandFailure::usage(format!("`{source}` has no output"))
                        .hint("write SOURCE=RECORDED=OUTPUT, or name a tree with --out-dir"));
                }
            };
            let first = taken.insert(placed.shown.clone(), index);
            if let Some(first) = first.and_then(|first| self.entries.get(first)) {
                return Err(CommandFailure::usage(format!(
                    "`{}` and `{}` have one output, `{}`",
                    first.source.display(),
                    entry.source.display(),
                    placed.shown.display()
                )));
            }
            outputs.push(placed);
        }
        Ok(Placement { roots: roots.folders, outputs })
    }

    fn explicit(
        &self,
        output: &Path,
        base: &Base,
        roots: &mut Roots,
    ) -> Result<Placed, CommandFailure> {
        let resolved = base.resolve(output)?;
        let shown = output.to_owned();
        if is_inside(output) {
            let inside: PathBuf = output.components().filter(is_name).collect();
            if let Some(path) = repo_path(&inside).filter(|path| !path.is_root()) {
                return Ok(Placed {
                    place: OutputPath { root: RootId(0), path },
                    shown,
                    name: None,
                });
            }
        }
        let name = resolved.file_name().and_then(|name| repo_path(Path::new(name)));
        let (Some(folder), Some(path)) = (resolved.parent(), name) else {
            return Err(CommandFailure::usage(format!("`{}` is no file", output.display())));
        };
        let root = roots.number(folder.to_owned())?;
        Ok(Placed { place: OutputPath { root, path }, shown, name: None })
    }

    fn tree_name(&self, entry: &Entry, tag: &str) -> Result<RepoPath, CommandFailure> {
        let recorded = String::from_utf8_lossy(&entry.recorded);
        let path = RepoPath::new(&entry.recorded).filter(|path| !path.is_root());
        let Some(path) = path else {
            return Err(CommandFailure::usage(format!(
                "`{recorded}` is no place in the tree of outputs"
            ))
            .hint("record a relative path without `.` and `..`, or give the output a path"));
        };
        if !path.file_name().ends_with(b".py") {
            return Err(CommandFailure::usage(format!(
                "`{recorded}` is not called like a module (`.py`)"
            ))
            .hint("only modules have caches that are found by name; give the output a path"));
        }
        let folder = path.parent().unwrap_or_default();
        Ok(match self.layout {
            TreeLayout::Pycache => {
                folder.join(b"__pycache__").join(&cache_file_name(path.stem(), tag, self.level))
            }
            TreeLayout::Sourceless => folder.join(&legacy_file_name(path.stem())),
        })
    }
}

/// Folders that outputs are below, each once.
struct Roots {
    folders: Vec<PathBuf>,
    numbers: BTreeMap<PathBuf, RootId>,
}

impl Roots {
    fn new(base: &Base) -> Roots {
        Roots { folders: vec![base.folder().to_owned()], numbers: BTreeMap::new() }
    }

    fn number(&mut self, folder: PathBuf) -> Result<RootId, CommandFailure> {
        if let Some(number) = self.numbers.get(&folder) {
            return Ok(*number);
        }
        let number = u16::try_from(self.folders.len()).map(RootId).map_err(|_| {
            CommandFailure::usage("outputs in more than 65,535 folders")
                .hint("name outputs relative to the current folder, or a tree with --out-dir")
        })?;
        self.folders.push(folder.clone());
        self.numbers.insert(folder, number);
        Ok(number)
    }
}

fn is_name(component: &std::path::Component<'_>) -> bool {
    matches!(component, std::path::Component::Normal(_))
}

fn repo_path(path: &Path) -> Option<RepoPath> {
    use std::os::unix::ffi::OsStrExt as _;
    RepoPath::new(path.as_os_str().as_bytes())
}

fn path_of(path: &RepoPath) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(path.as_bytes()).into()
}
