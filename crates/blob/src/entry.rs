//! What goes into a blob, and why it may not.

use alloc::string::String;
use core::fmt;

/// One entry. Namespace packages that hold a module need no entry of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A module or a regular package.
    Module {
        /// Its full name, such as `app.main`; of a package, without `__init__`.
        name: &'a str,
        /// Whether it is a package, that is, compiled from an `__init__.py`.
        package: bool,
        /// Its whole `.pyc`, header included.
        pyc: &'a [u8],
        /// The source's path below its entry of `sys.path`, `/` separated, where it does not follow
        /// from the name (`app/main.py`, `app/__init__.py`).
        origin: Option<&'a str>,
    },
    /// A package without an `__init__.py`, even if nothing is in it.
    Namespace {
        /// Its full name.
        name: &'a str,
    },
    /// The text of a module's source, for `inspect.getsource` and tracebacks.
    Source {
        /// The module's full name; there must be such a module.
        name: &'a str,
        /// The bytes as they are in the file, of whatever encoding it declares.
        text: &'a [u8],
    },
    /// A data file.
    Data {
        /// Its path below its entry of `sys.path`, `/` separated, such as `app/words.txt` or
        /// `app-1.0.dist-info/METADATA`.
        path: &'a str,
        /// Its content.
        bytes: &'a [u8],
    },
}

impl<'a> Entry<'a> {
    /// What entries are ordered by in a blob: modules and namespaces, then sources, then data, each
    /// by the bytes of name or path. So what is needed at start lies together.
    #[must_use]
    pub fn order(&self) -> (u8, &'a str) {
        match *self {
            Entry::Module { name, .. } | Entry::Namespace { name } => (0, name),
            Entry::Source { name, .. } => (1, name),
            Entry::Data { path, .. } => (2, path),
        }
    }
}

/// What a module of a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleKind {
    /// A module that holds no others.
    Module,
    /// A package with an `__init__.py`.
    Package,
    /// A package without one, which has no code.
    Namespace,
}

impl ModuleKind {
    pub(crate) fn as_u8(self) -> u8 {
        match self {
            ModuleKind::Module => 0,
            ModuleKind::Package => 1,
            ModuleKind::Namespace => 2,
        }
    }

    pub(crate) fn from_u8(number: u8) -> Option<ModuleKind> {
        match number {
            0 => Some(ModuleKind::Module),
            1 => Some(ModuleKind::Package),
            2 => Some(ModuleKind::Namespace),
            _ => None,
        }
    }
}

/// Why entries cannot become a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryError {
    /// The cache tag or the level of the target is none.
    Target,
    /// No name that an import can ask for.
    ModuleName(String),
    /// No `/` separated path below a folder.
    Path(String),
    /// A name or path of more than 65,535 bytes; holds its beginning.
    LongName(String),
    /// Two entries of one name or path.
    Duplicate(String),
    /// [`Writer::add`](crate::Writer::add) got it after a later one; see [`Entry::order`].
    OutOfOrder(String),
    /// Lies below `parent`, which is a module or a file and can hold nothing.
    NoParent {
        /// The module or path that cannot be reached.
        name: String,
        /// What is in its way.
        parent: String,
    },
    /// The text of a module that is not there or is a namespace package.
    NoModule(String),
    /// Not a `.pyc`, or one of another release than the target.
    Magic {
        /// The module.
        name: String,
        /// The magic number found, if that is what the `.pyc` begins with.
        found: Option<u16>,
        /// That of the target.
        wanted: u16,
    },
    /// A `.pyc` or source of 4 GiB or more, or more entries or names than a blob can hold.
    TooLarge(String),
}

impl fmt::Display for EntryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EntryError::Target => formatter.write_str(
                "a target needs a cache tag of 1 to 24 letters, digits, `-`, `_` and `.`, and a level of 0 to 2",
            ),
            EntryError::ModuleName(name) => write!(formatter, "`{name}` is no name of a module"),
            EntryError::Path(path) => {
                write!(formatter, "`{path}` is no path below a folder, with `/` between its parts")
            }
            EntryError::LongName(start) => {
                write!(formatter, "`{start}…` is longer than 65535 bytes")
            }
            EntryError::Duplicate(name) => write!(formatter, "`{name}` is there twice"),
            EntryError::OutOfOrder(name) => {
                write!(formatter, "`{name}` comes after an entry that belongs behind it")
            }
            EntryError::NoParent { name, parent } => {
                write!(formatter, "`{name}` cannot be reached: `{parent}` is no package or folder")
            }
            EntryError::NoModule(name) => {
                write!(formatter, "there is a source of `{name}`, but no bytecode")
            }
            EntryError::Magic { name, found: Some(found), wanted } => write!(
                formatter,
                "the bytecode of `{name}` has magic number {found}, the target {wanted}"
            ),
            EntryError::Magic { name, found: None, .. } => {
                write!(formatter, "what is given as bytecode of `{name}` is no `.pyc`")
            }
            EntryError::TooLarge(name) => {
                write!(formatter, "`{name}` is more than a blob can hold")
            }
        }
    }
}

impl core::error::Error for EntryError {}
