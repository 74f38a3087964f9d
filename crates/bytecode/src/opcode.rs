//! What is stated of an opcode, and the instruction set of a release as a table of them. Knows no
//! release by name, and nothing of bytes of code.

/// What the argument of an opcode stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// There is none.
    Bare,
    /// The higher bits of the next instruction's argument.
    Prefix,
    /// A plain number.
    Number,
    /// Index of a constant.
    Const,
    /// Index of a name.
    Name,
    /// Index of a name, above so many bits that select one of these; empty if they add nothing.
    Flagged(u32, &'static [&'static str]),
    /// Index of a local variable.
    Local,
    /// Two of them, four bits each; the first may be prefixed.
    LocalPair,
    /// Index of a cell or free variable.
    Cell,
    /// A jump to so many code units from the beginning.
    Absolute,
    /// A jump over so many code units.
    Forward,
    /// A jump back over so many code units.
    Backward,
    /// No jump, but counted like one backwards: where control came from.
    Origin,
    /// The integer itself.
    SmallInt,
    /// Above so many bits, index of what it selects.
    Select(u32, &'static [&'static str]),
}

/// An opcode of a release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opcode {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Inline caches behind the instruction, in units of two bytes.
    pub(crate) caches: u8,
}

/// A row of a table: opcode, name, kind of argument, caches.
pub(crate) type Row = (u8, &'static str, Kind, u8);

/// The instruction set of a release.
#[derive(Debug)]
pub(crate) struct Set {
    opcodes: [Option<Opcode>; 256],
    /// Flags of code objects, lowest first.
    pub(crate) flags: &'static [(u32, &'static str)],
    /// Bytes in the unit in which jumps are counted.
    pub(crate) unit: u32,
    /// Opcodes that do not exist have an argument from here on.
    argument_from: u16,
}

impl Set {
    pub(crate) const fn new(
        rows: &[Row],
        flags: &'static [(u32, &'static str)],
        unit: u32,
        argument_from: u16,
    ) -> Set {
        let mut opcodes = [None; 256];
        let mut index = 0;
        while index < rows.len() {
            let (opcode, name, kind, caches) = rows[index];
            opcodes[opcode as usize] = Some(Opcode { name, kind, caches });
            index += 1;
        }
        Set { opcodes, flags, unit, argument_from }
    }

    /// What is known of an opcode; `None` if the release has no such one.
    pub(crate) fn opcode(&self, opcode: u8) -> Option<&Opcode> {
        self.opcodes[usize::from(opcode)].as_ref()
    }

    /// The kind of its argument, also of an opcode that does not exist.
    pub(crate) fn kind(&self, opcode: u8) -> Kind {
        match self.opcode(opcode) {
            Some(known) => known.kind,
            None if u16::from(opcode) >= self.argument_from => Kind::Number,
            None => Kind::Bare,
        }
    }
}
