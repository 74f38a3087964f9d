//! A divergence that the codec found, in words: names, indices, values, instructions.

use bytekiln_bytecode::{code_flags, local_kinds, unnamed_flags};
use bytekiln_codec::{CodeField, CodeObject, Divergence, Found, NodeId, Object, Place, Tree};
use bytekiln_python::Release;

use super::difference::{Finding, PlaceKind};
use super::tables;
use crate::disassembly::Disassembly;
use crate::names::qualified;
use crate::render::Renderer;

/// Characters of one value.
const WIDTH: usize = 80;
/// Elements of sets that are compared one by one.
const SET: usize = 1000;

pub(super) struct Describer<'t> {
    trees: [&'t Tree<'t>; 2],
    renderers: [Renderer<'t>; 2],
    release: Release,
}

/// Where in a code object, in words and in terms of CPython.
struct Spot {
    kind: PlaceKind,
    subject: String,
    place: String,
    index: Option<u32>,
}

impl<'t> Describer<'t> {
    pub(super) fn new(left: &'t Tree<'t>, right: &'t Tree<'t>, release: Release) -> Describer<'t> {
        let renderer = |tree| Renderer::new(tree, WIDTH, usize::MAX);
        Describer { trees: [left, right], renderers: [renderer(left), renderer(right)], release }
    }

    pub(super) fn finding(&mut self, divergence: &Divergence) -> Finding {
        let [left_tree, _] = self.trees;
        let [left, _] = divergence.code;
        let mut codes: Vec<CodeObject<'t>> = Vec::new();
        let above = divergence.path.iter().map(|step| {
            let [left, _] = step.code;
            left
        });
        for id in std::iter::once(left_tree.root()).chain(above) {
            if let Object::Code(code) = left_tree.get(id) {
                codes.push(code);
            }
        }
        let name = qualified(left_tree, &codes, WIDTH);
        let line = codes.last().map(|code| code.numbers().firstlineno);
        let mut finding = Finding {
            kind: PlaceKind::Number,
            code_object: name.clone(),
            code_path: divergence.path.iter().map(|step| step.constant).collect(),
            place: divergence.place.field_name().to_owned(),
            index: None,
            offset: None,
            line,
            left: None,
            right: None,
            subject: String::new(),
            identity: divergence.identity,
        };
        let tabular = match &divergence.place {
            Place::Field { field, .. } => self.table(*field, divergence.code),
            Place::Number(_) => None,
        };
        if let Some((kind, found)) = tabular {
            let [on_left, on_right] = found.sides;
            (finding.left, finding.right) = (on_left, on_right);
            finding.line = found.line.or(line);
            (finding.kind, finding.index, finding.offset) = (kind, found.index, found.offset);
            finding.subject = format!("{} of `{name}`", found.subject);
            return finding;
        }
        let spot = self.spot(&divergence.place, left);
        finding.subject = format!("{} of `{name}`", spot.subject);
        (finding.kind, finding.place, finding.index) = (spot.kind, spot.place, spot.index);
        [finding.left, finding.right] = self.values(divergence);
        finding
    }

    /// What the tables of two code objects say, for fields that are tables.
    fn table(
        &mut self,
        field: CodeField,
        [left, right]: [NodeId; 2],
    ) -> Option<(PlaceKind, tables::Found)> {
        let [left_tree, right_tree] = self.trees;
        let (Object::Code(left), Object::Code(right)) =
            (left_tree.get(left), right_tree.get(right))
        else {
            return None;
        };
        let left = Disassembly::new(left, self.release);
        let right = Disassembly::new(right, self.release);
        let sides = [&left, &right];
        Some(match field {
            CodeField::Code => {
                let [l, r] = &mut self.renderers;
                (PlaceKind::Instruction, tables::code(sides, [l, r]))
            }
            CodeField::LineTable => (PlaceKind::Location, tables::line_table(sides)),
            CodeField::ExceptionTable => (PlaceKind::Handler, tables::exception_table(sides)),
            CodeField::LocalsPlusKinds => (PlaceKind::Local, self.kinds(sides)),
            _ => return None,
        })
    }

    /// The first variable that is of another kind.
    fn kinds(&mut self, [left, right]: [&Disassembly<'t>; 2]) -> tables::Found {
        let field = CodeField::LocalsPlusKinds;
        let (lefts, rights) = (left.code.bytes(field), right.code.bytes(field));
        let same = lefts.iter().zip(rights).take_while(|(a, b)| a == b).count();
        let [left_renderer, right_renderer] = &mut self.renderers;
        let name = match (left.locals().get(same), right.locals().get(same)) {
            (Some(id), _) => left_renderer.plain(*id),
            (None, Some(id)) => right_renderer.plain(*id),
            (None, None) => String::new(),
        };
        let kind = |bytes: &[u8]| {
            bytes.get(same).map(|byte| match local_kinds(*byte).as_slice() {
                [] => format!("{byte:#04x}"),
                kinds => kinds.join(" "),
            })
        };
        tables::Found {
            subject: format!("kind of variable {same} (`{name}`)"),
            index: Some(same as u32),
            offset: None,
            line: None,
            sides: [kind(lefts), kind(rights)],
        }
    }

    /// Where a place without a table is.
    fn spot(&self, place: &Place, code: NodeId) -> Spot {
        let (field, elements) = match place {
            Place::Number(name) => {
                let (place, subject) = ((*name).to_owned(), format!("`{name}`"));
                return Spot { kind: PlaceKind::Number, subject, place, index: None };
            }
            Place::Field { field, elements } => (*field, elements.as_slice()),
        };
        let all: String = brackets(elements);
        let inner: String = brackets(elements.get(1..).unwrap_or_default());
        let place = format!("{}{all}", field.name());
        let index = elements.first().copied();
        let (kind, what) = match field {
            CodeField::Consts => {
                let docstring = index == Some(0) && self.has_docstring(code);
                let what = if docstring { "docstring (constant 0)" } else { "" };
                (PlaceKind::Constant, if what.is_empty() { "constant" } else { what })
            }
            CodeField::Names => (PlaceKind::Name, "name"),
            CodeField::Filename => (PlaceKind::Path, "recorded path"),
            CodeField::Varnames | CodeField::LocalsPlusNames => (PlaceKind::Local, "variable"),
            CodeField::Cellvars => (PlaceKind::Local, "cell variable"),
            CodeField::Freevars => (PlaceKind::Local, "free variable"),
            _ => (PlaceKind::Name, ""),
        };
        let subject = match index {
            Some(_) if what.ends_with(')') => what.to_owned(),
            Some(index) if inner.is_empty() => format!("{what} {index}"),
            Some(index) => format!("element {inner} of {what} {index}"),
            None if field == CodeField::Filename => what.to_owned(),
            None => format!("`{}`", field.name()),
        };
        Spot { kind, subject, place, index }
    }

    /// Whether the first constant is the docstring for certain (`CO_HAS_DOCSTRING`, 3.14).
    fn has_docstring(&self, code: NodeId) -> bool {
        let [tree, _] = self.trees;
        match tree.get(code) {
            Object::Code(code) => {
                let flags = code_flags(self.release, code.numbers().flags as u32);
                flags.contains(&"HAS_DOCSTRING")
            }
            _ => false,
        }
    }

    /// What is there on either side.
    fn values(&mut self, divergence: &Divergence) -> [Option<String>; 2] {
        let [l, r] = self.trees;
        match (divergence.left, divergence.right) {
            (Found::Object(left), Found::Object(right)) => {
                let [on_left, on_right] = self.objects([left, right]);
                let path = Place::Field { field: CodeField::Filename, elements: Vec::new() };
                if divergence.place == path {
                    return [(on_left, l, left), (on_right, r, right)]
                        .map(|(text, tree, id)| Some(format!("{text}{}", whose(tree, id))));
                }
                let same = on_left == on_right && !divergence.identity;
                let detail = |text: String, tree: &Tree<'_>, id| {
                    Some(if same { format!("{text} ({})", precisely(tree, id)) } else { text })
                };
                [detail(on_left, l, left), detail(on_right, r, right)]
            }
            (left, right) => {
                let [left_renderer, right_renderer] = &mut self.renderers;
                let release = self.release;
                let place = &divergence.place;
                [(left, left_renderer), (right, right_renderer)].map(
                    |(found, renderer)| match found {
                        Found::Object(id) => Some(renderer.repr(id)),
                        Found::Number(number) => Some(match place {
                            Place::Number("co_flags") => flags_text(release, number),
                            _ => number.to_string(),
                        }),
                        Found::Nothing => None,
                    },
                )
            }
        }
    }

    /// Two objects; of long ones, the part in which they differ.
    fn objects(&mut self, [left, right]: [NodeId; 2]) -> [String; 2] {
        let [l, r] = self.trees;
        let [left_renderer, right_renderer] = &mut self.renderers;
        let start = match (l.get(left), r.get(right)) {
            (
                Object::Text { bytes: a, latin1: x, .. },
                Object::Text { bytes: b, latin1: y, .. },
            ) if x == y => first_shown(a, b),
            (Object::Bytes(a), Object::Bytes(b)) => first_shown(a, b),
            (Object::Frozenset(a), Object::Frozenset(b)) if a.len().max(b.len()) <= SET => {
                let lefts: Vec<String> = a.iter().map(|id| left_renderer.repr(*id)).collect();
                let rights: Vec<String> = b.iter().map(|id| right_renderer.repr(*id)).collect();
                return [without(&lefts, &rights), without(&rights, &lefts)];
            }
            _ => 0,
        };
        [left_renderer.repr_from(left, start), right_renderer.repr_from(right, start)]
    }
}

/// Whether a recorded path is that of the module, and goes where the module goes.
fn whose(tree: &Tree<'_>, path: NodeId) -> &'static str {
    let bytes = |id: Option<NodeId>| match id.map(|id| tree.get(tree.resolve(id))) {
        Some(Object::Text { bytes, .. }) => Some(bytes),
        _ => None,
    };
    let module = match tree.get(tree.root()) {
        Object::Code(module) => module.field(CodeField::Filename),
        _ => None,
    };
    if bytes(module) == bytes(Some(path)) { "" } else { " (not the module's)" }
}

/// `a frozenset with 'a'`: what the other does not have.
fn without(own: &[String], other: &[String]) -> String {
    let other: std::collections::BTreeSet<&String> = other.iter().collect();
    let mut only: Vec<&str> =
        own.iter().filter(|text| !other.contains(text)).map(String::as_str).collect();
    only.sort_unstable();
    match only.as_slice() {
        [] => "a frozenset without".to_owned(),
        [one] => format!("a frozenset with {one}"),
        [one, .., last] if only.len() == 2 => format!("a frozenset with {one} and {last}"),
        [one, more @ ..] => format!("a frozenset with {one} and {} more", more.len()),
    }
}

/// From where on to show long strings that differ.
fn first_shown(left: &[u8], right: &[u8]) -> usize {
    if left.len().max(right.len()) <= WIDTH {
        return 0;
    }
    let same = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    same.saturating_sub(WIDTH / 4)
}

/// For values that look the same: what they are to the bit.
fn precisely(tree: &Tree<'_>, id: NodeId) -> String {
    match tree.get(tree.resolve(id)) {
        Object::Float(number) => format!("float {:#018x}", number.to_bits()),
        Object::Complex(real, imaginary) => {
            format!("complex {:#018x} {:#018x}", real.to_bits(), imaginary.to_bits())
        }
        Object::Integer(integer) => {
            let low = integer.digits.first().copied().unwrap_or_default();
            format!("{} digits of 15 bits, the lowest {low:#06x}", integer.digits.len())
        }
        Object::Tuple(elements) => format!("tuple of {}", elements.len()),
        Object::Frozenset(elements) => format!("frozenset of {}", elements.len()),
        Object::Code(_) => "another code object".to_owned(),
        _ => "further on".to_owned(),
    }
}

/// `0x43 (OPTIMIZED, NEWLOCALS, NOFREE)`.
pub(crate) fn flags_text(release: Release, flags: i32) -> String {
    let bits = flags as u32;
    let mut names: Vec<String> = code_flags(release, bits).into_iter().map(str::to_owned).collect();
    let unnamed = unnamed_flags(release, bits);
    if unnamed != 0 {
        names.push(format!("{unnamed:#x}"));
    }
    if names.is_empty() {
        format!("{flags:#x}")
    } else {
        format!("{flags:#x} ({})", names.join(", "))
    }
}

/// Elements shown of a path before it is cut short: no compiler nests so deep, but hostile files do.
const PATH_SHOWN: usize = 16;

/// `[4][0]`, the way to an element.
fn brackets(path: &[u32]) -> String {
    let shown = path.get(..PATH_SHOWN).unwrap_or(path);
    let mut text: String = shown.iter().map(|index| format!("[{index}]")).collect();
    let left = path.len() - shown.len();
    if left > 0 {
        text.push_str(&format!("… ({left} deeper)"));
    }
    text
}
