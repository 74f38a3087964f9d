//! What is in a `.pyc`, for people to read: header, and the code objects with their names and
//! constants as Python would show them. Bounded in length whatever the payload.

mod repr;

use bytekiln_python::Release;

use crate::header::{HEADER_LENGTH, Header, HeaderError};
use crate::limits::Limits;
use crate::marshal::{self, CodeField, CodeNumbers, CodeObject, DecodeError, NodeId, Object, Tree};
use repr::Renderer;

/// A `.pyc` in words.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its header.
    pub header: Header,
    /// The release that the magic number belongs to.
    pub release: Release,
    /// Its code objects, the module first, each before those in its constants.
    pub code_objects: Vec<CodeSummary>,
}

/// A code object in words. Bytes of lone surrogates show as U+FFFD, integers beyond 64 bits in
/// hexadecimal.
#[derive(Debug, Clone)]
pub struct CodeSummary {
    /// Index of the code object in whose constants it was met first; `None` for the module.
    pub parent: Option<usize>,
    /// `co_name`.
    pub name: String,
    /// `co_qualname`; from 3.11.
    pub qualname: Option<String>,
    /// `co_filename`.
    pub filename: String,
    /// Argument counts, stack size, flags and first line.
    pub numbers: CodeNumbers,
    /// `co_consts`, as `repr` shows them; code objects by their index in
    /// [`Summary::code_objects`].
    pub consts: Vec<String>,
    /// `co_names`.
    pub names: Vec<String>,
    /// Local variables: `co_localsplusnames`, up to 3.10 `co_varnames`.
    pub locals: Vec<String>,
    /// Length of `co_code` in bytes.
    pub code_bytes: usize,
}

/// Why bytes are no `.pyc` that can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SummaryError {
    /// No header.
    Header(HeaderError),
    /// A magic number of no final release from 3.8 to 3.15.
    UnknownMagic(u16),
    /// No payload of that release.
    Payload(DecodeError),
    /// The payload is another object.
    NotCode,
}

/// Reads a `.pyc` for showing it.
pub fn summary(pyc: &[u8], limits: &Limits) -> Result<Summary, SummaryError> {
    let header = Header::parse(pyc).map_err(SummaryError::Header)?;
    let release = header.release().ok_or(SummaryError::UnknownMagic(header.magic))?;
    let payload = pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let tree = marshal::decode(payload, release, limits).map_err(SummaryError::Payload)?;
    let found = find_code_objects(&tree);
    if found.in_order.is_empty() {
        return Err(SummaryError::NotCode);
    }
    let mut renderer = Renderer::new(&tree, &found.index, payload.len());
    let code_objects =
        found.in_order.iter().map(|(code, parent)| describe(code, *parent, &mut renderer));
    let code_objects = code_objects.collect();
    Ok(Summary { header, release, code_objects })
}

struct Found<'t> {
    in_order: Vec<(CodeObject<'t>, Option<usize>)>,
    /// For each node, the index in `in_order` of the code object that it is.
    index: Vec<Option<usize>>,
}

/// The code objects, each once, parents first; those that hide in containers within the constants
/// (no compiler puts them there) are left out.
fn find_code_objects<'t>(tree: &'t Tree<'t>) -> Found<'t> {
    let mut found = Found { in_order: Vec::new(), index: vec![None; tree.nodes.len()] };
    // Code objects may share a tuple of constants; it is searched once.
    let mut searched = vec![false; tree.nodes.len()];
    let mut open: Vec<(NodeId, Option<usize>)> = vec![(tree.root(), None)];
    while let Some((id, parent)) = open.pop() {
        let id = tree.resolve(id);
        let Object::Code(code) = tree.get(id) else { continue };
        let Some(place) = found.index.get_mut(id.0 as usize) else { continue };
        if place.is_some() {
            continue;
        }
        let index = found.in_order.len();
        *place = Some(index);
        found.in_order.push((code, parent));
        let consts = code.field(CodeField::Consts).and_then(|id| searched.get_mut(id.0 as usize));
        if consts.is_some_and(|searched| !std::mem::replace(searched, true)) {
            let elements = code.elements(CodeField::Consts).iter().rev();
            open.extend(elements.map(|element| (*element, Some(index))));
        }
    }
    found
}

fn describe(
    code: &CodeObject<'_>,
    parent: Option<usize>,
    renderer: &mut Renderer<'_>,
) -> CodeSummary {
    let locals = if code.field(CodeField::LocalsPlusNames).is_some() {
        CodeField::LocalsPlusNames
    } else {
        CodeField::Varnames
    };
    CodeSummary {
        parent,
        name: renderer.plain_field(code, CodeField::Name),
        qualname: code
            .field(CodeField::Qualname)
            .map(|_| renderer.plain_field(code, CodeField::Qualname)),
        filename: renderer.plain_field(code, CodeField::Filename),
        numbers: code.numbers(),
        consts: renderer.each(code.elements(CodeField::Consts), Renderer::repr),
        names: renderer.each(code.elements(CodeField::Names), Renderer::plain),
        locals: renderer.each(code.elements(locals), Renderer::plain),
        code_bytes: code.bytes(CodeField::Code).len(),
    }
}

impl std::fmt::Display for SummaryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SummaryError::Header(error) => error.fmt(f),
            SummaryError::UnknownMagic(magic) => {
                write!(f, "magic number {magic} of no final release from 3.8 to 3.15")
            }
            SummaryError::Payload(error) => error.fmt(f),
            SummaryError::NotCode => f.write_str("payload is not a code object"),
        }
    }
}

impl std::error::Error for SummaryError {}
