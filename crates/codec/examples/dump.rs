//! Prints what is in a cache: `dump FILE`.

use std::error::Error;

use bytekiln_codec::{CodeField, HEADER_LENGTH, Header, Limits, NodeId, Object, Tree, decode};

#[expect(clippy::print_stdout, reason = "an example that prints what it read")]
fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("usage: dump FILE")?;
    let pyc = std::fs::read(file)?;
    let header = Header::parse(&pyc)?;
    let release = header.release().ok_or("a magic number of no final release")?;
    println!("Python {release}, {:?}", header.validation);
    let tree = decode(&pyc[HEADER_LENGTH..], release, &Limits::default())?;
    dump(&tree, tree.root(), 0);
    Ok(())
}

/// Prints a code object, and those among its constants below it.
#[expect(clippy::print_stdout, reason = "an example that prints what it read")]
fn dump(tree: &Tree<'_>, id: NodeId, depth: usize) {
    let Object::Code(code) = tree.get(tree.resolve(id)) else { return };
    let indent = "  ".repeat(depth);
    let name = String::from_utf8_lossy(code.bytes(CodeField::Name));
    let (line, length) = (code.numbers().firstlineno, code.bytes(CodeField::Code).len());
    println!("{indent}{name}, line {line}, {length} bytes of instructions");
    for constant in code.elements(CodeField::Consts) {
        match tree.get(tree.resolve(*constant)) {
            // Deeper than this is no compiler's work.
            Object::Code(_) if depth < 100 => dump(tree, *constant, depth + 1),
            Object::Text { bytes, .. } => {
                println!("{indent}  constant {:?}", String::from_utf8_lossy(bytes));
            }
            Object::Tuple(elements) => println!("{indent}  constant tuple of {}", elements.len()),
            other => println!("{indent}  constant {other:?}"),
        }
    }
}
