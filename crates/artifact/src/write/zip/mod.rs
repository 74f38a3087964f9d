//! Writes zips, so that CPython's `zipimport` reads them as they are: local headers with sizes and
//! checksums, no data descriptors. A small entry is packed before its header is written; the header
//! of a large one is mended when its data are out. Knows nothing of what is packed.
//!
//! Folders: before 3.14, `zipimport` takes a folder without `__init__` for a package only if the zip
//! has an entry for it (a test tells for each version), so that all folders are written unless
//! the caller wants otherwise.

mod header;
mod pack;

use std::num::NonZeroUsize;

use bytekiln_action::RepoPath;
use flate2::Crc;

use super::blocks::Last;
use super::in_order::in_order;
use super::output::Writer;
use super::{DeflateLevel, Entries, Item, ItemKind, Output, WriteError, Written};
use header::{DosTime, Header, Method};
use pack::{Packed, Packer};

/// How a zip is written.
#[derive(Debug, Clone)]
pub struct ZipOptions {
    /// How its files are packed.
    pub compression: ZipCompression,
    /// Bytes before the first entry, such as `#!/usr/bin/env python3` and the end of that line.
    pub preamble: Option<Vec<u8>>,
    /// When every entry was modified, in seconds since 1970. Zips know 1980 to 2107, every second
    /// second, and no time zone: what is outside becomes the nearest time inside, in UTC.
    pub modified: i64,
    /// Whether Zip64 may be used, where an entry or the whole needs it; `zipimport` reads it from
    /// 3.13 on. Without, a file of 4 GiB, 65,535 entries or an archive of 4 GiB are errors.
    pub zip64: bool,
    /// Which folders get an entry.
    pub folders: ZipFolders,
    /// What lies in this folder is written after all else: a wheel's `.dist-info`.
    pub last: Option<RepoPath>,
    /// Threads to compress with.
    pub jobs: NonZeroUsize,
}

/// How the files of a zip are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipCompression {
    /// As they are: the fastest to import from.
    Stored,
    /// Deflated; those that do not get smaller are stored.
    Deflated(DeflateLevel),
}

/// Which folders of a zip get an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipFolders {
    /// All.
    All,
    /// Those that hold nothing: what wheels have.
    Empty,
}

/// Writes a zip.
///
/// # Errors
/// A name that is not UTF-8, more than a zip can hold, a content that cannot be read or is not what
/// it should be, or no space. What is in the file is of no use then.
pub fn write_zip(
    output: Output<'_>,
    entries: &Entries,
    options: &ZipOptions,
) -> Result<Written, WriteError> {
    let items = in_writing_order(entries, options);
    check_names(&items, output)?;
    let mut zip = Zip {
        writer: Writer::new(output),
        options,
        time: DosTime::nearest(options.modified),
        central: Vec::new(),
        entries: 0,
        open: None,
    };
    if let Some(preamble) = &options.preamble {
        zip.writer.write(preamble)?;
    }
    in_order(
        options.jobs,
        |feed| pack::name(&items, feed),
        || Packer::new(options.compression),
        |packer, job| packer.pack(job),
        |packed| zip.add(packed),
    )?;
    zip.finish()
}

fn in_writing_order<'a>(entries: &'a Entries, options: &ZipOptions) -> Vec<&'a Item> {
    let all = entries.items();
    let written = |(at, item): (usize, &'a Item)| {
        let is_left_out = options.folders == ZipFolders::Empty
            && matches!(item.kind, ItemKind::Directory)
            && !entries.is_empty_folder(at);
        (!is_left_out).then_some(item)
    };
    let items = all.iter().enumerate().filter_map(written);
    let is_last = |item: &&Item| {
        options.last.as_ref().is_some_and(|last| item.path.strip_prefix(last).is_some())
    };
    let (last, mut items): (Vec<_>, Vec<_>) = items.partition(is_last);
    items.extend(last);
    items
}

fn check_names(items: &[&Item], output: Output<'_>) -> Result<(), WriteError> {
    for item in items {
        let what = if item.path.as_str().is_none() {
            "names in zips are UTF-8; rename it, or write a folder or a tar"
        } else if item.path.as_bytes().len() >= usize::from(u16::MAX) {
            "names in zips have at most 65,534 bytes; shorten it"
        } else {
            continue;
        };
        let member = item.path.to_string();
        return Err(WriteError::Member { path: output.name.to_owned(), member, what });
    }
    Ok(())
}

/// A zip that is being written.
struct Zip<'a> {
    writer: Writer<'a>,
    options: &'a ZipOptions,
    time: DosTime,
    central: Vec<u8>,
    entries: usize,
    /// A large entry whose data are being written.
    open: Option<(Header, Crc)>,
}

impl Zip<'_> {
    fn add(&mut self, packed: Packed<'_>) -> Result<(), WriteError> {
        match packed {
            Packed::Small(wholes) => {
                for whole in wholes {
                    let header = Header {
                        method: whole.method,
                        crc: whole.crc,
                        packed: whole.data.len() as u64,
                        ..self.header(whole.item, whole.size)
                    };
                    self.writer.write(&header::local(&header, self.time))?;
                    self.writer.write(&whole.data)?;
                    self.list(&header)?;
                }
                Ok(())
            }
            Packed::Part { first, crc, data, last } => {
                if let Some((item, size)) = first {
                    self.begin(item, size)?;
                }
                self.writer.write(&data)?;
                let Some((header, whole_crc)) = &mut self.open else { return Ok(()) };
                header.packed += data.len() as u64;
                whole_crc.combine(&crc);
                match last {
                    Last::No => Ok(()),
                    Last::Yes => self.end(),
                }
            }
        }
    }

    /// A header whose checksum and packed size are not known yet.
    fn header(&self, item: &Item, size: u64) -> Header {
        let mut name = item.path.as_bytes().to_vec();
        let mode = match &item.kind {
            ItemKind::Directory => {
                name.push(b'/');
                0o040_755
            }
            ItemKind::Symlink(_) => 0o120_777,
            ItemKind::File { executable: true, .. } => 0o100_755,
            ItemKind::File { executable: false, .. } => 0o100_644,
        };
        let method = match self.options.compression {
            ZipCompression::Stored => Method::Stored,
            ZipCompression::Deflated(_) => Method::Deflated,
        };
        // At its fastest, deflate takes nine bits for a byte that it cannot pack.
        let most = size.saturating_add(size / 7);
        let wide = self.options.zip64 && header::is_wide(most);
        let offset = self.writer.position();
        Header { name, mode, method, crc: 0, packed: 0, size, offset, wide }
    }

    fn begin(&mut self, item: &Item, size: u64) -> Result<(), WriteError> {
        let header = self.header(item, size);
        self.writer.suspend();
        self.writer.write(&header::local(&header, self.time))?;
        self.open = Some((header, Crc::new()));
        Ok(())
    }

    fn end(&mut self) -> Result<(), WriteError> {
        let Some((mut header, crc)) = self.open.take() else { return Ok(()) };
        header.crc = crc.sum();
        self.writer.mend(header.offset, &header::local(&header, self.time))?;
        self.writer.resume()?;
        self.list(&header)
    }

    /// Adds a finished entry to the directory.
    fn list(&mut self, header: &Header) -> Result<(), WriteError> {
        if !self.options.zip64 {
            if header::is_wide(header.size) || header::is_wide(header.packed) {
                let name = String::from_utf8_lossy(&header.name).into_owned();
                let what = "an entry of 4 GiB or more needs Zip64; allow that, or leave it out";
                let path = self.writer.name().to_owned();
                return Err(WriteError::Member { path, member: name, what });
            }
            if header::is_wide(header.offset) {
                return Err(self.too_large());
            }
        }
        self.central.extend_from_slice(&header::central(header, self.time));
        self.entries += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Written, WriteError> {
        let (start, size) = (self.writer.position(), self.central.len() as u64);
        let (end, is_zip64) = header::end(self.entries as u64, start, size);
        if is_zip64 && !self.options.zip64 {
            return Err(self.too_large());
        }
        self.writer.write(&self.central)?;
        self.writer.write(&end)?;
        Ok(Written { digest: self.writer.finish()?, entries: self.entries })
    }

    fn too_large(&self) -> WriteError {
        let what = "65,535 entries or 4 GiB and more need Zip64; allow that, or pack less";
        WriteError::TooLarge { path: self.writer.name().to_owned(), what }
    }
}
