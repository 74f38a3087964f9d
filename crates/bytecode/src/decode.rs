//! Bytes of `co_code` to instructions. Knows the encoding, which all releases share, and takes from
//! a table what they do not.

use bytekiln_python::Release;

use crate::instruction::{Instruction, Operand};
use crate::opcode::{Kind, Set};
use crate::tables;

/// The instructions of `co_code`, in order and without gaps: each begins where the one before ends.
/// Total and linear on any bytes. Beyond what a compiler emits:
///
/// * an opcode that the release does not have is an instruction without a name;
/// * of a chain of `EXTENDED_ARG` the last four bytes of the argument count, as in the interpreter;
///   at the end of the code it is an instruction of its own;
/// * caches end with the code;
/// * a last odd byte is an instruction without argument.
///
/// Specialized and instrumented opcodes, which only running code has, are decoded as what they stand
/// in for, under their own name.
#[must_use]
pub fn instructions(release: Release, code: &[u8]) -> Instructions<'_> {
    Instructions { set: tables::set(release), code, at: 0 }
}

/// Iterator of [`instructions`].
#[derive(Debug, Clone)]
pub struct Instructions<'a> {
    set: &'static Set,
    code: &'a [u8],
    /// Offset of the next instruction; never beyond the end.
    at: usize,
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        let start = self.at;
        let mut prefix = 0_u32;
        loop {
            let offset = self.at;
            let &opcode = self.code.get(offset)?;
            let known = self.set.opcode(opcode);
            let kind = self.set.kind(opcode);
            let low = self.code.get(offset + 1).copied();
            let argument = low.map(|low| prefix | u32::from(low));
            let caches = known.map_or(0, |known| usize::from(known.caches));
            self.at = self.code.len().min(offset + 2 + 2 * caches);
            if let (Kind::Prefix, Some(argument)) = (kind, argument)
                && self.at < self.code.len()
            {
                prefix = argument << 8;
                continue;
            }
            let argument = argument.filter(|_| !matches!(kind, Kind::Bare));
            let next = offset as u64 + 2 + 2 * caches as u64;
            return Some(Instruction {
                start: position(start),
                offset: position(offset),
                end: position(self.at),
                opcode,
                name: known.map(|known| known.name),
                argument,
                operand: argument
                    .map_or(Operand::None, |argument| operand(self.set, kind, argument, next)),
            });
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.code.len() - self.at;
        (left.min(1), Some(left.div_ceil(2)))
    }
}

impl std::iter::FusedIterator for Instructions<'_> {}

/// An offset, which a `.pyc` cannot have beyond `i32::MAX`.
fn position(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// What an argument stands for; `next` is the offset behind the instruction and its caches.
fn operand(set: &Set, kind: Kind, argument: u32, next: u64) -> Operand {
    let distance = u64::from(argument) * u64::from(set.unit);
    let forward = |target: u64| u32::try_from(target).ok();
    let backward = || next.checked_sub(distance).and_then(forward);
    match kind {
        Kind::Bare => Operand::None,
        Kind::Prefix | Kind::Number => Operand::Number(argument),
        Kind::Const => Operand::Const(argument),
        Kind::Name => Operand::Name(argument, None),
        Kind::Flagged(shift, flags) => {
            let low = argument & ((1 << shift) - 1);
            let flag = flags.get(low as usize).copied().filter(|flag| !flag.is_empty());
            Operand::Name(argument >> shift, flag)
        }
        Kind::Local => Operand::Local(argument),
        Kind::LocalPair => Operand::LocalPair(argument >> 4, argument & 15),
        Kind::Cell => Operand::Cell(argument),
        Kind::Absolute => Operand::Jump(forward(distance)),
        Kind::Forward => Operand::Jump(forward(next + distance)),
        Kind::Backward => Operand::Jump(backward()),
        Kind::Origin => Operand::Origin(backward()),
        Kind::SmallInt => Operand::SmallInt(argument),
        Kind::Select(shift, choices) => {
            let choice = choices.get((argument >> shift) as usize);
            let choice = choice.filter(|choice| !choice.is_empty());
            choice.map_or(Operand::Number(argument), |choice| Operand::Selected(choice))
        }
    }
}
