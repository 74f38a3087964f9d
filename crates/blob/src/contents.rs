//! Modules and data files as they come out of a blob; their bytes are checked when they are asked
//! for. Knows nothing of the index.

use alloc::borrow::{Cow, ToOwned};
use core::fmt;

use crate::digest::digest;
use crate::entry::ModuleKind;
use crate::format::PYC_HEADER_LENGTH;
use crate::name;
use crate::read::BlobError;

/// A module of a blob.
#[derive(Clone, Copy)]
pub struct Module<'a> {
    pub(crate) name: &'a str,
    pub(crate) origin: &'a str,
    pub(crate) kind: ModuleKind,
    pub(crate) pyc: &'a [u8],
    pub(crate) pyc_offset: u64,
    pub(crate) pyc_digest: u64,
    pub(crate) source: Option<&'a [u8]>,
    pub(crate) source_digest: u64,
    pub(crate) magic_number: u16,
}

impl fmt::Debug for Module<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Module { name, kind, .. } = self;
        formatter
            .debug_struct("Module")
            .field("name", name)
            .field("kind", kind)
            .finish_non_exhaustive()
    }
}

impl<'a> Module<'a> {
    /// Its full name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> ModuleKind {
        self.kind
    }

    /// Whether modules can be in it.
    #[must_use]
    pub fn is_package(&self) -> bool {
        self.kind != ModuleKind::Module
    }

    /// The path of its source below an entry of `sys.path`; a namespace package has none.
    #[must_use]
    pub fn origin(&self) -> Option<Cow<'a, str>> {
        match self.kind {
            ModuleKind::Namespace => None,
            _ if !self.origin.is_empty() => Some(Cow::Borrowed(self.origin)),
            kind => Some(Cow::Owned(name::origin(self.name, kind == ModuleKind::Package))),
        }
    }

    /// Its whole `.pyc`, with the header that it was compiled with; empty for a namespace package.
    ///
    /// # Errors
    /// [`BlobError::Damaged`].
    pub fn pyc(&self) -> Result<&'a [u8], BlobError> {
        if self.kind == ModuleKind::Namespace {
            return Ok(self.pyc);
        }
        checked(self.magic_number, self.name, self.pyc, self.pyc_digest)
    }

    /// Its marshalled code object; empty for a namespace package.
    ///
    /// # Errors
    /// [`BlobError::Damaged`].
    pub fn code(&self) -> Result<&'a [u8], BlobError> {
        self.pyc().map(|pyc| pyc.get(PYC_HEADER_LENGTH..).unwrap_or_default())
    }

    /// Where in the blob its marshalled code object begins.
    #[must_use]
    pub fn code_offset(&self) -> u64 {
        self.pyc_offset.saturating_add(PYC_HEADER_LENGTH as u64)
    }

    /// The text of its source, where the blob has it.
    ///
    /// # Errors
    /// [`BlobError::Damaged`].
    pub fn source(&self) -> Result<Option<&'a [u8]>, BlobError> {
        self.source
            .map(|source| checked(self.magic_number, self.name, source, self.source_digest))
            .transpose()
    }
}

/// A data file of a blob.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    pub(crate) path: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) digest: u64,
    pub(crate) magic_number: u16,
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Data").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'a> Data<'a> {
    /// Its path below an entry of `sys.path`.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Its length in bytes, unchecked.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Its content.
    ///
    /// # Errors
    /// [`BlobError::Damaged`].
    pub fn bytes(&self) -> Result<&'a [u8], BlobError> {
        checked(self.magic_number, self.path, self.bytes, self.digest)
    }
}

fn checked<'a>(
    magic_number: u16,
    name: &str,
    bytes: &'a [u8],
    stated: u64,
) -> Result<&'a [u8], BlobError> {
    if digest(magic_number, bytes) == stated {
        Ok(bytes)
    } else {
        Err(BlobError::Damaged(name.to_owned()))
    }
}
