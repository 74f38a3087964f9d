//! Where the bytes of `co_code`, line table and exception table first differ in what they mean.

use bytekiln_codec::CodeField;

use crate::disassembly::{Disassembly, handler_text, location_at, location_text};
use crate::render::Renderer;

/// Where two tables differ, and what is there.
pub(super) struct Found {
    pub(super) subject: String,
    pub(super) index: Option<u32>,
    pub(super) offset: Option<u32>,
    pub(super) line: Option<i32>,
    pub(super) sides: [Option<String>; 2],
}

/// The first instruction that differs.
pub(super) fn code<'t>(sides: [&Disassembly<'t>; 2], renderers: [&mut Renderer<'t>; 2]) -> Found {
    let [l, r] = sides;
    let [left_renderer, right_renderer] = renderers;
    let (mut lefts, mut rights) = (l.instructions(), r.instructions());
    for index in 0_u32.. {
        let (left, right) = (lefts.next(), rights.next());
        if left.is_none() && right.is_none() {
            break;
        }
        // Two jumps of one length may lead to one target, and two constants of one index differ:
        // what counts is the instruction itself. Offsets agree as long as all before did.
        if left == right {
            continue;
        }
        let offset = left.or(right).map(|instruction| instruction.offset);
        let line = offset.and_then(|offset| {
            location_at(&l.locations().ok()?, offset).and_then(|location| location.line)
        });
        let place = match (offset, line) {
            (Some(offset), Some(line)) => format!(" (offset {offset}, line {line})"),
            (Some(offset), None) => format!(" (offset {offset})"),
            _ => String::new(),
        };
        let left = left.map(|found| format!("`{}`", l.text(&found, left_renderer)));
        let right = right.map(|found| format!("`{}`", r.text(&found, right_renderer)));
        return Found {
            subject: format!("instruction {index}{place}"),
            index: Some(index),
            offset,
            line,
            sides: [left, right],
        };
    }
    bytes(sides, CodeField::Code)
}

/// The first instruction that stands elsewhere in the source.
pub(super) fn line_table(sides: [&Disassembly<'_>; 2]) -> Found {
    let [l, r] = sides;
    let (Ok(lefts), Ok(rights)) = (l.locations(), r.locations()) else {
        return bytes(sides, CodeField::LineTable);
    };
    for (index, instruction) in (0_u32..).zip(l.instructions()) {
        let offset = instruction.offset;
        let (left, right) = (location_at(&lefts, offset), location_at(&rights, offset));
        let span = |found: Option<&bytekiln_bytecode::Location>| {
            found.map(|at| (at.line, at.end_line, at.column, at.end_column))
        };
        if span(left) == span(right) {
            continue;
        }
        let line = |found: Option<&bytekiln_bytecode::Location>| found.and_then(|at| at.line);
        let lines_differ = line(left) != line(right);
        let what = if lines_differ { "line" } else { "place" };
        let text = |found| Some(location_text(found, !lines_differ));
        return Found {
            subject: format!("{what} of instruction {index} (offset {offset})"),
            index: Some(index),
            offset: Some(offset),
            line: line(left),
            sides: [text(left), text(right)],
        };
    }
    bytes(sides, CodeField::LineTable)
}

/// The first row of the exception table that differs.
pub(super) fn exception_table(sides: [&Disassembly<'_>; 2]) -> Found {
    let [l, r] = sides;
    let (Ok(lefts), Ok(rights)) = (l.handlers(), r.handlers()) else {
        return bytes(sides, CodeField::ExceptionTable);
    };
    let same = lefts.iter().zip(&rights).take_while(|(left, right)| left == right).count();
    let (left, right) = (lefts.get(same), rights.get(same));
    if left.is_none() && right.is_none() {
        return bytes(sides, CodeField::ExceptionTable);
    }
    Found {
        subject: format!("exception handler {same}"),
        index: Some(same as u32),
        offset: left.or(right).map(|handler| handler.start),
        line: None,
        sides: [left, right].map(|handler| handler.map(|row| format!("`{}`", handler_text(row)))),
    }
}

/// The first byte that differs, where all that is decoded agrees or nothing can be.
fn bytes([l, r]: [&Disassembly<'_>; 2], field: CodeField) -> Found {
    let (left, right) = (l.code.bytes(field), r.code.bytes(field));
    let same = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let byte = |bytes: &[u8]| bytes.get(same).map(|byte| format!("{byte:#04x}"));
    Found {
        subject: format!("byte {same} of `{}`", field.name()),
        index: None,
        offset: None,
        line: None,
        sides: [byte(left), byte(right)],
    }
}
