//! The sorted table of action results: looked up by reading one small block of it. Knows nothing
//! of journals, except that its blocks are made of the same records.
//!
//! ```text
//! table   = header (kind 2), records in ascending order of action digests, index, trailer
//! index   = a block each: 32 bytes first action digest, u64 offset, u32 length
//! trailer = u64 offset of the index, u32 number of blocks, 8 bytes checksum of index and the
//!           two numbers, magic "bkindex1"
//! ```
//!
//! Why not a map: loading 86,000 entries into a hash map costs 50 ms, a quarter of a no-op. Here
//! only the index is loaded (44 bytes for 64 results: 60 KB for 86,000), and questions are
//! answered in the order of their keys, so that a batch reads each block once. Why `pread` and
//! not a memory map: the cache is shared, and a mapped file that somebody cuts short kills the
//! process with SIGBUS, where a read only comes up short; sorted batches make up for the calls.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytekiln_action::ActionDigest;

use super::record::{
    FileKind, HEADER_LENGTH, Record, append_record, checksum, header, read_records,
};

const BLOCK_RECORDS: usize = 64;
const ENTRY_LENGTH: usize = 44;
const TRAILER_LENGTH: usize = 28;
const INDEX_MAGIC: &[u8; 8] = b"bkindex1";

/// An open table.
#[derive(Debug)]
pub(super) struct Table {
    file: File,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    first: ActionDigest,
    offset: u64,
    length: u32,
}

/// Why a table could not be opened.
#[derive(Debug)]
pub(super) enum TableError {
    /// The system says so.
    Io(io::Error),
    /// Written by another version, or not a table.
    Foreign,
    /// Index or trailer is damaged; the records may still be read like a journal's.
    Damaged,
}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> TableError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => TableError::Damaged,
            _ => TableError::Io(error),
        }
    }
}

impl Table {
    /// Reads the index only.
    pub(super) fn open(path: &Path) -> Result<Table, TableError> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut head = [0; HEADER_LENGTH];
        file.read_exact_at(&mut head, 0)?;
        if head != header(FileKind::Table) {
            return Err(TableError::Foreign);
        }
        let trailer_at = size.checked_sub(TRAILER_LENGTH as u64).ok_or(TableError::Damaged)?;
        let mut trailer = [0; TRAILER_LENGTH];
        file.read_exact_at(&mut trailer, trailer_at)?;
        let blocks = read_index(&file, &trailer, trailer_at)?.ok_or(TableError::Damaged)?;
        Ok(Table { file, blocks })
    }

    /// Looks up keys, which must ascend, and passes position and record of each that is there.
    /// Gives the number of bytes that turned out to be damaged on the way.
    pub(super) fn look_up(
        &self,
        sorted: &[(ActionDigest, usize)],
        mut found: impl FnMut(usize, Record<'_>),
    ) -> io::Result<usize> {
        let mut damaged = 0;
        let mut bytes = Vec::new();
        let mut rest = sorted;
        while let Some((key, _)) = rest.first() {
            let after = self.blocks.partition_point(|block| block.first <= *key);
            let end = self.blocks.get(after).map(|block| block.first);
            let count = end.map_or(rest.len(), |end| rest.partition_point(|(key, _)| *key < end));
            let (asked, later) = rest.split_at_checked(count.max(1)).unwrap_or((rest, &[]));
            rest = later;
            let Some(block) = after.checked_sub(1).and_then(|before| self.blocks.get(before))
            else {
                continue; // before the first key
            };
            damaged += self.read_block(block, &mut bytes)?;
            let report = read_records(&bytes, |record| {
                let start = asked.partition_point(|(key, _)| *key < record.action);
                let same = asked.iter().skip(start).take_while(|(key, _)| *key == record.action);
                for (_, position) in same {
                    found(*position, record);
                }
            });
            damaged += bytes.len() - report.consumed + report.damaged;
        }
        Ok(damaged)
    }

    /// Passes every record, in order; gives the number of damaged bytes.
    pub(super) fn each(&self, mut each: impl FnMut(Record<'_>)) -> io::Result<usize> {
        let mut damaged = 0;
        let mut bytes = Vec::new();
        for block in &self.blocks {
            damaged += self.read_block(block, &mut bytes)?;
            let report = read_records(&bytes, &mut each);
            damaged += bytes.len() - report.consumed + report.damaged;
        }
        Ok(damaged)
    }

    /// Fills `bytes` with a block, or with nothing if the file ends before it.
    fn read_block(&self, block: &Block, bytes: &mut Vec<u8>) -> io::Result<usize> {
        bytes.clear();
        bytes.resize(usize::try_from(block.length).unwrap_or(0), 0);
        match self.file.read_exact_at(bytes, block.offset) {
            Ok(()) => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let lost = bytes.len();
                bytes.clear();
                Ok(lost)
            }
            Err(error) => Err(error),
        }
    }
}

/// `Ok(None)` where the index is not what the trailer says.
fn read_index(
    file: &File,
    trailer: &[u8; TRAILER_LENGTH],
    trailer_at: u64,
) -> io::Result<Option<Vec<Block>>> {
    let parts = || {
        let (numbers, rest) = trailer.split_first_chunk::<12>()?;
        let (sum, magic) = rest.split_first_chunk::<8>()?;
        let (offset, count) = numbers.split_first_chunk::<8>()?;
        let offset = u64::from_le_bytes(*offset);
        let count = u64::from(u32::from_le_bytes(count.try_into().ok()?));
        let length = trailer_at.checked_sub(offset)?;
        let fine = magic == INDEX_MAGIC
            && offset >= HEADER_LENGTH as u64
            && length == count.checked_mul(ENTRY_LENGTH as u64)?;
        // The length is that of bytes which are in the file, so it may be allocated.
        fine.then_some((numbers, *sum, offset, usize::try_from(length).ok()?))
    };
    let Some((numbers, sum, offset, length)) = parts() else { return Ok(None) };
    let mut index = vec![0; length];
    file.read_exact_at(&mut index, offset)?;
    let mut guarded = index;
    guarded.extend_from_slice(numbers);
    if checksum(&guarded) != sum {
        return Ok(None);
    }
    guarded.truncate(length);
    let blocks = guarded.chunks_exact(ENTRY_LENGTH).filter_map(|entry| {
        let (first, rest) = entry.split_first_chunk::<32>()?;
        let (block_offset, block_length) = rest.split_first_chunk::<8>()?;
        Some(Block {
            first: ActionDigest(*first),
            offset: u64::from_le_bytes(*block_offset),
            length: u32::from_le_bytes(block_length.try_into().ok()?),
        })
    });
    let blocks: Vec<Block> = blocks.collect();
    let inside = |block: &Block| {
        block.offset.checked_add(u64::from(block.length)).is_some_and(|end| end <= offset)
    };
    Ok(blocks.iter().all(inside).then_some(blocks))
}

/// The bytes of a table with these records, which must ascend strictly.
pub(super) fn encode_table<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Vec<u8> {
    let mut out = header(FileKind::Table).to_vec();
    let mut index = Vec::new();
    let mut blocks = 0_u32;
    let mut open: Option<(ActionDigest, usize, usize)> = None; // first key, offset, records
    let mut close = |(first, start, _): (ActionDigest, usize, usize), end: usize| {
        index.extend_from_slice(&first.0);
        index.extend_from_slice(&(start as u64).to_le_bytes());
        index.extend_from_slice(&u32::try_from(end - start).unwrap_or(u32::MAX).to_le_bytes());
        blocks += 1;
    };
    for record in records {
        let start = out.len();
        if !append_record(&mut out, &record) {
            continue; // was too large for a journal, too
        }
        open = match open {
            Some((first, from, count)) if count < BLOCK_RECORDS => Some((first, from, count + 1)),
            full => {
                if let Some(block) = full {
                    close(block, start);
                }
                Some((record.action, start, 1))
            }
        };
    }
    if let Some(block) = open {
        close(block, out.len());
    }
    let mut numbers = (out.len() as u64).to_le_bytes().to_vec();
    numbers.extend_from_slice(&blocks.to_le_bytes());
    out.extend_from_slice(&index);
    index.extend_from_slice(&numbers);
    out.extend_from_slice(&numbers);
    out.extend_from_slice(&checksum(&index));
    out.extend_from_slice(INDEX_MAGIC);
    out
}

#[cfg(test)]
mod tests;
