//! Qualified names of code objects; before 3.11, which has no `co_qualname`, as the compiler makes
//! them (PEP 3155). Knows nothing of where they are shown.

use bytekiln_codec::{CodeField, CodeObject, Tree};

use crate::render::Renderer;

/// `CO_OPTIMIZED` and `CO_NEWLOCALS`, which functions have and classes have not.
const FUNCTION: i32 = 0x3;

/// The qualified name of the last of these code objects, each of which is in the constants of the
/// one before; the first is the module.
pub(crate) fn qualified(tree: &Tree<'_>, codes: &[CodeObject<'_>], width: usize) -> String {
    let mut renderer = Renderer::new(tree, width, usize::MAX);
    let Some(last) = codes.last() else { return String::new() };
    if last.field(CodeField::Qualname).is_some() || codes.len() < 2 {
        return renderer.code_name(last);
    }
    let mut name = String::new();
    for code in codes.get(1..).unwrap_or_default() {
        if name.len() > width {
            name.push('…');
            break;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&renderer.plain_field(code, CodeField::Name));
        let is_last = std::ptr::eq(code, last);
        if !is_last && code.numbers().flags & FUNCTION == FUNCTION {
            name.push_str(".<locals>");
        }
    }
    name
}
