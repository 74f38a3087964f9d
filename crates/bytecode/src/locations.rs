//! Where code stands in the source: `co_lnotab` (3.8 and 3.9), `co_linetable` of PEP 626 (3.10) and
//! of PEP 657 (3.11 and later). Knows nothing of instructions.

use bytekiln_python::Release;

use crate::instruction::{Location, TableError};
use crate::reader::Reader;

/// The locations of the code, from its beginning to its end and without gaps: `table` is `co_lnotab`
/// or `co_linetable` of the release, `first_line` is `co_firstlineno`, `code_length` the length of
/// `co_code` in bytes. From 3.10 one location an entry, so that neighbours may be equal; what the
/// table does not reach stands nowhere. In 3.8 and 3.9 one a change of line.
///
/// # Errors
/// An entry that is cut off, does not begin as an entry does, holds a number too large, or (from
/// 3.10) reaches beyond the code.
pub fn locations(
    release: Release,
    table: &[u8],
    first_line: i32,
    code_length: usize,
) -> Result<Vec<Location>, TableError> {
    let length = u32::try_from(code_length)
        .map_err(|_| TableError { offset: 0, problem: "the code is too long" })?;
    let mut run = Run { locations: Vec::new(), at: 0, length };
    match release.minor() {
        ..=9 => pairs(table, first_line, &mut run)?,
        10 => ranges(table, first_line, &mut run)?,
        11.. => positions(table, first_line, &mut run)?,
    }
    run.finish(release.minor());
    Ok(run.locations)
}

/// The locations so far.
struct Run {
    locations: Vec<Location>,
    /// Offset behind the last of them.
    at: u32,
    /// Of the code.
    length: u32,
}

/// Lines and columns of a location.
#[derive(Default)]
struct Span {
    line: Option<i32>,
    end_line: Option<i32>,
    column: Option<u32>,
    end_column: Option<u32>,
}

impl Run {
    /// Adds a location of the next `bytes` bytes; an empty one is none.
    fn push(&mut self, bytes: u32, span: &Span) {
        let (start, end) = (self.at, self.at.saturating_add(bytes));
        let Span { line, end_line, column, end_column } = *span;
        if bytes > 0 {
            self.locations.push(Location { start, end, line, end_line, column, end_column });
        }
        self.at = end;
    }

    fn left(&self) -> u32 {
        self.length.saturating_sub(self.at)
    }

    /// What the table does not reach: in the old format it goes on with the last line, which
    /// [`pairs`] has seen to; later it stands nowhere.
    fn finish(&mut self, minor: u8) {
        debug_assert!(minor > 9 || self.left() == 0);
        self.push(self.left(), &Span::default());
    }
}

const BEYOND: &str = "an entry reaches beyond the code";
const LARGE: &str = "a number is too large";
const FAR: &str = "a line is too far away";

/// `co_lnotab`: pairs of an unsigned count of bytes and a signed count of lines. The lines apply
/// behind the bytes; what is behind the end of the code was optimized away and left in the table.
fn pairs(table: &[u8], first_line: i32, run: &mut Run) -> Result<(), TableError> {
    let mut reader = Reader::new(table);
    let mut line = first_line;
    let mut pending = 0;
    while !reader.is_at_end() {
        let bytes = u32::from(reader.byte()?);
        let error = reader.error(FAR);
        let lines = i32::from(reader.byte()?.cast_signed());
        pending = run.left().min(pending + bytes);
        if lines != 0 {
            run.push(pending, &Span { line: Some(line), ..Span::default() });
            pending = 0;
            line = line.checked_add(lines).ok_or(error)?;
        }
    }
    // A line of zero bytes that the next pair takes back leaves two equal neighbours.
    run.push(run.left(), &Span { line: Some(line), ..Span::default() });
    run.locations.dedup_by(|next, last| {
        let same = next.line == last.line;
        if same {
            last.end = next.end;
        }
        same
    });
    Ok(())
}

/// `co_linetable` of 3.10: pairs of an unsigned count of bytes and a signed count of lines. The
/// lines apply to the bytes; -128 says that they have none.
fn ranges(table: &[u8], first_line: i32, run: &mut Run) -> Result<(), TableError> {
    let mut reader = Reader::new(table);
    let mut line = first_line;
    while !reader.is_at_end() {
        let error = reader.error(BEYOND);
        let bytes = u32::from(reader.byte()?);
        let far = reader.error(FAR);
        let lines = reader.byte()?.cast_signed();
        if bytes > run.left() {
            return Err(error);
        }
        if lines == i8::MIN {
            run.push(bytes, &Span::default());
        } else {
            line = line.checked_add(i32::from(lines)).ok_or(far)?;
            run.push(bytes, &Span { line: somewhere(line), ..Span::default() });
        }
    }
    Ok(())
}

/// `co_linetable` from 3.11. The first byte of an entry: bit 7, four bits of form, three bits of
/// length in code units, less one.
fn positions(table: &[u8], first_line: i32, run: &mut Run) -> Result<(), TableError> {
    let mut reader = Reader::new(table);
    let mut line = first_line;
    while !reader.is_at_end() {
        let beyond = reader.error(BEYOND);
        let unmarked = reader.error("an entry does not begin as one");
        let far = reader.error(FAR);
        let first = reader.byte()?;
        if first & 0x80 == 0 {
            return Err(unmarked);
        }
        let bytes = 2 * (u32::from(first & 7) + 1);
        if bytes > run.left() {
            return Err(beyond);
        }
        let form = first >> 3 & 15;
        let mut advance = |lines: i32| {
            line = line.checked_add(lines).ok_or(far)?;
            Ok(line)
        };
        let span = match form {
            // On the same line; column and width are small.
            0..=9 => {
                let second = u32::from(inner(&mut reader)?);
                let column = u32::from(form) * 8 + (second >> 4 & 7);
                on_line(advance(0)?, column, column + (second & 15))
            }
            // One of the next lines, and two columns of a byte each.
            10..=12 => {
                let line = advance(i32::from(form - 10))?;
                on_line(line, u32::from(inner(&mut reader)?), u32::from(inner(&mut reader)?))
            }
            // A line without columns.
            13 => {
                let line = somewhere(advance(signed(&mut reader)?)?);
                Span { line, end_line: line, ..Span::default() }
            }
            // Anything.
            14 => {
                let start = advance(signed(&mut reader)?)?;
                let lines = i32::try_from(number(&mut reader)?).map_err(|_| far)?;
                let end = start.checked_add(lines).ok_or(far)?;
                Span {
                    line: somewhere(start),
                    end_line: somewhere(end),
                    column: number(&mut reader)?.checked_sub(1),
                    end_column: number(&mut reader)?.checked_sub(1),
                }
            }
            // Nowhere.
            _ => Span::default(),
        };
        run.push(bytes, &span);
    }
    Ok(())
}

fn on_line(line: i32, column: u32, end_column: u32) -> Span {
    let line = somewhere(line);
    Span { line, end_line: line, column: Some(column), end_column: Some(end_column) }
}

/// The interpreter takes line -1 for none.
fn somewhere(line: i32) -> Option<i32> {
    (line != -1).then_some(line)
}

/// A byte of an entry behind its first. It has no bit 7: the interpreter finds the next entry by
/// that, so that lines and columns would disagree.
fn inner(reader: &mut Reader<'_>) -> Result<u8, TableError> {
    let error = reader.error("an entry begins within another");
    let byte = reader.byte()?;
    if byte & 0x80 == 0 { Ok(byte) } else { Err(error) }
}

/// A number in groups of six bits, lowest first; bit 6 says that more follow.
fn number(reader: &mut Reader<'_>) -> Result<u32, TableError> {
    let mut value = 0_u32;
    let mut shift = 0;
    loop {
        let error = reader.error(LARGE);
        let byte = inner(reader)?;
        let group = u32::from(byte & 0x3f);
        if shift > 30 || group.checked_shl(shift).is_none_or(|high| high >> shift != group) {
            return Err(error);
        }
        value |= group << shift;
        shift += 6;
        if byte & 0x40 == 0 {
            return Ok(value);
        }
    }
}

/// A number whose lowest bit is its sign.
fn signed(reader: &mut Reader<'_>) -> Result<i32, TableError> {
    let value = number(reader)?;
    let magnitude = (value >> 1).cast_signed();
    Ok(if value & 1 == 1 { -magnitude } else { magnitude })
}
