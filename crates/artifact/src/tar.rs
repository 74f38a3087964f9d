//! Tars, plain or packed with gzip or zstd, of old, ustar, gnu and pax kind. A packed one is unpacked once, into a
//! temporary file without a name, so that its members can be read in any order. Knows nothing of
//! what is in them.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use bytekiln_action::RepoPath;
use tar::{Archive, EntryType};

use crate::error::Fault;
use crate::{Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};

/// Where a member's bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Here.
    Offset(u64),
    /// In the member of this name: a hard link.
    Same(Vec<u8>),
}

#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) entries: Vec<(Entry, Place)>,
    pub(crate) problems: Vec<EntryProblem>,
}

/// What headers before one member may take: long names, pax records.
const HEADERS_LIMIT: u64 = 4 << 20;

/// Whether this is a tar: its first header has a right checksum.
pub(crate) fn looks_like_tar(first_block: &[u8]) -> bool {
    let Some(block) = first_block.first_chunk::<512>() else { return false };
    let header = tar::Header::from_byte_slice(block);
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    block[0] != 0 && header.cksum().is_ok_and(|stored| stored == sum)
}

/// What a tar may be packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

/// What the beginning of a file says that it is packed with. A zstd stream may begin with a frame
/// that is to be skipped (RFC 8878, section 3.1.2).
pub(crate) fn packing(first: &[u8]) -> Option<Packing> {
    match first {
        [0x1f, 0x8b, ..] => Some(Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
        _ => None,
    }
}

/// Unpacks as it is read. Several members or frames are one stream. A frame of zstd that asks for
/// more than 128 MiB of memory is refused, by the library's own limit.
fn unpacker<'a>(file: &'a File, packing: Packing) -> std::io::Result<Box<dyn Read + 'a>> {
    let packed = At::new(file, u64::MAX);
    Ok(match packing {
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
    })
}

/// Whether this is a packed stream that holds a tar.
pub(crate) fn holds_tar(file: &File, packing: Packing) -> std::io::Result<bool> {
    let mut block = Vec::new();
    match unpacker(file, packing)?.take(512).read_to_end(&mut block) {
        Ok(_) => Ok(looks_like_tar(&block)),
        Err(error) if error.raw_os_error().is_some() => Err(error),
        // Nobody knows; why it cannot be unpacked says more than that it is nothing known.
        Err(_) => Ok(packing == Packing::Zstd),
    }
}

/// Unpacks a stream into a file without a name.
pub(crate) fn unpack(file: &File, packing: Packing, limit: u64) -> Result<File, Fault> {
    let mut reader = unpacker(file, packing)?;
    let mut spool = tempfile::tempfile()?;
    let mut buffer = vec![0; 256 << 10];
    let mut total: u64 = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(spool),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if error.raw_os_error().is_some() => return Err(Fault::Io(error)),
            Err(error) => {
                let kind = match packing {
                    Packing::Gzip => "gzip",
                    Packing::Zstd => "zstd",
                };
                return Err(Fault::damaged(format!("its {kind} stream: {error}")));
            }
        };
        total += count as u64;
        if total > limit {
            return Err(Fault::TooLarge(limit));
        }
        spool.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

/// Lists a plain tar. `total_limit` bounds what all members together hold.
pub(crate) fn list(file: &File, total_limit: u64) -> Result<Members, Fault> {
    let length = file.metadata()?.len();
    let left = Cell::new(HEADERS_LIMIT);
    let mut archive = Archive::new(Metered { at: At::new(file, length), left: &left });
    let mut members = Members::default();
    let mut total: u64 = 0;
    for entry in archive.entries_with_seek().map_err(broken)? {
        left.set(HEADERS_LIMIT);
        let mut entry = entry.map_err(broken)?;
        let raw = entry.path_bytes().into_owned();
        let mut refuse = |kind| members.problems.push(EntryProblem { name: raw.clone(), kind });
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = raw.strip_prefix(b"./").unwrap_or(&raw);
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if kind == EntryType::Directory && matches!(name, b"" | b".") {
            continue;
        }
        let Some(path) = RepoPath::new(name).filter(|path| !path.is_root()) else {
            refuse(EntryProblemKind::BadName);
            continue;
        };
        let target = || entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let offset = Place::Offset(entry.raw_file_position());
        let (kind, place) = match kind {
            EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => {
                (EntryKind::Directory, offset)
            }
            EntryType::Regular | EntryType::Continuous => (EntryKind::File, offset),
            EntryType::Directory => (EntryKind::Directory, offset),
            EntryType::Symlink => (EntryKind::Symlink(target().unwrap_or_default()), offset),
            EntryType::Link => {
                let target = target().unwrap_or_default();
                let target = target.strip_prefix(b"./").unwrap_or(&target).to_vec();
                (EntryKind::File, Place::Same(target))
            }
            EntryType::GNUSparse => {
                refuse(EntryProblemKind::Sparse);
                continue;
            }
            _ => {
                refuse(EntryProblemKind::Special);
                continue;
            }
        };
        let is_content = kind == EntryKind::File && matches!(place, Place::Offset(_));
        let size = if is_content { entry.size() } else { 0 };
        if let (Place::Offset(offset), true) = (&place, is_content)
            && offset.checked_add(size).is_none_or(|end| end > length)
        {
            return Err(Fault::damaged("it ends within a member"));
        }
        total = total.saturating_add(size);
        if total > total_limit {
            return Err(Fault::TooLarge(total_limit));
        }
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let modified = modified(&mut entry)?;
        members.entries.push((Entry { path, kind, size, executable, modified }, place));
    }
    Ok(members)
}

fn modified<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Modified, Fault> {
    let header = entry.header().mtime().unwrap_or(0);
    let mut stamp =
        Modified::Unix { seconds: i64::try_from(header).unwrap_or(i64::MAX), nanoseconds: 0 };
    if let Some(records) = entry.pax_extensions().map_err(broken)? {
        for record in records {
            let record = record.map_err(broken)?;
            if record.key_bytes() == b"mtime"
                && let Some((seconds, nanoseconds)) = decimal(record.value_bytes())
            {
                stamp = Modified::Unix { seconds, nanoseconds };
            }
        }
    }
    Ok(stamp)
}

/// `1700000000.25`: seconds and nanoseconds.
fn decimal(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    if !whole.starts_with('-') || nanoseconds == 0 {
        return Some((seconds, nanoseconds));
    }
    Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds))
}

fn broken(error: std::io::Error) -> Fault {
    if error.raw_os_error().is_some() {
        return Fault::Io(error);
    }
    Fault::damaged(error.to_string())
}

/// Reads one member.
pub(crate) fn read(file: &File, offset: u64, size: u64, limit: u64) -> Result<Vec<u8>, Fault> {
    if size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| Fault::TooLarge(limit))?];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// A reader with a place of its own in a shared file.
pub(crate) struct At<'a> {
    file: &'a File,
    place: u64,
    length: u64,
}

impl<'a> At<'a> {
    fn new(file: &'a File, length: u64) -> At<'a> {
        At { file, place: 0, length }
    }

    /// The `size` bytes from `start` on.
    pub(crate) fn range(file: &'a File, start: u64, size: u64) -> At<'a> {
        At { file, place: start, length: start.saturating_add(size) }
    }
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

/// Headers are read through this, contents are passed over; so it can tell a header that goes on
/// for ever.
struct Metered<'a> {
    at: At<'a>,
    left: &'a Cell<u64>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left.get() == 0 {
            return Err(std::io::Error::other(format!(
                "a member with more than {HEADERS_LIMIT} bytes of headers"
            )));
        }
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.at.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(self.left.get() - count as u64);
        Ok(count)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.place.checked_add_signed(by),
            SeekFrom::End(by) => self.at.length.checked_add_signed(by),
        };
        self.at.place = place.ok_or_else(|| std::io::Error::other("a place before the start"))?;
        Ok(self.at.place)
    }
}
