//! The central directory: found from the end, then read in one piece. Knows nothing of the
//! entries' contents, except of links, whose targets are contents.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use bytekiln_action::RepoPath;

use super::{Place, name};
use crate::error::Fault;
use crate::{Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};

/// What the central directory lists, in its order.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) entries: Vec<(Entry, Place)>,
    pub(crate) problems: Vec<EntryProblem>,
}

/// End of central directory, without comment.
const END: usize = 22;
/// The longest comment.
const COMMENT: u64 = 65_535;
/// One header of the directory, without name, extra field and comment.
const HEADER: usize = 46;
/// The longest link target that is read.
const LINK_TARGET: u64 = 4096;
const UNIX: u8 = 3;

/// Whether an end of central directory is where one can be, pointing to a directory.
pub(crate) fn looks_like_zip(file: &File) -> std::io::Result<bool> {
    match find_end(file) {
        Ok(end) => Ok(end.is_some()),
        Err(Fault::Io(error)) => Err(error),
        Err(_) => Ok(true),
    }
}

struct End {
    /// Where the directory begins in the file.
    start: u64,
    size: u64,
    entries: u64,
    /// Bytes before the zip: all offsets count from there.
    prefix: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |raw| u16::from_le_bytes(*raw))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |raw| u32::from_le_bytes(*raw))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |raw| u64::from_le_bytes(*raw))
}

fn find_end(file: &File) -> Result<Option<End>, Fault> {
    let length = file.metadata()?.len();
    let tail_length = length.min(COMMENT + END as u64);
    let tail_start = length - tail_length;
    let mut tail = vec![0; usize::try_from(tail_length).unwrap_or(0)];
    file.read_exact_at(&mut tail, tail_start)?;
    // From the end, the first signature whose comment ends where the file ends.
    let Some(last) = tail.len().checked_sub(END) else { return Ok(None) };
    let found = (0..=last).rev().find(|at| {
        tail.get(*at..).is_some_and(|rest| {
            rest.starts_with(b"PK\x05\x06") && usize::from(u16_at(rest, 20)) == rest.len() - END
        })
    });
    let Some(at) = found else { return Ok(None) };
    let record = tail.get(at..).unwrap_or_default();
    let mut end_of_directory = tail_start + at as u64;
    let mut entries = u64::from(u16_at(record, 10));
    let mut size = u64::from(u32_at(record, 12));
    let mut offset = u64::from(u32_at(record, 16));
    if u16_at(record, 4) != u16_at(record, 6) {
        return Err(Fault::damaged("it is one part of several"));
    }
    // Also where all numbers would have fitted: writers may have it, and it stands in between.
    if let Some((at, zip64)) = zip64_end(file, end_of_directory)? {
        entries = u64_at(&zip64, 32);
        size = u64_at(&zip64, 40);
        offset = u64_at(&zip64, 48);
        end_of_directory = at;
    }
    let Some(start) = end_of_directory.checked_sub(size) else {
        return Err(Fault::damaged("its directory is larger than the file"));
    };
    let Some(prefix) = start.checked_sub(offset) else {
        return Err(Fault::damaged("its directory is not where its end says"));
    };
    Ok(Some(End { start, size, entries, prefix }))
}

/// The zip64 end record before the end record at `end`, and where it begins.
fn zip64_end(file: &File, end: u64) -> Result<Option<(u64, [u8; 56])>, Fault> {
    const LOCATOR: u64 = 20;
    const RECORD: u64 = 56;
    let Some(locator_at) = end.checked_sub(LOCATOR) else { return Ok(None) };
    let mut locator = [0; LOCATOR as usize];
    file.read_exact_at(&mut locator, locator_at)?;
    if locator[..4] != *b"PK\x06\x07" {
        return Ok(None);
    }
    // The record stands just before its locator, unless it has an extensible data sector; then
    // the locator's offset counts, which is right only where nothing stands before the zip.
    let just_before = locator_at.checked_sub(RECORD);
    for at in [just_before, Some(u64_at(&locator, 8))].into_iter().flatten() {
        let mut record = [0; RECORD as usize];
        if at <= locator_at
            && file.read_exact_at(&mut record, at).is_ok()
            && record[..4] == *b"PK\x06\x06"
        {
            return Ok(Some((at, record)));
        }
    }
    Err(Fault::damaged("its zip64 directory has no end record"))
}

/// Reads the central directory. `total_limit` bounds what all entries together unpack to.
pub(crate) fn list(file: &File, total_limit: u64) -> Result<Directory, Fault> {
    let Some(end) = find_end(file)? else {
        return Err(Fault::damaged("no end of central directory"));
    };
    let mut bytes = vec![0; usize::try_from(end.size).map_err(|_| Fault::TooLarge(total_limit))?];
    file.read_exact_at(&mut bytes, end.start)?;
    let mut directory = Directory::default();
    let mut rest = bytes.as_slice();
    let mut total: u64 = 0;
    let mut count: u64 = 0;
    while !rest.is_empty() {
        let (header, below) = split_header(rest)?;
        rest = below;
        count += 1;
        if let Some((entry, place)) = entry(file, &header, end.prefix, &mut directory.problems)? {
            total = total.saturating_add(place.size);
            if total > total_limit {
                return Err(Fault::TooLarge(total_limit));
            }
            directory.entries.push((entry, place));
        }
    }
    // The count has sixteen bits; some writers let it overflow.
    if count & 0xffff != end.entries & 0xffff {
        return Err(Fault::damaged(format!(
            "its directory has {count} entries where its end says {}",
            end.entries
        )));
    }
    Ok(directory)
}

struct Header<'a> {
    fixed: &'a [u8],
    name: &'a [u8],
    extra: &'a [u8],
}

fn split_header(bytes: &[u8]) -> Result<(Header<'_>, &[u8]), Fault> {
    let damaged = || Fault::damaged("its directory is not as long as it says");
    let (fixed, rest) = bytes.split_at_checked(HEADER).ok_or_else(damaged)?;
    if !fixed.starts_with(b"PK\x01\x02") {
        return Err(Fault::damaged("an entry of its directory has no signature"));
    }
    let split = |rest, at| {
        let length = usize::from(u16_at(fixed, at));
        <[u8]>::split_at_checked(rest, length).ok_or_else(damaged)
    };
    let (name, rest) = split(rest, 28)?;
    let (extra, rest) = split(rest, 30)?;
    let (_comment, rest) = split(rest, 32)?;
    Ok((Header { fixed, name, extra }, rest))
}

fn entry(
    file: &File,
    header: &Header<'_>,
    prefix: u64,
    problems: &mut Vec<EntryProblem>,
) -> Result<Option<(Entry, Place)>, Fault> {
    let fixed = header.fixed;
    let flags = u16_at(fixed, 8);
    let full_name = name::decode(header.name, flags & 0x800 != 0);
    let mut refuse = |kind| {
        problems.push(EntryProblem { name: full_name.clone(), kind });
        Ok(None)
    };
    let name = full_name.strip_suffix(b"/").unwrap_or(&full_name);
    let Some(path) = RepoPath::new(name).filter(|path| !path.is_root()) else {
        return refuse(EntryProblemKind::BadName);
    };
    if flags & 0x2041 != 0 {
        return refuse(EntryProblemKind::Encrypted);
    }
    let method = u16_at(fixed, 10);
    if !matches!(method, 0 | 8) {
        return refuse(EntryProblemKind::UnsupportedCompression(method));
    }
    let place = place(header, prefix, method == 8);
    let mode = u32_at(fixed, 38) >> 16;
    let is_unix = fixed.get(5) == Some(&UNIX);
    let kind = if full_name.ends_with(b"/") {
        EntryKind::Directory
    } else if is_unix && mode & 0o170_000 == 0o120_000 {
        match super::read(file, &place, LINK_TARGET) {
            Ok(target) => EntryKind::Symlink(target),
            Err(Fault::Io(error)) => return Err(Fault::Io(error)),
            Err(_) => return refuse(EntryProblemKind::DanglingLink),
        }
    } else {
        EntryKind::File
    };
    let executable = is_unix && mode & 0o100 != 0;
    let modified = Modified::Dos { time: u16_at(fixed, 12), date: u16_at(fixed, 14) };
    let size = if kind == EntryKind::File { place.size } else { 0 };
    Ok(Some((Entry { path, kind, size, executable, modified }, place)))
}

/// Sizes and offset, from the zip64 extra field where the header says so.
fn place(header: &Header<'_>, prefix: u64, deflated: bool) -> Place {
    let fixed = header.fixed;
    let mut numbers = [u32_at(fixed, 24), u32_at(fixed, 20), u32_at(fixed, 42)].map(u64::from);
    let mut extra = header.extra;
    while let (Some(id), Some(length)) = (extra.first_chunk::<2>(), extra.get(2..4)) {
        let length = usize::from(u16_at(length, 0));
        let Some(mut field) = extra.get(4..4 + length) else { break };
        if *id == [1, 0] {
            for number in numbers.iter_mut().filter(|number| **number == 0xffff_ffff) {
                let Some((value, rest)) = field.split_first_chunk::<8>() else { break };
                *number = u64::from_le_bytes(*value);
                field = rest;
            }
        }
        extra = extra.get(4 + length..).unwrap_or_default();
    }
    let [size, compressed, offset] = numbers;
    Place {
        header: prefix.saturating_add(offset),
        compressed,
        size,
        crc: u32_at(fixed, 16),
        deflated,
    }
}
