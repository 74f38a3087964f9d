//! `[[artifact]]`: what is to be packed, as a manifest says it. Knows nothing of how it is done.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::Which;
use bytekiln_python::{InvalidationMode, OptimizationLevel};

use super::InterpreterSpec;
use crate::path::normalize;

/// One thing to pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactRule {
    /// As `pack` calls it; no two have one name.
    pub name: String,
    /// What becomes of it.
    pub kind: ArtifactKind,
    /// Where, as written: absolute, or relative to the workspace. `None`: `dist/NAME` with the
    /// kind's suffix.
    pub out: Option<PathBuf>,
    /// How its bytecode is compiled.
    pub target: ArtifactTarget,
    /// Names of the members in it; empty means all.
    pub members: Vec<String>,
    /// Folders of installed packages (`site-packages`, or the virtual environment around it) that
    /// go into it, as written.
    pub dependencies: Vec<PathBuf>,
    /// Globs over paths in the artifact, below its `root`, of what stays out.
    pub exclude: Vec<String>,
    /// What goes without its source.
    pub sourceless: SourcelessRule,
    /// Globs over paths in the artifact of sources that stay where others go.
    pub keep_source: Vec<String>,
    /// Whether there is any bytecode in it.
    pub bytecode: bool,
    /// Where bytecode lies.
    pub layout: ArtifactLayout,
    /// Where files of the workspace lie.
    pub arrangement: Arrangement,
    /// Folder in the artifact below which everything lies; the root for itself.
    pub root: RepoPath,
    /// Which modules get bytecode.
    pub selection: SelectionRule,
    /// `package.module:function` that a `__main__` calls.
    pub main: Option<String>,
    /// What follows `#!` before a zip.
    pub shebang: Option<String>,
    /// How contents are compressed.
    pub compression: Option<CompressionSetting>,
    /// How hard, as the method counts.
    pub compression_level: Option<u32>,
    /// User and group of everything in a layer.
    pub owner: (u32, u32),
    /// `org.opencontainers.image.ref.name` of a layer's image.
    pub tag: Option<String>,
    /// The wheel that is taken: a path or a glob, relative to the workspace.
    pub wheel: Option<String>,
    /// Of the wheel that is made.
    pub build_tag: Option<String>,
    /// The finished environment that is compiled in place.
    pub site: Option<PathBuf>,
    /// And the standard library of its interpreter.
    pub standard_library: bool,
    /// Sources are in the blob beside their code.
    pub embed_source: bool,
    /// A statement of where everything came from is written beside it.
    pub provenance: bool,
    /// Its keys with their values as they are written, in TOML.
    pub written: BTreeMap<String, String>,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

impl ArtifactRule {
    /// Where it goes, as messages have it: what is written, or the default.
    pub fn shown_out(&self) -> Option<PathBuf> {
        self.out(Path::new("")).map(|out| self.out.clone().unwrap_or(out))
    }

    /// Where it goes, absolute; `None` for what is changed in place.
    pub fn out(&self, workspace: &Path) -> Option<PathBuf> {
        let suffix = match self.kind {
            ArtifactKind::Site => return None,
            ArtifactKind::Tree | ArtifactKind::Layer => "",
            ArtifactKind::Zip => ".zip",
            ArtifactKind::Zipapp => ".pyz",
            ArtifactKind::RustBlob => ".pyblob",
            // A folder: the name of a wheel says what is in it.
            ArtifactKind::Wheel => "",
        };
        let default = || PathBuf::from(format!("dist/{}{suffix}", self.name));
        Some(normalize(workspace, &self.out.clone().unwrap_or_else(default)))
    }
}

/// How the bytecode of an artifact is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactTarget {
    /// The profile whose settings are taken.
    pub profile: String,
    /// Interpreters instead of the profile's; empty means the profile's.
    pub interpreters: Vec<InterpreterSpec>,
    /// Levels instead of the profile's; empty means the profile's.
    pub levels: Vec<OptimizationLevel>,
    /// Mode: unless it is said, unchecked-hash for what cannot change, else checked-hash.
    pub mode: InvalidationMode,
}

/// Kinds of artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactKind {
    /// A folder to be deployed.
    Tree,
    /// A zip for `sys.path`.
    Zip,
    /// A zip that is a program.
    Zipapp,
    /// A wheel with bytecode in it.
    Wheel,
    /// An OCI image layout with one layer.
    Layer,
    /// A finished environment, compiled in place.
    Site,
    /// All bytecode in one file, to be embedded.
    RustBlob,
}

impl ArtifactKind {
    /// With their names in manifests.
    pub const ALL: [(&'static str, ArtifactKind); 7] = [
        ("tree", ArtifactKind::Tree),
        ("zip", ArtifactKind::Zip),
        ("zipapp", ArtifactKind::Zipapp),
        ("wheel", ArtifactKind::Wheel),
        ("layer", ArtifactKind::Layer),
        ("site", ArtifactKind::Site),
        ("rust-blob", ArtifactKind::RustBlob),
    ];

    /// Its name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            ArtifactKind::Tree => "tree",
            ArtifactKind::Zip => "zip",
            ArtifactKind::Zipapp => "zipapp",
            ArtifactKind::Wheel => "wheel",
            ArtifactKind::Layer => "layer",
            ArtifactKind::Site => "site",
            ArtifactKind::RustBlob => "rust-blob",
        }
    }

    /// Whether it is put together from members, dependencies and their files.
    pub fn is_assembled(self) -> bool {
        match self {
            ArtifactKind::Tree
            | ArtifactKind::Zip
            | ArtifactKind::Zipapp
            | ArtifactKind::Layer
            | ArtifactKind::RustBlob => true,
            ArtifactKind::Wheel | ArtifactKind::Site => false,
        }
    }
}

/// Where bytecode lies in an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactLayout {
    /// `__pycache__/m.TAG.pyc`.
    Pycache,
    /// `m.pyc` beside `m.py`.
    Legacy,
    /// A `PYTHONPYCACHEPREFIX` tree.
    Prefix {
        /// Its folder in the artifact.
        folder: RepoPath,
        /// Where the artifact lies when the program runs.
        deploy_root: PathBuf,
    },
}

/// Where files of the workspace lie in an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// Below their import roots, all in one folder: an entry of `sys.path`.
    Flat,
    /// As in the workspace.
    Workspace,
}

/// Which modules get bytecode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionRule {
    /// Modules whose closure does; empty means all modules.
    pub entry: Vec<String>,
    /// Imports that the closure follows.
    pub imports: Which,
    /// So many bytes of bytecode at most.
    pub budget: Option<u64>,
    /// Modules beyond the closure stay out, with their sources.
    pub reachable_only: bool,
}

/// What goes without its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcelessRule {
    /// Nothing.
    Nothing,
    /// All that can.
    Everything,
    /// What these name: globs over paths in the artifact, and members.
    Some(Vec<SourcelessPart>),
}

/// A part that goes without its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcelessPart {
    /// A glob over paths in the artifact.
    Glob(String),
    /// A member.
    Member(String),
}

/// How contents are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionSetting {
    /// Not at all.
    None,
    /// Zips: each entry.
    Deflate,
    /// Layers.
    Gzip,
    /// Layers.
    Zstd,
}
