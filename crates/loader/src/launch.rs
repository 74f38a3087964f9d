//! How the interpreter is started, as far as importing depends on it. Knows nothing of how these
//! facts are learnt.

use std::collections::BTreeMap;

use bytekiln_python::Release;

/// `--check-hash-based-pycs`: whether the source of a hash-based cache is hashed (PEP 552).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashCheck {
    /// Of checked caches only.
    Default,
    /// Of all.
    Always,
    /// Of none.
    Never,
}

/// What comes before any entry of `sys.path` that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Compiled into the interpreter (`sys.builtin_module_names`).
    BuiltIn,
    /// Frozen into it: from 3.11 `os`, `abc`, `codecs` and others.
    Frozen,
    /// The standard library, where it stands before the entries given, as before `site-packages`.
    StandardLibrary,
}

/// A start of an interpreter.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The release: magic number, source hash, habits of its importers.
    pub release: Release,
    /// `sys.implementation.cache_tag`; `None`: it neither reads nor writes `__pycache__`.
    pub cache_tag: Option<String>,
    /// `sys.flags.optimize`: 1 for `-O`, 2 for `-OO`, and `-OOO` really is 3.
    pub optimize: u8,
    /// `--check-hash-based-pycs`.
    pub hash_check: HashCheck,
    /// Suffixes of extension modules in their order, such as `.abi3.so` (`EXTENSION_SUFFIXES`).
    pub extension_suffixes: Vec<String>,
    /// Top-level modules that are found before anything in the tree.
    pub earlier: BTreeMap<String, Earlier>,
}
