//! Entries to a blob: a function of the entries and the target alone, written in one pass.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;

use crate::digest::digest;
use crate::entry::{Entry, EntryError, ModuleKind};
use crate::format::{self, ALIGNMENT, HEAD_LENGTH, MAGIC, PYC_HEADER_LENGTH, VERSION, tail};
use crate::name;
use crate::target::Target;

/// Why a blob was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError<SinkError> {
    /// The entries make no blob.
    Entry(EntryError),
    /// The sink failed.
    Sink(SinkError),
}

impl<SinkError: fmt::Display> fmt::Display for WriteError<SinkError> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Entry(error) => error.fmt(formatter),
            WriteError::Sink(error) => error.fmt(formatter),
        }
    }
}

impl<SinkError: core::error::Error> core::error::Error for WriteError<SinkError> {}

impl<SinkError> From<EntryError> for WriteError<SinkError> {
    fn from(error: EntryError) -> WriteError<SinkError> {
        WriteError::Entry(error)
    }
}

/// A blob of entries in any order.
///
/// # Errors
/// [`EntryError`], which names the entry.
pub fn write(entries: &[Entry<'_>], target: &Target<'_>) -> Result<Vec<u8>, EntryError> {
    let mut ordered: Vec<&Entry<'_>> = entries.iter().collect();
    ordered.sort_by_key(|entry| entry.order());
    let mut blob = Vec::new();
    let outcome = (|| {
        let mut writer = Writer::new(target, |bytes: &[u8]| {
            blob.extend_from_slice(bytes);
            Ok::<(), Infallible>(())
        })?;
        for entry in ordered {
            writer.add(entry)?;
        }
        writer.finish()
    })();
    match outcome {
        Ok(_) => Ok(blob),
        Err(WriteError::Entry(error)) => Err(error),
        Err(WriteError::Sink(never)) => match never {},
    }
}

/// Where some bytes are, and their digest.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    offset: u64,
    length: u64,
    digest: u64,
}

struct ModuleRecord {
    kind: ModuleKind,
    origin: Option<String>,
    pyc: Place,
    source: Option<Place>,
}

/// Writes a blob into a sink as entries come, and keeps only its index: what a caller need not have
/// in memory at once can be given one by one, in the order of [`Entry::order`].
///
/// ```
/// use bytekiln_blob::{Target, Writer};
///
/// let target = Target { magic_number: 3495, cache_tag: "cpython-311", optimization: 0 };
/// let mut file = Vec::new(); // or a file
/// let sink = |bytes: &[u8]| std::io::Write::write_all(&mut file, bytes);
/// let writer = Writer::new(&target, sink)?;
/// let length = writer.finish()?;
/// assert_eq!(file.len() as u64, length);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer<Sink> {
    sink: Sink,
    target_tail: [u8; tail::INDEX],
    magic_number: u16,
    written: u64,
    modules: BTreeMap<String, ModuleRecord>,
    data: BTreeMap<String, Place>,
    folders: BTreeSet<String>,
    last: Option<(u8, String)>,
}

impl<Sink, SinkError> Writer<Sink>
where
    Sink: FnMut(&[u8]) -> Result<(), SinkError>,
{
    /// Begins a blob.
    ///
    /// # Errors
    /// [`EntryError::Target`], and what the sink says.
    pub fn new(target: &Target<'_>, sink: Sink) -> Result<Writer<Sink>, WriteError<SinkError>> {
        let mut writer = Writer {
            sink,
            target_tail: target_tail(target).ok_or(EntryError::Target)?,
            magic_number: target.magic_number,
            written: 0,
            modules: BTreeMap::new(),
            data: BTreeMap::new(),
            folders: BTreeSet::new(),
            last: None,
        };
        let mut head = [0; HEAD_LENGTH];
        head[..8].copy_from_slice(&MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        writer.put(&head)?;
        Ok(writer)
    }

    /// Writes the next entry.
    ///
    /// # Errors
    /// Of [`EntryError`] those that the entry deserves, and what the sink says. What was written by
    /// then is no blob.
    pub fn add(&mut self, entry: &Entry<'_>) -> Result<(), WriteError<SinkError>> {
        let (phase, name) = entry.order();
        if u16::try_from(name.len()).is_err() {
            return Err(EntryError::LongName(name.chars().take(40).collect()).into());
        }
        if let Some((last_phase, last)) = &self.last {
            match (phase, name).cmp(&(*last_phase, last.as_str())) {
                core::cmp::Ordering::Less => {
                    return Err(EntryError::OutOfOrder(name.to_owned()).into());
                }
                core::cmp::Ordering::Equal => {
                    return Err(EntryError::Duplicate(name.to_owned()).into());
                }
                core::cmp::Ordering::Greater => {}
            }
        }
        match *entry {
            Entry::Module { name, package, pyc, origin } => {
                self.add_module(name, package, pyc, origin)?;
            }
            Entry::Namespace { name } => self.add_namespace(name)?,
            Entry::Source { name, text } => self.add_source(name, text)?,
            Entry::Data { path, bytes } => self.add_data(path, bytes)?,
        }
        self.last = Some((phase, name.to_owned()));
        Ok(())
    }

    /// Writes the index and gives the length of the whole in bytes.
    ///
    /// # Errors
    /// [`EntryError::TooLarge`], and what the sink says.
    pub fn finish(mut self) -> Result<u64, WriteError<SinkError>> {
        self.align()?;
        let index_offset = self.written;
        let mut index = self.index().ok_or_else(|| EntryError::TooLarge("the index".to_owned()))?;
        let length = index_offset
            .checked_add((index.len() + tail::LENGTH - tail::INDEX) as u64)
            .ok_or_else(|| EntryError::TooLarge("the index".to_owned()))?;
        index.extend_from_slice(&index_offset.to_le_bytes());
        index.extend_from_slice(&length.to_le_bytes());
        // `index` has checked that the numbers fit.
        index.extend_from_slice(&(self.modules.len() as u32).to_le_bytes());
        index.extend_from_slice(&(self.data.len() as u32).to_le_bytes());
        let whole = digest(self.magic_number, &index);
        index.extend_from_slice(&whole.to_le_bytes());
        self.put(&index)?;
        Ok(self.written)
    }

    fn add_module(
        &mut self,
        name: &str,
        package: bool,
        pyc: &[u8],
        origin: Option<&str>,
    ) -> Result<(), WriteError<SinkError>> {
        self.check_module(name)?;
        let wanted = self.magic_number;
        if pyc.len() < PYC_HEADER_LENGTH || !pyc.starts_with(&format::pyc_magic(wanted)) {
            let found = format::bytes::<4>(pyc, 0)
                .filter(|start| start.ends_with(b"\r\n") && pyc.len() >= PYC_HEADER_LENGTH)
                .map(|[low, high, _, _]| u16::from_le_bytes([low, high]));
            return Err(EntryError::Magic { name: name.to_owned(), found, wanted }.into());
        }
        if let Some(origin) = origin {
            if !name::is_path(origin) {
                return Err(EntryError::Path(origin.to_owned()).into());
            }
            if u16::try_from(origin.len()).is_err() {
                return Err(EntryError::LongName(origin.chars().take(40).collect()).into());
            }
        }
        let kind = if package { ModuleKind::Package } else { ModuleKind::Module };
        let origin =
            origin.filter(|origin| *origin != name::origin(name, package)).map(ToOwned::to_owned);
        let pyc = self.payload_of_module(name, pyc)?;
        self.modules.insert(name.to_owned(), ModuleRecord { kind, origin, pyc, source: None });
        Ok(())
    }

    fn add_namespace(&mut self, name: &str) -> Result<(), EntryError> {
        self.check_module(name)?;
        self.modules.insert(name.to_owned(), namespace());
        Ok(())
    }

    fn add_source(&mut self, name: &str, text: &[u8]) -> Result<(), WriteError<SinkError>> {
        if self.modules.get(name).is_none_or(|module| module.kind == ModuleKind::Namespace) {
            return Err(EntryError::NoModule(name.to_owned()).into());
        }
        let place = self.payload_of_module(name, text)?;
        if let Some(module) = self.modules.get_mut(name) {
            module.source = Some(place);
        }
        Ok(())
    }

    fn add_data(&mut self, path: &str, bytes: &[u8]) -> Result<(), WriteError<SinkError>> {
        if !name::is_path(path) {
            return Err(EntryError::Path(path.to_owned()).into());
        }
        for (position, _) in path.match_indices('/') {
            let Some(folder) = path.get(..position) else { continue };
            if self.data.contains_key(folder) {
                let (name, parent) = (path.to_owned(), folder.to_owned());
                return Err(EntryError::NoParent { name, parent }.into());
            }
            if !self.folders.contains(folder) {
                self.folders.insert(folder.to_owned());
            }
        }
        if self.folders.contains(path) {
            let (name, parent) = (alloc::format!("{path}/…"), path.to_owned());
            return Err(EntryError::NoParent { name, parent }.into());
        }
        let place = self.payload(bytes)?;
        self.data.insert(path.to_owned(), place);
        Ok(())
    }

    /// Refuses what cannot be imported, and makes namespaces of parents that are not there.
    fn check_module(&mut self, name: &str) -> Result<(), EntryError> {
        if !name::is_module(name) {
            return Err(EntryError::ModuleName(name.to_owned()));
        }
        if self.modules.contains_key(name) {
            return Err(EntryError::Duplicate(name.to_owned()));
        }
        for (position, _) in name.match_indices('.') {
            let Some(parent) = name.get(..position) else { continue };
            match self.modules.get(parent).map(|module| module.kind) {
                Some(ModuleKind::Module) => {
                    let (name, parent) = (name.to_owned(), parent.to_owned());
                    return Err(EntryError::NoParent { name, parent });
                }
                Some(ModuleKind::Package | ModuleKind::Namespace) => {}
                None => {
                    self.modules.insert(parent.to_owned(), namespace());
                }
            }
        }
        Ok(())
    }

    fn payload_of_module(
        &mut self,
        name: &str,
        bytes: &[u8],
    ) -> Result<Place, WriteError<SinkError>> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(EntryError::TooLarge(name.to_owned()).into());
        }
        self.payload(bytes)
    }

    fn payload(&mut self, bytes: &[u8]) -> Result<Place, WriteError<SinkError>> {
        self.align()?;
        let offset = self.written;
        self.put(bytes)?;
        Ok(Place { offset, length: bytes.len() as u64, digest: digest(self.magic_number, bytes) })
    }

    fn align(&mut self) -> Result<(), WriteError<SinkError>> {
        let over = (self.written % ALIGNMENT as u64) as usize;
        if over > 0 { self.put(&[0; ALIGNMENT][over..]) } else { Ok(()) }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError<SinkError>> {
        (self.sink)(bytes).map_err(WriteError::Sink)?;
        self.written = self
            .written
            .checked_add(bytes.len() as u64)
            .ok_or_else(|| EntryError::TooLarge("the blob".to_owned()))?;
        Ok(())
    }

    /// The index up to where the tail says its offset; `None` if a number does not fit.
    fn index(&self) -> Option<Vec<u8>> {
        u32::try_from(self.modules.len()).ok()?;
        u32::try_from(self.data.len()).ok()?;
        let mut names = Vec::new();
        let mut index = Vec::new();
        for (name, record) in &self.modules {
            let origin = record.origin.as_deref().unwrap_or_default();
            let source = record.source.unwrap_or_default();
            index.extend_from_slice(&place_name(&mut names, name)?.to_le_bytes());
            index.extend_from_slice(&place_name(&mut names, origin)?.to_le_bytes());
            index.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
            index.extend_from_slice(&u16::try_from(origin.len()).ok()?.to_le_bytes());
            let flags = if record.source.is_some() { format::module::HAS_SOURCE } else { 0 };
            index.extend_from_slice(&[record.kind.as_u8(), flags, 0, 0]);
            index.extend_from_slice(&record.pyc.offset.to_le_bytes());
            index.extend_from_slice(&source.offset.to_le_bytes());
            index.extend_from_slice(&u32::try_from(record.pyc.length).ok()?.to_le_bytes());
            index.extend_from_slice(&u32::try_from(source.length).ok()?.to_le_bytes());
            index.extend_from_slice(&record.pyc.digest.to_le_bytes());
            index.extend_from_slice(&source.digest.to_le_bytes());
        }
        for (path, place) in &self.data {
            index.extend_from_slice(&place_name(&mut names, path)?.to_le_bytes());
            index.extend_from_slice(&u16::try_from(path.len()).ok()?.to_le_bytes());
            index.extend_from_slice(&[0, 0]);
            index.extend_from_slice(&place.offset.to_le_bytes());
            index.extend_from_slice(&place.length.to_le_bytes());
            index.extend_from_slice(&place.digest.to_le_bytes());
        }
        index.append(&mut names);
        index.extend_from_slice(&self.target_tail);
        Some(index)
    }
}

/// Adds a name to the names and gives its offset; an empty one is at 0.
fn place_name(names: &mut Vec<u8>, name: &str) -> Option<u32> {
    if name.is_empty() {
        return Some(0);
    }
    let offset = u32::try_from(names.len()).ok()?;
    names.extend_from_slice(name.as_bytes());
    Some(offset)
}

fn namespace() -> ModuleRecord {
    let pyc = Place::default();
    ModuleRecord { kind: ModuleKind::Namespace, origin: None, pyc, source: None }
}

/// The tail's part about the target; `None` if it is none.
fn target_tail(target: &Target<'_>) -> Option<[u8; tail::INDEX]> {
    let tag = target.cache_tag.as_bytes();
    let right = name::is_cache_tag(tag) && tag.len() <= tail::CACHE_TAG_ROOM;
    if !right || target.optimization > 2 {
        return None;
    }
    let mut bytes = [0; tail::INDEX];
    bytes[..4].copy_from_slice(&format::pyc_magic(target.magic_number));
    bytes[tail::OPTIMIZATION] = target.optimization;
    bytes[tail::CACHE_TAG_LENGTH] = tag.len() as u8;
    bytes[tail::CACHE_TAG..][..tag.len()].copy_from_slice(tag);
    Some(bytes)
}
