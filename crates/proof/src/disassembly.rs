//! Instructions of a code object with what their arguments mean and where they stand in the source.
//! Knows nothing of how they are laid out.

use bytekiln_bytecode::{
    Handler, Instruction, Location, Operand, TableError, handlers, instructions, locations,
};
use bytekiln_codec::{CodeField, CodeObject, NodeId};
use bytekiln_python::Release;

use crate::render::Renderer;

/// A code object whose tables can be asked.
pub(crate) struct Disassembly<'t> {
    pub(crate) code: CodeObject<'t>,
    pub(crate) release: Release,
    /// `co_cellvars + co_freevars` up to 3.10, later empty.
    cells: Vec<NodeId>,
}

impl<'t> Disassembly<'t> {
    pub(crate) fn new(code: CodeObject<'t>, release: Release) -> Disassembly<'t> {
        let mut cells = code.elements(CodeField::Cellvars).to_vec();
        cells.extend_from_slice(code.elements(CodeField::Freevars));
        Disassembly { code, release, cells }
    }

    pub(crate) fn instructions(&self) -> impl Iterator<Item = Instruction> + use<'t> {
        instructions(self.release, self.code.bytes(CodeField::Code))
    }

    /// The locations of its code, in order.
    pub(crate) fn locations(&self) -> Result<Vec<Location>, TableError> {
        let length = self.code.bytes(CodeField::Code).len();
        let first_line = self.code.numbers().firstlineno;
        locations(self.release, self.code.bytes(CodeField::LineTable), first_line, length)
    }

    pub(crate) fn handlers(&self) -> Result<Vec<Handler>, TableError> {
        handlers(self.code.bytes(CodeField::ExceptionTable))
    }

    /// The tuple of local variables: `co_localsplusnames`, up to 3.10 `co_varnames`.
    pub(crate) fn locals(&self) -> &'t [NodeId] {
        match self.release.minor() {
            ..=10 => self.code.elements(CodeField::Varnames),
            11.. => self.code.elements(CodeField::LocalsPlusNames),
        }
    }

    /// What the argument of an instruction means; `None` if the number says it all.
    pub(crate) fn meaning(
        &self,
        instruction: &Instruction,
        renderer: &mut Renderer<'t>,
    ) -> Option<String> {
        let local = |index: u32, renderer: &mut Renderer<'t>| {
            at(self.locals(), index).map(|id| renderer.plain(id))
        };
        match instruction.operand {
            Operand::Const(index) => {
                at(self.code.elements(CodeField::Consts), index).map(|id| renderer.repr(id))
            }
            Operand::Name(index, flag) => {
                let name = at(self.code.elements(CodeField::Names), index)?;
                let name = renderer.plain(name);
                Some(match flag {
                    Some(flag) => format!("{name} + {flag}"),
                    None => name,
                })
            }
            Operand::Local(index) => local(index, renderer),
            Operand::LocalPair(one, other) => {
                Some(format!("{}, {}", local(one, renderer)?, local(other, renderer)?))
            }
            Operand::Cell(index) if self.release.minor() < 11 => {
                at(&self.cells, index).map(|id| renderer.plain(id))
            }
            Operand::Cell(index) => local(index, renderer),
            Operand::Jump(Some(target)) => Some(format!("to {target}")),
            Operand::Origin(Some(origin)) => Some(format!("from {origin}")),
            Operand::Selected(what) => Some(what.to_owned()),
            _ => None,
        }
    }

    /// `LOAD_CONST 1 (2)`.
    pub(crate) fn text(&self, instruction: &Instruction, renderer: &mut Renderer<'t>) -> String {
        let mut text = name(instruction);
        if let Some(argument) = instruction.argument {
            text.push_str(&format!(" {argument}"));
        }
        if let Some(meaning) = self.meaning(instruction, renderer) {
            text.push_str(&format!(" ({meaning})"));
        }
        text
    }
}

/// Its name, or the number of an opcode that the release does not have.
pub(crate) fn name(instruction: &Instruction) -> String {
    match instruction.name {
        Some(name) => name.to_owned(),
        None => format!("<{}>", instruction.opcode),
    }
}

/// The location of the instruction at this offset.
pub(crate) fn location_at(locations: &[Location], offset: u32) -> Option<&Location> {
    let index = locations.partition_point(|location| location.end <= offset);
    locations.get(index).filter(|location| location.start <= offset)
}

/// `7`, `7:4-7:10`, or `no line`.
pub(crate) fn location_text(location: Option<&Location>, columns: bool) -> String {
    let Some((location, line)) = location.and_then(|found| Some((found, found.line?))) else {
        return "no line".to_owned();
    };
    let spans = (location.column, location.end_line, location.end_column);
    match spans {
        (Some(column), Some(end_line), Some(end_column)) if columns => {
            format!("{line}:{column}-{end_line}:{end_column}")
        }
        (_, Some(end_line), _) if columns && end_line != line => format!("{line}-{end_line}"),
        _ => line.to_string(),
    }
}

/// `24 to 40 -> 60, depth 1`.
pub(crate) fn handler_text(handler: &Handler) -> String {
    let Handler { start, end, target, depth, push_lasti } = handler;
    let lasti = if *push_lasti { ", lasti" } else { "" };
    format!("{start} to {end} -> {target}, depth {depth}{lasti}")
}

fn at(ids: &[NodeId], index: u32) -> Option<NodeId> {
    ids.get(index as usize).copied()
}
