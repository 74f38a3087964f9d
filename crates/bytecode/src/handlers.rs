//! `co_exceptiontable` (3.11 and later; `Objects/exception_handling_notes.txt` of CPython). Knows
//! nothing of the code that the table covers.

use crate::instruction::{Handler, TableError};
use crate::reader::Reader;

/// The rows of `co_exceptiontable`, in the order of the table. They need not lie within the code.
///
/// # Errors
/// A row that is cut off, or a number too large for an offset.
pub fn handlers(table: &[u8]) -> Result<Vec<Handler>, TableError> {
    let mut reader = Reader::new(table);
    let mut rows = Vec::new();
    while !reader.is_at_end() {
        let offset = reader.offset();
        let start = number(&mut reader)?;
        let length = number(&mut reader)?;
        let target = number(&mut reader)?;
        let depth_and_lasti = number(&mut reader)?;
        let end = start.checked_add(length);
        let bytes = |units: u32| units.checked_mul(2).ok_or(TableError { offset, problem: LARGE });
        rows.push(Handler {
            start: bytes(start)?,
            end: end.ok_or(TableError { offset, problem: LARGE }).and_then(bytes)?,
            target: bytes(target)?,
            depth: depth_and_lasti >> 1,
            push_lasti: depth_and_lasti & 1 == 1,
        });
    }
    Ok(rows)
}

const LARGE: &str = "a number is too large";

/// A number in groups of six bits, highest first; bit 6 says that more follow. Bit 7, the mark of
/// the first number of a row, says nothing to who reads from the beginning.
fn number(reader: &mut Reader<'_>) -> Result<u32, TableError> {
    let mut value = 0_u32;
    loop {
        let error = reader.error(LARGE);
        let byte = reader.byte()?;
        if value >> 26 != 0 {
            return Err(error);
        }
        value = value << 6 | u32::from(byte & 0x3f);
        if byte & 0x40 == 0 {
            return Ok(value);
        }
    }
}
