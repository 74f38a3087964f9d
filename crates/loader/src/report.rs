//! What becomes of a module at import, and why. Knows nothing of how that is shown.

use crate::{Earlier, FileId};

/// One module, or one file that no import touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleReport {
    /// Dotted name, as bytes of the file names; of a file that no import touches, its path.
    pub name: Vec<u8>,
    /// What the module is imported from: its source if that is looked at, else its cache or
    /// extension module; or the file that no import touches.
    pub file: FileId,
    /// The cache that the verdict is about.
    pub cache: Option<FileId>,
    /// What happens.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// Bytes of source that are compiled.
    pub compiled_bytes: u64,
}

/// What an import does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Raises this instead of giving a module.
    Fails(Exception),
    /// Loads a cache of another text than the source beside it.
    RunsOldCode,
    /// Compiles the source, at every start for as long as it cannot write a cache.
    Compiles,
    /// Nothing: the file is never looked at.
    NotUsed,
    /// Loads without compiling.
    Loads,
}

/// The exception of a failing import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exception {
    /// `EOFError`.
    EofError,
    /// `ImportError`, in zips its subclass `ZipImportError`.
    ImportError,
    /// `ModuleNotFoundError`.
    ModuleNotFoundError,
    /// `TypeError`.
    TypeError,
    /// It depends on the bytes; CPython may even crash.
    Unpredictable,
}

impl Exception {
    /// Its name in Python.
    pub fn as_str(self) -> &'static str {
        match self {
            Exception::EofError => "EOFError",
            Exception::ImportError => "ImportError",
            Exception::ModuleNotFoundError => "ModuleNotFoundError",
            Exception::TypeError => "TypeError",
            Exception::Unpredictable => "an exception",
        }
    }
}

/// What stands before a file that is never imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowKind {
    /// A regular package of the same name.
    Package,
    /// An extension module of the same name.
    Extension,
    /// A module of the same name, before a folder without `__init__`.
    Module,
    /// The same name in an earlier entry of `sys.path`.
    EarlierPath,
    /// A module that the interpreter finds before `sys.path`, or early in it.
    Interpreter(Earlier),
}

/// What a file is shadowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadow {
    /// What it is.
    pub kind: ShadowKind,
    /// Where it is, if in the tree.
    pub by: Option<FileId>,
}

/// Why an import does what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The cache matches.
    Matches,
    /// It is an extension module.
    ExtensionModule,
    /// The cache matches and records this absolute path of another place, which tracebacks will
    /// show, because only the loader of sources in folders repairs it.
    ForeignPath(Vec<u8>),
    /// There is no cache.
    NoCache,
    /// This interpreter has no cache tag and looks for no cache.
    NoCacheTag,
    /// The source's time is another one: as recorded (modulo 2^32), as it is.
    StaleTime {
        /// In the cache.
        recorded: u32,
        /// Of the source.
        actual: i64,
    },
    /// The source's size is another one.
    StaleSize {
        /// In the cache, modulo 2^32.
        recorded: u32,
        /// Of the source.
        actual: u64,
    },
    /// The source's hash is another one.
    StaleHash,
    /// The first bytes (at most four) are no magic number of this release.
    WrongMagic(Vec<u8>),
    /// There are only caches of other interpreters: their tags.
    OtherInterpreters(Vec<String>),
    /// There are only caches of other levels.
    OtherLevels(Vec<u8>),
    /// Header flags that PEP 552 does not define.
    BadFlags(u32),
    /// The file ends within its header, after so many bytes.
    ShortHeader(usize),
    /// The file ends within the code object.
    TruncatedBody,
    /// What follows the header cannot be unmarshalled; says why.
    DamagedBody(String),
    /// What follows the header is no code object.
    NotCode,
    /// Nobody checks this hash-based cache, and the source's hash is another one.
    UncheckedChanged,
    /// The cache is in a `__pycache__` of a zip, where `zipimport` never looks.
    CacheFolderInZip,
    /// The cache is in a `__pycache__`, but `sys.pycache_prefix` is set.
    CacheOutsidePrefix,
    /// `m.pyc` beside `m.py` in a folder: only `__pycache__` counts.
    LegacyBesideSource,
    /// An extension module in a zip.
    ExtensionInZip,
    /// Below a folder without `__init__` that has no entry of its own in the zip: up to 3.13 it
    /// makes no namespace package.
    NoFolderEntry,
    /// The zip has more entries than `zipimport` before 3.13 can read: it finds none.
    ZipTooLarge,
    /// Something else has this name.
    ShadowedBy(Shadow),
    /// A cache in `__pycache__` without a source.
    NoSource,
    /// The system or the archive refuses to give the bytes.
    Unreadable(String),
    /// The name is none that an `import` statement takes: a script.
    NoModuleName,
}

/// One word for a verdict, for tables and `--allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Old code runs although the source has changed.
    UncheckedOverChanged,
    /// The file ends too early.
    Truncated,
    /// The file holds no code object.
    Damaged,
    /// It could not be read.
    Unreadable,
    /// Made by another release.
    WrongMagic,
    /// Undefined header flags.
    BadFlags,
    /// Time, size or hash of the source differ.
    Stale,
    /// Made for another `-O`.
    WrongLevel,
    /// Where the importer does not look.
    Ignored,
    /// No cache.
    Missing,
    /// Something else of the same name comes first.
    Shadowed,
    /// A cache without a source.
    Orphan,
    /// Loads, and shows a path of another place.
    ForeignPath,
    /// No module at all.
    Script,
    /// As it should be.
    Loaded,
}

impl Class {
    /// All, worst first.
    pub const ALL: [Class; 15] = [
        Class::UncheckedOverChanged,
        Class::Truncated,
        Class::Damaged,
        Class::Unreadable,
        Class::WrongMagic,
        Class::BadFlags,
        Class::Stale,
        Class::WrongLevel,
        Class::Ignored,
        Class::Missing,
        Class::Shadowed,
        Class::Orphan,
        Class::ForeignPath,
        Class::Script,
        Class::Loaded,
    ];

    /// As in `--allow` and JSON: `wrong-magic`.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::UncheckedOverChanged => "unchecked-over-changed",
            Class::Truncated => "truncated",
            Class::Damaged => "damaged",
            Class::Unreadable => "unreadable",
            Class::WrongMagic => "wrong-magic",
            Class::BadFlags => "bad-flags",
            Class::Stale => "stale",
            Class::WrongLevel => "wrong-level",
            Class::Ignored => "ignored",
            Class::Missing => "missing",
            Class::Shadowed => "shadowed",
            Class::Orphan => "orphan",
            Class::ForeignPath => "foreign-path",
            Class::Script => "script",
            Class::Loaded => "loaded",
        }
    }

    /// The inverse of [`Class::as_str`].
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

impl Reason {
    /// The word for it.
    pub fn class(&self) -> Class {
        match self {
            Reason::Matches | Reason::ExtensionModule => Class::Loaded,
            Reason::ForeignPath(_) => Class::ForeignPath,
            Reason::NoCache | Reason::NoCacheTag => Class::Missing,
            Reason::StaleTime { .. } | Reason::StaleSize { .. } | Reason::StaleHash => Class::Stale,
            Reason::WrongMagic(_) | Reason::OtherInterpreters(_) => Class::WrongMagic,
            Reason::OtherLevels(_) => Class::WrongLevel,
            Reason::BadFlags(_) => Class::BadFlags,
            Reason::ShortHeader(_) | Reason::TruncatedBody => Class::Truncated,
            Reason::DamagedBody(_) | Reason::NotCode => Class::Damaged,
            Reason::UncheckedChanged => Class::UncheckedOverChanged,
            Reason::CacheFolderInZip
            | Reason::CacheOutsidePrefix
            | Reason::LegacyBesideSource
            | Reason::ExtensionInZip
            | Reason::NoFolderEntry
            | Reason::ZipTooLarge => Class::Ignored,
            Reason::ShadowedBy(_) => Class::Shadowed,
            Reason::NoSource => Class::Orphan,
            Reason::Unreadable(_) => Class::Unreadable,
            Reason::NoModuleName => Class::Script,
        }
    }
}

impl ModuleReport {
    /// The word for it.
    pub fn class(&self) -> Class {
        self.reason.class()
    }

    /// Whether an import is worse off than with a good cache.
    pub fn is_fault(&self) -> bool {
        matches!(self.effect, Effect::Fails(_) | Effect::RunsOldCode | Effect::Compiles)
    }
}
