//! A blob's bytes to modules and data files. All that the index says is checked when it is parsed.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use crate::contents::{Data, Module};
use crate::digest::digest;
use crate::entry::ModuleKind;
use crate::format::{self, HEAD_LENGTH, MAGIC, PYC_HEADER_LENGTH, VERSION, data, module, tail};
use crate::name;
use crate::target::Target;

/// Why bytes are no blob, or not all of one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobError {
    /// They do not begin as a blob does.
    NotABlob,
    /// A blob of another version of the format.
    Version(u32),
    /// Not as long as the blob says it is, or too short to say.
    Length,
    /// The index is not the one that was written.
    Index,
    /// The index is the one that was written, but breaks a rule of the format.
    Malformed(&'static str),
    /// The bytes of this module or data file are not those that were written.
    Damaged(String),
}

impl fmt::Display for BlobError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BlobError::NotABlob => formatter.write_str("this is no blob of Bytekiln"),
            BlobError::Version(version) => write!(
                formatter,
                "a blob of version {version}, where this reads version {VERSION}: pack it again \
                 with the release that reads it"
            ),
            BlobError::Length => formatter.write_str("the blob is cut off or has bytes after it"),
            BlobError::Index => {
                formatter.write_str("the index of the blob is damaged: its digest does not match")
            }
            BlobError::Malformed(what) => write!(formatter, "the blob is malformed: {what}"),
            BlobError::Damaged(name) => {
                write!(formatter, "`{name}` in the blob is damaged: its digest does not match")
            }
        }
    }
}

impl core::error::Error for BlobError {}

/// A blob whose index was found to be whole.
#[derive(Clone, Copy)]
pub struct Blob<'a> {
    bytes: &'a [u8],
    target: Target<'a>,
    modules: &'a [[u8; module::LENGTH]],
    data: &'a [[u8; data::LENGTH]],
    names: &'a [u8],
    index_offset: usize,
    digest: u64,
}

impl fmt::Debug for Blob<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Blob")
            .field("target", &self.target)
            .field("modules", &self.modules.len())
            .field("data", &self.data.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Blob<'a> {
    /// Reads the index of a blob. Time is linear in the length of the index; nothing is copied.
    ///
    /// # Errors
    /// All of [`BlobError`] but [`BlobError::Damaged`].
    pub fn parse(bytes: &'a [u8]) -> Result<Blob<'a>, BlobError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(BlobError::NotABlob);
        }
        let version = format::u32(bytes, 8).ok_or(BlobError::Length)?;
        if version != VERSION {
            return Err(BlobError::Version(version));
        }
        let blob = Blob::parse_tail(bytes)?;
        if format::u32(bytes, 12) != Some(0) {
            return Err(BlobError::Malformed("unknown flags"));
        }
        blob.check_modules()?;
        blob.check_data()?;
        Ok(blob)
    }

    fn parse_tail(bytes: &'a [u8]) -> Result<Blob<'a>, BlobError> {
        let tail_offset = bytes.len().checked_sub(tail::LENGTH).ok_or(BlobError::Length)?;
        let tail = bytes.get(tail_offset..).ok_or(BlobError::Length)?;
        let number = |offset| format::u64(tail, offset).ok_or(BlobError::Length);
        if number(tail::BLOB_LENGTH)? != bytes.len() as u64 {
            return Err(BlobError::Length);
        }
        let index_offset = usize::try_from(number(tail::INDEX)?).map_err(|_| BlobError::Index)?;
        if index_offset < HEAD_LENGTH {
            return Err(BlobError::Index);
        }
        let covered = bytes
            .get(index_offset..tail_offset.saturating_add(tail::DIGEST))
            .ok_or(BlobError::Index)?;
        let index = bytes.get(index_offset..tail_offset).ok_or(BlobError::Index)?;
        let [low, high, b'\r', b'\n'] =
            format::bytes::<4>(tail, tail::PYC_MAGIC).ok_or(BlobError::Length)?
        else {
            return Err(BlobError::Index);
        };
        let magic_number = u16::from_le_bytes([low, high]);
        let stated = number(tail::DIGEST)?;
        if digest(magic_number, covered) != stated {
            return Err(BlobError::Index);
        }

        let malformed = BlobError::Malformed;
        let count =
            |offset| format::u32(tail, offset).and_then(|count| usize::try_from(count).ok());
        let (modules, rest) = count(tail::MODULES)
            .and_then(|count| index.split_at_checked(count.checked_mul(module::LENGTH)?))
            .ok_or(malformed("more modules than bytes"))?;
        let (data, names) = count(tail::DATA)
            .and_then(|count| rest.split_at_checked(count.checked_mul(data::LENGTH)?))
            .ok_or(malformed("more data files than bytes"))?;
        Ok(Blob {
            bytes,
            target: target(tail, magic_number).ok_or(malformed("the target"))?,
            modules: modules.as_chunks().0,
            data: data.as_chunks().0,
            names,
            index_offset,
            digest: stated,
        })
    }

    /// What the blob was made for.
    #[must_use]
    pub fn target(&self) -> Target<'a> {
        self.target
    }

    /// The digest over the index, and through it over every entry: of two blobs for one target with
    /// the same digest, one may take the place of the other. It finds damage, not malice.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The whole blob.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The module of this full name: a binary search.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Module<'a>> {
        let position = self.first_module_from(name);
        self.module(position).filter(|module| module.name == name)
    }

    /// All modules, by the bytes of their names.
    pub fn modules(&self) -> impl Iterator<Item = Module<'a>> + use<'a> {
        let blob = *self;
        (0..self.modules.len()).filter_map(move |position| blob.module(position))
    }

    /// The modules directly in a package, in order; of `""`, those at the top.
    pub fn children(&self, package: &str) -> impl Iterator<Item = Module<'a>> + use<'a> {
        let blob = *self;
        let mut prefix = package.to_owned();
        if !prefix.is_empty() {
            prefix.push('.');
        }
        let mut position = self.first_module_from(&prefix);
        core::iter::from_fn(move || {
            loop {
                let module = blob.module(position)?;
                let below = module.name.strip_prefix(prefix.as_str())?;
                let Some((child, _)) = below.split_once('.') else {
                    position = position.saturating_add(1);
                    return Some(module);
                };
                // All below this child; `/` is the byte after `.`.
                let mut end = prefix.clone();
                end.push_str(child);
                end.push('/');
                position = blob.first_module_from(&end);
            }
        })
    }

    /// The data file of this path.
    #[must_use]
    pub fn data(&self, path: &str) -> Option<Data<'a>> {
        let position = self.first_data_from(path);
        self.data_file(position).filter(|data| data.path == path)
    }

    /// All data files below a folder, at any depth, by the bytes of their paths; of `""`, all.
    pub fn data_below(&self, folder: &str) -> impl Iterator<Item = Data<'a>> + use<'a> {
        let blob = *self;
        let mut prefix = folder.to_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        (self.first_data_from(&prefix)..self.data.len())
            .map_while(move |position| blob.data_file(position))
            .take_while(move |data| data.path.starts_with(prefix.as_str()))
    }

    /// Checks the digest of every entry: all but the zeros between them is then as it was written.
    ///
    /// # Errors
    /// [`BlobError::Damaged`] with the first that is not.
    pub fn verify(&self) -> Result<(), BlobError> {
        for module in self.modules() {
            module.pyc()?;
            module.source()?;
        }
        self.data_below("").try_for_each(|data| data.bytes().map(drop))
    }

    fn first_module_from(&self, name: &str) -> usize {
        self.modules.partition_point(|record| {
            self.text(record, module::NAME, module::NAME_LENGTH).is_some_and(|text| text < name)
        })
    }

    fn first_data_from(&self, path: &str) -> usize {
        self.data.partition_point(|record| {
            self.text(record, data::PATH, data::PATH_LENGTH).is_some_and(|text| text < path)
        })
    }

    /// A name of a record: offset and length are at these places of it.
    fn text(&self, record: &[u8], offset: usize, length: usize) -> Option<&'a str> {
        let start = usize::try_from(format::u32(record, offset)?).ok()?;
        let length = usize::from(format::u16(record, length)?);
        core::str::from_utf8(self.names.get(start..start.checked_add(length)?)?).ok()
    }

    fn payload(&self, offset: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(..self.index_offset)?.get(start..end)
    }

    fn module(&self, position: usize) -> Option<Module<'a>> {
        let record = self.modules.get(position)?;
        let kind = ModuleKind::from_u8(*record.get(module::KIND)?)?;
        let flags = *record.get(module::FLAGS)?;
        let pyc_offset = format::u64(record, module::PYC)?;
        let pyc = self.payload(pyc_offset, format::u32(record, module::PYC_LENGTH)?.into())?;
        let source_offset = format::u64(record, module::SOURCE)?;
        let source_length = format::u32(record, module::SOURCE_LENGTH)?;
        let source = self.payload(source_offset, source_length.into())?;
        Some(Module {
            name: self.text(record, module::NAME, module::NAME_LENGTH)?,
            origin: self.text(record, module::ORIGIN, module::ORIGIN_LENGTH)?,
            kind,
            pyc,
            pyc_offset,
            pyc_digest: format::u64(record, module::PYC_DIGEST)?,
            source: (flags == module::HAS_SOURCE).then_some(source),
            source_digest: format::u64(record, module::SOURCE_DIGEST)?,
            magic_number: self.target.magic_number,
        })
    }

    fn data_file(&self, position: usize) -> Option<Data<'a>> {
        let record = self.data.get(position)?;
        let offset = format::u64(record, data::BYTES)?;
        Some(Data {
            path: self.text(record, data::PATH, data::PATH_LENGTH)?,
            bytes: self.payload(offset, format::u64(record, data::BYTES_LENGTH)?)?,
            digest: format::u64(record, data::DIGEST)?,
            magic_number: self.target.magic_number,
        })
    }

    fn check_modules(&self) -> Result<(), BlobError> {
        let mut last = "";
        for (position, record) in self.modules.iter().enumerate() {
            let module = self.module(position).ok_or(BlobError::Malformed("a module's record"))?;
            let flags = record.get(module::FLAGS).copied().unwrap_or_default();
            if flags & !module::HAS_SOURCE != 0 || format::u16(record, module::ZERO) != Some(0) {
                return Err(BlobError::Malformed("unknown flags"));
            }
            if !name::is_module(module.name) || module.name <= last {
                return Err(BlobError::Malformed("names of modules"));
            }
            if !module.origin.is_empty() && !name::is_path(module.origin) {
                return Err(BlobError::Malformed("a module's origin"));
            }
            let right = match module.kind {
                ModuleKind::Namespace => module.pyc.is_empty() && module.source.is_none(),
                ModuleKind::Module | ModuleKind::Package => module.pyc.len() >= PYC_HEADER_LENGTH,
            };
            if !right {
                return Err(BlobError::Malformed("a module's bytecode"));
            }
            last = module.name;
        }
        Ok(())
    }

    fn check_data(&self) -> Result<(), BlobError> {
        let mut last = "";
        for (position, record) in self.data.iter().enumerate() {
            let data =
                self.data_file(position).ok_or(BlobError::Malformed("a data file's record"))?;
            if format::u16(record, data::ZERO) != Some(0) {
                return Err(BlobError::Malformed("unknown flags"));
            }
            if !name::is_path(data.path) || data.path <= last {
                return Err(BlobError::Malformed("paths of data files"));
            }
            last = data.path;
        }
        Ok(())
    }
}

/// The target that a tail states; `None` if it is none.
fn target(tail: &[u8], magic_number: u16) -> Option<Target<'_>> {
    let optimization = *tail.get(tail::OPTIMIZATION)?;
    let length = usize::from(*tail.get(tail::CACHE_TAG_LENGTH)?);
    let room = tail.get(tail::CACHE_TAG..tail::INDEX)?;
    let (tag, zeros) = room.split_at_checked(length)?;
    let right = optimization <= 2
        && name::is_cache_tag(tag)
        && zeros.iter().all(|byte| *byte == 0)
        && format::u16(tail, tail::ZERO)? == 0;
    let cache_tag = core::str::from_utf8(tag).ok()?;
    right.then_some(Target { magic_number, cache_tag, optimization })
}
