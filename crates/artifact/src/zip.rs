//! Zips, read from the central directory at their end, as `zipimport` does: bytes before the first
//! entry do not matter. Our own reading of APPNOTE.TXT 6.3.10, sections 4.3 to 4.5, because
//! what matters here is what libraries tidy away: the raw DOS times that `zipimport` compares, two
//! entries of one name, and reading on several threads from one descriptor. Deflate is flate2's.

mod directory;
mod name;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;

use flate2::read::DeflateDecoder;
use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::error::Fault;
use crate::tar::At;

pub(crate) use directory::{Directory, list, looks_like_zip};

/// Where the bytes of an entry are, and what they must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Of the local header, from the beginning of the file.
    header: u64,
    compressed: u64,
    size: u64,
    crc: u32,
    deflated: bool,
}

/// A local header without name and extra field.
const LOCAL_HEADER: usize = 30;

/// Where the packed bytes of an entry begin; all of them are in the file.
fn find_data(file: &File, place: &Place) -> Result<u64, Fault> {
    let mut local = [0; LOCAL_HEADER];
    file.read_exact_at(&mut local, place.header)
        .map_err(|error| ended(error, "its local header"))?;
    if local[..4] != *b"PK\x03\x04" {
        return Err(Fault::damaged("no local header where the central directory says"));
    }
    let name = u64::from(u16::from_le_bytes([local[26], local[27]]));
    let extra = u64::from(u16::from_le_bytes([local[28], local[29]]));
    let start = place
        .header
        .checked_add(LOCAL_HEADER as u64 + name + extra)
        .ok_or_else(|| Fault::damaged("offset beyond the end"))?;
    // Before any memory is asked for: the file must be able to hold what it says it does.
    let length = file.metadata()?.len();
    if start.checked_add(place.compressed).is_none_or(|end| end > length) {
        return Err(Fault::damaged("its data go beyond the end of the archive"));
    }
    Ok(start)
}

/// Reads one entry.
pub(crate) fn read(file: &File, place: &Place, limit: u64) -> Result<Vec<u8>, Fault> {
    if place.size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let start = find_data(file, place)?;
    let too_large = || Fault::TooLarge(limit);
    let mut stored = vec![0; usize::try_from(place.compressed).map_err(|_| too_large())?];
    file.read_exact_at(&mut stored, start).map_err(|error| ended(error, "its data"))?;
    let size = usize::try_from(place.size).map_err(|_| too_large())?;
    let bytes = if place.deflated { inflate(&stored, size)? } else { stored };
    let mut crc = Crc::new();
    crc.update(&bytes);
    check_content(place, bytes.len() as u64, &crc)?;
    Ok(bytes)
}

fn check_content(place: &Place, size: u64, crc: &Crc) -> Result<(), Fault> {
    if size != place.size {
        return Err(Fault::damaged(format!(
            "it has {size} bytes where the directory says {}",
            place.size
        )));
    }
    if crc.sum() != place.crc {
        return Err(Fault::damaged(format!(
            "its checksum is {:08x} where the directory says {:08x}",
            crc.sum(),
            place.crc
        )));
    }
    Ok(())
}

/// An entry that is read in parts; size and checksum are checked at its end.
pub(crate) struct Stream<'a> {
    place: Place,
    unpacked: Unpacked<'a>,
    crc: Crc,
    size: u64,
}

enum Unpacked<'a> {
    Stored(At<'a>),
    Deflated(DeflateDecoder<At<'a>>),
}

/// Opens one entry.
pub(crate) fn open<'a>(file: &'a File, place: &Place) -> Result<Stream<'a>, Fault> {
    let packed = At::range(file, find_data(file, place)?, place.compressed);
    let unpacked = if place.deflated {
        Unpacked::Deflated(DeflateDecoder::new(packed))
    } else {
        Unpacked::Stored(packed)
    };
    Ok(Stream { place: *place, unpacked, crc: Crc::new(), size: 0 })
}

impl Stream<'_> {
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let count = match &mut self.unpacked {
            Unpacked::Stored(packed) => packed.read(buffer)?,
            Unpacked::Deflated(packed) => packed.read(buffer).map_err(|error| {
                if error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted {
                    return Fault::Io(error);
                }
                Fault::damaged(format!("its data do not inflate: {error}"))
            })?,
        };
        self.crc.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        // More than promised may be without end.
        if (count == 0 && !buffer.is_empty()) || self.size > self.place.size {
            check_content(&self.place, self.size, &self.crc)?;
        }
        Ok(count)
    }
}

fn ended(error: std::io::Error, what: &str) -> Fault {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return Fault::damaged(format!("the archive ends within {what}"));
    }
    Fault::Io(error)
}

/// Inflates to exactly `size` bytes. Memory grows with what really comes out, not with what the
/// directory promises.
fn inflate(stored: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
    /// Deflate packs at most 1032 to 1; what promises more is refused before memory is asked for.
    const MAX_RATIO: usize = 1032;
    let damaged = |what: &str| Fault::damaged(format!("its data do not inflate: {what}"));
    if size / MAX_RATIO > stored.len() {
        return Err(damaged("more is promised than deflate can pack"));
    }
    // One byte more, to see whether there is more than promised.
    let mut out = Vec::with_capacity(size + 1);
    let mut inflater = Decompress::new(false);
    loop {
        let before = (inflater.total_in(), inflater.total_out());
        let consumed = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let rest = stored.get(consumed..).unwrap_or_default();
        let status = inflater
            .decompress_vec(rest, &mut out, FlushDecompress::Finish)
            .map_err(|_| damaged("invalid codes"))?;
        if status == Status::StreamEnd {
            return Ok(out);
        }
        if out.len() > size {
            return Err(damaged("more comes out than the directory says"));
        }
        if (inflater.total_in(), inflater.total_out()) == before {
            return Err(damaged("they end early"));
        }
    }
}
