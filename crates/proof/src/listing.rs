//! Everything that is in a `.pyc`, ready to be shown. Bounded in size whatever the payload: code
//! objects may share their parts, and a listing shows each of them. Knows nothing of layout.

use bytekiln_bytecode::{
    Handler, Instruction, Location, Operand, TableError, code_flags, local_kinds,
};
use bytekiln_codec::{
    CanonicalOptions, CodeField, CodeNumbers, CodeObject, HEADER_LENGTH, Header, Limits, NanPolicy,
    NodeId, Object, Tree, canonicalize,
};
use bytekiln_python::Release;

use crate::disassembly::{Disassembly, location_at, name};
use crate::names::qualified;
use crate::pyc::{Pyc, ReadError};
use crate::render::Renderer;

/// What to list.
#[derive(Debug, Clone, Copy)]
pub struct ListOptions {
    /// Whether instructions are listed.
    pub instructions: bool,
    /// Whether line table and exception table are listed.
    pub tables: bool,
    /// About how many characters of one constant or name.
    pub width: usize,
    /// What to refuse.
    pub limits: Limits,
}

impl Default for ListOptions {
    fn default() -> ListOptions {
        ListOptions { instructions: true, tables: true, width: 240, limits: Limits::default() }
    }
}

/// What is in a `.pyc`.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Its header.
    pub header: Header,
    /// The release that the magic number belongs to.
    pub release: Release,
    /// Its code objects, the module first, each before those in its constants. Those that hide in
    /// containers within constants (no compiler puts them there) are left out.
    pub code_objects: Vec<CodeListing>,
    /// Whether all was listed; a payload that would ask for much more than its length is cut.
    pub complete: bool,
}

/// What is in a code object. Names show control characters and lone surrogates escaped.
#[derive(Debug, Clone)]
pub struct CodeListing {
    /// Index of the code object in whose constants it was met first; `None` for the module.
    pub parent: Option<usize>,
    /// `co_name`.
    pub name: String,
    /// `co_qualname`; up to 3.10, what it would be.
    pub qualname: String,
    /// `co_filename`.
    pub filename: String,
    /// Argument counts, stack size, flags and first line.
    pub numbers: CodeNumbers,
    /// Names of the flags that are set and have a name.
    pub flags: Vec<&'static str>,
    /// `co_consts`, as `repr` shows them.
    pub constants: Vec<Constant>,
    /// `co_names`.
    pub names: Vec<String>,
    /// Variables: those of `co_localsplusnames`, up to 3.10 of `co_varnames`, `co_cellvars` and
    /// `co_freevars`.
    pub variables: Vec<Variable>,
    /// Length of `co_code` in bytes.
    pub code_bytes: usize,
    /// The instructions, if asked for.
    pub instructions: Vec<InstructionListing>,
    /// Where runs of instructions stand in the source, if asked for.
    pub locations: Result<Vec<Location>, TableError>,
    /// Rows of the exception table, if asked for; none before 3.11.
    pub handlers: Result<Vec<Handler>, TableError>,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// As `repr` shows it, cut where it gets long.
    pub text: String,
    /// For code objects, the index in [`Listing::code_objects`].
    pub code_object: Option<usize>,
}

/// A local variable, parameter, cell or free variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// `local`, `cell`, `free`, `hidden`; from 3.14 also how an argument is passed.
    pub kinds: Vec<&'static str>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstructionListing {
    /// Offset of its opcode in bytes.
    pub offset: u32,
    /// The opcode.
    pub opcode: u8,
    /// Its name; `<N>` for an opcode that the release does not have.
    pub name: String,
    /// The argument, prefixes included.
    pub argument: Option<u32>,
    /// What that means: the constant, the name, the target of a jump; `None` if it is a number.
    pub meaning: Option<String>,
    /// Where it stands in the source.
    pub location: Option<Location>,
    /// Whether it is the first one of its line.
    pub starts_line: bool,
    /// Whether a jump leads to it.
    pub is_jump_target: bool,
    /// Whether an exception handler begins with it.
    pub is_handler: bool,
}

/// Bytes counted for a row of a table or an instruction, beside its text.
const ROW: usize = 48;

/// Reads a `.pyc` for showing it.
pub fn list(pyc: &[u8], options: &ListOptions) -> Result<Listing, ReadError> {
    let Pyc { header, release, tree } = Pyc::read(pyc, &options.limits)?;
    let found = find_code_objects(&tree);
    let budget = pyc.len().saturating_mul(64).max(4 << 20);
    let mut lister = Lister {
        tree: &tree,
        release,
        options,
        found: &found,
        renderer: Renderer::new(&tree, options.width, budget),
        complete: true,
    };
    let code_objects = (0..found.in_order.len()).map_while(|index| lister.code(index)).collect();
    let complete = lister.complete;
    Ok(Listing { header, release, code_objects, complete })
}

/// Whether the payload of a `.pyc` is in canonical form under the path that it records.
pub fn is_canonical(pyc: &[u8], limits: &Limits) -> Result<bool, ReadError> {
    let Pyc { release, tree, .. } = Pyc::read(pyc, limits)?;
    let payload = pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let path = match tree.get(tree.root()) {
        Object::Code(code) => code.field(CodeField::Filename).map(|id| utf8(&tree, id)),
        _ => None,
    };
    let recorded_path = path.unwrap_or_default();
    let options = CanonicalOptions {
        release,
        recorded_path: &recorded_path,
        limits: *limits,
        nans: NanPolicy::Kept,
    };
    let canonical = canonicalize(payload, &options).map_err(ReadError::Payload)?;
    Ok(canonical == payload)
}

/// The bytes of a string in UTF-8 with lone surrogates.
fn utf8(tree: &Tree<'_>, id: NodeId) -> Vec<u8> {
    match tree.get(tree.resolve(id)) {
        Object::Text { bytes, latin1: true, .. } => {
            bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
        }
        Object::Text { bytes, .. } => bytes.to_vec(),
        _ => Vec::new(),
    }
}

struct Found<'t> {
    /// Code object, the index of the one above it, and how deep it lies.
    in_order: Vec<(CodeObject<'t>, Option<usize>)>,
    /// The node of each and its index, sorted.
    index: Vec<(NodeId, usize)>,
}

impl Found<'_> {
    fn index_of(&self, id: NodeId) -> Option<usize> {
        let place = self.index.binary_search_by_key(&id, |(node, _)| *node).ok()?;
        self.index.get(place).map(|(_, index)| *index)
    }
}

/// The code objects, each once, parents first.
fn find_code_objects<'t>(tree: &'t Tree<'t>) -> Found<'t> {
    let mut in_order: Vec<(CodeObject<'t>, Option<usize>)> = Vec::new();
    let mut index = std::collections::BTreeMap::new();
    // Code objects may share a tuple of constants; it is searched once.
    let mut searched = std::collections::BTreeSet::new();
    let mut open: Vec<(NodeId, Option<usize>)> = vec![(tree.root(), None)];
    while let Some((id, parent)) = open.pop() {
        let id = tree.resolve(id);
        let Object::Code(code) = tree.get(id) else { continue };
        let place = in_order.len();
        if index.contains_key(&id) {
            continue;
        }
        index.insert(id, place);
        in_order.push((code, parent));
        if code.field(CodeField::Consts).is_some_and(|consts| searched.insert(consts)) {
            let elements = code.elements(CodeField::Consts).iter().rev();
            open.extend(elements.map(|element| (*element, Some(place))));
        }
    }
    Found { in_order, index: index.into_iter().collect() }
}

struct Lister<'a, 't> {
    tree: &'t Tree<'t>,
    release: Release,
    options: &'a ListOptions,
    found: &'a Found<'t>,
    renderer: Renderer<'t>,
    complete: bool,
}

impl<'t> Lister<'_, 't> {
    /// `None` when the budget is spent.
    fn code(&mut self, index: usize) -> Option<CodeListing> {
        let (code, parent) = self.found.in_order.get(index)?;
        if self.renderer.is_spent() {
            self.complete = false;
            return None;
        }
        let qualname = self.qualname(index);
        let disassembly = Disassembly::new(*code, self.release);
        let consts = code.elements(CodeField::Consts);
        let found = self.found;
        let tree = self.tree;
        let texts = self.renderer.each(consts, Renderer::repr);
        let nodes = consts.iter().map(|id| found.index_of(tree.resolve(*id)));
        let constants = texts.into_iter().zip(nodes.chain(std::iter::repeat(None)));
        let constants =
            constants.map(|(text, code_object)| Constant { text, code_object }).collect();
        let numbers = code.numbers();
        let mut listing = CodeListing {
            parent: *parent,
            name: self.renderer.plain_field(code, CodeField::Name),
            qualname,
            filename: self.renderer.plain_field(code, CodeField::Filename),
            numbers,
            flags: code_flags(self.release, numbers.flags as u32),
            constants,
            names: self.renderer.each(code.elements(CodeField::Names), Renderer::plain),
            variables: self.variables(code),
            code_bytes: code.bytes(CodeField::Code).len(),
            instructions: Vec::new(),
            locations: Ok(Vec::new()),
            handlers: Ok(Vec::new()),
        };
        if self.options.instructions {
            listing.instructions = self.instructions(&disassembly);
        }
        if self.options.tables {
            self.renderer.spend(code.bytes(CodeField::LineTable).len() * ROW);
            listing.locations = disassembly.locations();
            self.renderer.spend(code.bytes(CodeField::ExceptionTable).len() * ROW);
            listing.handlers = disassembly.handlers();
        }
        self.complete &= !self.renderer.is_spent();
        Some(listing)
    }

    fn qualname(&mut self, index: usize) -> String {
        let mut codes = Vec::new();
        let mut next = Some(index);
        while let Some((code, parent)) = next.and_then(|index| self.found.in_order.get(index)) {
            codes.push(*code);
            next = *parent;
            if code.field(CodeField::Qualname).is_some() {
                break;
            }
        }
        codes.reverse();
        self.renderer.spend(codes.len() * ROW);
        qualified(self.tree, &codes, self.options.width)
    }

    fn variables(&mut self, code: &CodeObject<'t>) -> Vec<Variable> {
        let mut all = Vec::new();
        let kinds = code.bytes(CodeField::LocalsPlusKinds);
        let fields = [
            (CodeField::LocalsPlusNames, ""),
            (CodeField::Varnames, "local"),
            (CodeField::Cellvars, "cell"),
            (CodeField::Freevars, "free"),
        ];
        for (field, kind) in fields {
            let names = self.renderer.each(code.elements(field), Renderer::plain);
            for (index, name) in names.into_iter().enumerate() {
                let kinds = match kinds.get(index) {
                    Some(byte) if kind.is_empty() => local_kinds(*byte),
                    _ => vec![kind],
                };
                all.push(Variable { name, kinds });
            }
        }
        all
    }

    fn instructions(&mut self, disassembly: &Disassembly<'t>) -> Vec<InstructionListing> {
        let length = disassembly.code.bytes(CodeField::Code).len();
        let tables = disassembly.code.bytes(CodeField::LineTable).len()
            + disassembly.code.bytes(CodeField::ExceptionTable).len();
        // Before the work is done: code objects may share a long table.
        self.renderer.spend((length + tables) * 2);
        let locations = disassembly.locations().unwrap_or_default();
        let targets = sorted(disassembly.instructions().filter_map(|found| match found.operand {
            Operand::Jump(target) => target,
            _ => None,
        }));
        let handlers = disassembly.handlers().unwrap_or_default();
        let handlers = sorted(handlers.iter().map(|handler| handler.target));
        let mut all = Vec::new();
        let mut line = None;
        for instruction in disassembly.instructions() {
            if self.renderer.is_spent() {
                break;
            }
            self.renderer.spend(ROW);
            let Instruction { start, offset, opcode, argument, .. } = instruction;
            let location = location_at(&locations, offset).copied();
            let own_line = location.and_then(|location| location.line);
            let starts_line = own_line.is_some() && own_line != line;
            line = own_line.or(line);
            let leads =
                |to: &[u32]| to.binary_search(&start).is_ok() || to.binary_search(&offset).is_ok();
            all.push(InstructionListing {
                offset,
                opcode,
                name: name(&instruction),
                argument,
                meaning: disassembly.meaning(&instruction, &mut self.renderer),
                location,
                starts_line,
                is_jump_target: leads(&targets),
                is_handler: leads(&handlers),
            });
        }
        all
    }
}

fn sorted(offsets: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all: Vec<u32> = offsets.collect();
    all.sort_unstable();
    all.dedup();
    all
}
