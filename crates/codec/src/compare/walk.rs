//! Two sets of values side by side. In each, equal values have one id; so the two are equal if and
//! only if the ids correspond one to one, and a pair that was found equal is never looked into again.
//! Up to the first divergence the work is linear; beyond it, it is bounded.

use std::collections::BTreeSet;

use super::names;
use super::values::Operand;
use super::{CodeStep, CompareOptions, Divergence, Found, Place};
use crate::canonical::values::{Kind, ValueId};
use crate::marshal::{CodeField, CodeNumbers};

/// What is compared first: what a reader understands best.
const FIELDS: [CodeField; 13] = [
    CodeField::Name,
    CodeField::Qualname,
    CodeField::Consts,
    CodeField::Names,
    CodeField::Varnames,
    CodeField::LocalsPlusNames,
    CodeField::LocalsPlusKinds,
    CodeField::Cellvars,
    CodeField::Freevars,
    CodeField::Code,
    CodeField::ExceptionTable,
    CodeField::LineTable,
    CodeField::Filename,
];

pub(super) type Pair = [ValueId; 2];

/// Two code objects to compare, and how they were come by.
#[derive(Clone, Copy)]
pub(super) struct CodePair {
    ids: Pair,
    /// Index in `steps`.
    step: Option<usize>,
}

/// Two containers whose elements are being compared.
struct Frame {
    ids: Pair,
    next: usize,
    differs: bool,
}

enum Outcome {
    Equal,
    Different,
    /// Of equal bits, but not the same throughout.
    OtherIdentity,
    /// Two code objects.
    Code,
    /// Two containers to look into.
    Open,
}

pub(super) struct Walk<'a> {
    pub(super) sides: [&'a Operand<'a>; 2],
    recorded_paths: bool,
    listed: usize,
    /// For each value of a side, the equal one of the other plus one; zero if not known yet.
    partners: [Vec<u32>; 2],
    different: BTreeSet<Pair>,
    /// Work left once something was found.
    left: usize,
    steps: Vec<(Option<usize>, CodeStep)>,
    open: Vec<CodePair>,
    /// Code objects met in the current one.
    nested: Vec<CodePair>,
    /// For each class of [`class`], those that are listed, with the number of their code object.
    found: [Vec<(usize, Divergence)>; CLASSES],
    /// Number of the code object that is being compared.
    current: usize,
    pub(super) total: usize,
    pub(super) fields: BTreeSet<&'static str>,
    pub(super) differing_code_objects: usize,
    pub(super) complete: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(sides: [&'a Operand<'a>; 2], options: &CompareOptions) -> Walk<'a> {
        let bytes: usize = sides.iter().map(|side| side.tree.payload().len()).sum();
        Walk {
            sides,
            recorded_paths: options.recorded_paths,
            listed: options.listed.max(1),
            partners: sides.map(|side| vec![0; side.values().count()]),
            different: BTreeSet::new(),
            left: bytes.saturating_mul(8).max(1 << 20),
            steps: Vec::new(),
            open: Vec::new(),
            nested: Vec::new(),
            found: [const { Vec::new() }; CLASSES],
            current: 0,
            total: 0,
            fields: BTreeSet::new(),
            differing_code_objects: 0,
            complete: true,
        }
    }

    /// The divergences in the order in which they are told.
    pub(super) fn take_found(&mut self) -> Vec<Divergence> {
        let mut all = Vec::new();
        for found in &mut self.found {
            found.sort_by(|(one, a), (other, b)| {
                (one, rank(&a.place)).cmp(&(other, rank(&b.place)))
            });
            all.extend(found.drain(..).map(|(_, divergence)| divergence));
        }
        all.truncate(self.listed);
        all
    }

    /// For each value of the left, the equal one of the right plus one.
    pub(super) fn partners_of_left(&self) -> &[u32] {
        let [left, _] = &self.partners;
        left
    }

    pub(super) fn run(&mut self) {
        let root = self.sides.map(|side| side.root);
        self.join(root);
        self.open.push(CodePair { ids: root, step: None });
        while let Some(pair) = self.open.pop() {
            let before = self.total;
            self.current += 1;
            self.code(pair);
            self.differing_code_objects += usize::from(self.total > before);
            self.open.extend(self.nested.drain(..).rev());
            if self.exhausted() {
                self.complete = false;
                return;
            }
        }
    }

    fn exhausted(&self) -> bool {
        self.left == 0 && self.total > 0
    }

    fn spend(&mut self, work: usize) {
        self.left = self.left.saturating_sub(work);
    }

    /// Notes that two values are equal.
    pub(super) fn join(&mut self, [left, right]: Pair) {
        let [lefts, rights] = &mut self.partners;
        if let (Some(l), Some(r)) = (lefts.get_mut(left as usize), rights.get_mut(right as usize)) {
            (*l, *r) = (right + 1, left + 1);
        }
    }

    /// What each of the two is known to equal on the other side, plus one.
    pub(super) fn known(&self, [left, right]: Pair) -> (u32, u32) {
        let [lefts, rights] = &self.partners;
        let of = |all: &[u32], id: ValueId| all.get(id as usize).copied().unwrap_or(0);
        (of(lefts, left), of(rights, right))
    }

    pub(super) fn report(
        &mut self,
        pair: CodePair,
        place: impl FnOnce() -> Place,
        found: [Found; 2],
        identity: bool,
    ) {
        self.total += 1;
        let place = place();
        self.fields.insert(place.field_name());
        let full = |found: &Vec<_>| found.len() >= self.listed;
        if self.found.get(class(&place)).is_none_or(full) {
            return;
        }
        let mut path = Vec::new();
        let mut step = pair.step;
        while let Some((parent, taken)) = step.and_then(|index| self.steps.get(index)) {
            path.push(*taken);
            step = *parent;
        }
        path.reverse();
        let [left, right] = found;
        let code = self.nodes(pair.ids);
        let class = class(&place);
        let divergence = Divergence { path, code, place, left, right, identity };
        if let Some(found) = self.found.get_mut(class) {
            found.push((self.current, divergence));
        }
    }

    fn nodes(&self, [left, right]: Pair) -> [crate::NodeId; 2] {
        let [l, r] = self.sides;
        [l.node(left), r.node(right)]
    }

    fn objects(&self, ids: Pair) -> [Found; 2] {
        self.nodes(ids).map(Found::Object)
    }

    /// Compares the fields of two code objects; those in their constants are put into `nested`.
    fn code(&mut self, pair: CodePair) {
        let [l, r] = self.sides;
        let [left, right] = pair.ids;
        let (Some(a), Some(b)) = (l.code(left), r.code(right)) else { return };
        let (a, b) = (numbers(a.numbers), numbers(b.numbers));
        let mut late = Vec::new();
        for ((name, left), (_, right)) in a.into_iter().zip(b) {
            if left == right {
                continue;
            }
            let found = [left, right].map(Found::Number);
            // What follows from other differences comes after them.
            if matches!(name, "co_stacksize" | "co_firstlineno") {
                late.push((name, found));
            } else {
                self.report(pair, || Place::Number(name), found, false);
            }
        }
        for field in FIELDS {
            let (Some(left), Some(right)) = (l.field(left, field), r.field(right, field)) else {
                continue;
            };
            if field == CodeField::LineTable {
                for (name, found) in std::mem::take(&mut late) {
                    self.report(pair, || Place::Number(name), found, false);
                }
            }
            let ids = [left, right];
            match field {
                CodeField::Filename => self.filename(pair, ids),
                CodeField::Consts => self.constants(pair, ids),
                _ => {
                    self.value(pair, field, &[], ids);
                }
            }
        }
    }

    fn filename(&mut self, pair: CodePair, ids: Pair) {
        let [left, right] = ids;
        let [of_left, of_right] = self.sides.map(Operand::recorded_path);
        let own = [of_left == Some(left), of_right == Some(right)];
        match own {
            [true, true] if !self.recorded_paths => {
                self.same_leaf(ids);
            }
            // The one follows the module wherever it goes and the other does not.
            [true, false] | [false, true] if !self.recorded_paths => {
                let field = CodeField::Filename;
                let place = || Place::Field { field, elements: Vec::new() };
                self.report(pair, place, self.objects(ids), false);
            }
            _ => {
                self.value(pair, CodeField::Filename, &[], ids);
            }
        }
    }

    /// Compares `co_consts`. Code objects in it are paired by index where their names agree, and by
    /// name otherwise, so that a function added above them does not make all others differ.
    fn constants(&mut self, pair: CodePair, ids: Pair) {
        let [l, r] = self.sides;
        let [left, right] = ids;
        if self.known(ids) == (right + 1, left + 1) {
            return;
        }
        if !self.different.insert(ids) {
            // Looked into before, for other code objects.
            let place = || Place::Field { field: CodeField::Consts, elements: Vec::new() };
            return self.report(pair, place, self.objects(ids), false);
        }
        let before = self.total;
        let lefts = l.values().children(l.values().get(left));
        let rights = r.values().children(r.values().get(right));
        let mut moved = Vec::new();
        let mut alone = [Vec::new(), Vec::new()];
        let [alone_left, alone_right] = &mut alone;
        let shared = lefts.len().min(rights.len());
        let beyond = |all: &[ValueId]| -> Vec<(u32, ValueId)> {
            let beyond = all.iter().enumerate().skip(shared);
            beyond.map(|(index, id)| (index as u32, *id)).collect()
        };
        for (index, (a, b)) in lefts.iter().zip(rights).enumerate() {
            if self.exhausted() {
                break;
            }
            let ids = [*a, *b];
            let index = index as u32;
            if l.code(*a).is_some() && r.code(*b).is_some() {
                if self.same_names(ids) {
                    self.code_object(pair, CodeField::Consts, &[index], ids);
                } else {
                    moved.push((index, ids));
                }
            } else {
                alone_left.extend(l.code(*a).map(|_| (index, *a)));
                alone_right.extend(r.code(*b).map(|_| (index, *b)));
                self.value(pair, CodeField::Consts, &[index], ids);
            }
        }
        alone_left.extend(beyond(lefts).into_iter().filter(|(_, id)| l.code(*id).is_some()));
        alone_right.extend(beyond(rights).into_iter().filter(|(_, id)| r.code(*id).is_some()));
        if !moved.is_empty() || alone.iter().any(|side| !side.is_empty()) {
            names::pair(self, pair, alone, &moved);
        }
        if lefts.len() != rights.len() {
            self.report_missing(pair, CodeField::Consts, &[], ids);
        }
        if moved.is_empty() && self.total == before {
            self.different.remove(&ids);
            self.join(ids);
        }
    }

    /// Whether two code objects have the same `co_name` and `co_qualname`.
    fn same_names(&mut self, [left, right]: Pair) -> bool {
        let [l, r] = self.sides;
        [CodeField::Name, CodeField::Qualname].into_iter().all(|field| {
            match (l.field(left, field), r.field(right, field)) {
                (Some(a), Some(b)) => self.same_leaf([a, b]),
                _ => true,
            }
        })
    }

    /// Two code objects met at the same place.
    fn code_object(
        &mut self,
        pair: CodePair,
        field: CodeField,
        elements: &[u32],
        ids: Pair,
    ) -> bool {
        let [left, right] = ids;
        match self.known(ids) {
            (0, 0) => {
                let index = elements.first().copied().unwrap_or_default();
                self.descend(pair, [index; 2], ids);
                true
            }
            (l, r) if (l, r) == (right + 1, left + 1) => true,
            _ => {
                let place = || Place::Field { field, elements: elements.to_vec() };
                self.report(pair, place, self.objects(ids), true);
                false
            }
        }
    }

    /// Takes two code objects for the same, and has them compared later.
    pub(super) fn descend(&mut self, pair: CodePair, constant: [u32; 2], ids: Pair) {
        self.join(ids);
        let step = self.steps.len();
        self.steps.push((pair.step, CodeStep { constant, code: self.nodes(ids) }));
        self.nested.push(CodePair { ids, step: Some(step) });
    }

    /// The first element that the longer of two tuples has more.
    fn report_missing(
        &mut self,
        pair: CodePair,
        field: CodeField,
        elements: &[u32],
        [left, right]: Pair,
    ) {
        let [l, r] = self.sides;
        let lefts = l.values().children(l.values().get(left));
        let rights = r.values().children(r.values().get(right));
        let index = lefts.len().min(rights.len());
        let on_left = lefts.get(index).map_or(Found::Nothing, |id| Found::Object(l.node(*id)));
        let on_right = rights.get(index).map_or(Found::Nothing, |id| Found::Object(r.node(*id)));
        let place = || {
            let mut elements = elements.to_vec();
            elements.push(index as u32);
            Place::Field { field, elements }
        };
        self.report(pair, place, [on_left, on_right], false);
    }

    /// Compares two values that stand at a place, and reports where they differ.
    fn value(&mut self, pair: CodePair, field: CodeField, at: &[u32], ids: Pair) -> bool {
        let mut frames: Vec<Frame> = Vec::new();
        let mut next = ids;
        // What is inside of a frozenset has no place; the outermost one is reported.
        let mut outermost_set: Option<usize> = None;
        loop {
            let outcome = self.enter(next);
            let elements = |frames: &[Frame]| -> Vec<u32> {
                let inside = frames.iter().map(|frame| frame.next as u32 - 1);
                at.iter().copied().chain(inside).collect()
            };
            let mut finished = match outcome {
                Outcome::Open => {
                    if outermost_set.is_none() && self.kind(next) == Kind::Frozenset {
                        outermost_set = Some(frames.len());
                    }
                    frames.push(Frame { ids: next, next: 0, differs: false });
                    None
                }
                Outcome::Code if outermost_set.is_none() => {
                    Some(self.code_object(pair, field, &elements(&frames), next))
                }
                Outcome::Equal => Some(true),
                Outcome::Different | Outcome::OtherIdentity | Outcome::Code => {
                    if outermost_set.is_none() {
                        let identity = matches!(outcome, Outcome::OtherIdentity);
                        let elements = elements(&frames);
                        let found = self.objects(next);
                        self.report(pair, || Place::Field { field, elements }, found, identity);
                    }
                    Some(false)
                }
            };
            // Hand what is finished to its container, and find the next pair.
            loop {
                if let Some(equal) = finished.take() {
                    match frames.last_mut() {
                        Some(frame) => frame.differs |= !equal,
                        None => return equal,
                    }
                }
                let depth = frames.len();
                let Some(frame) = frames.last_mut() else { return false };
                let [left, right] = frame.ids;
                let [l, r] = self.sides;
                let lefts = l.values().children(l.values().get(left));
                let rights = r.values().children(r.values().get(right));
                let in_set = outermost_set.is_some();
                let element = match (lefts.get(frame.next), rights.get(frame.next)) {
                    (Some(a), Some(b)) if !(frame.differs && in_set) => Some([*a, *b]),
                    _ => None,
                };
                if let Some(ids) = element
                    && !(self.left == 0 && (self.total > 0 || frame.differs))
                {
                    frame.next += 1;
                    next = ids;
                    break;
                }
                let (ids, mut differs) = (frame.ids, frame.differs);
                frames.pop();
                if outermost_set == Some(depth - 1) {
                    outermost_set = None;
                    if differs {
                        let elements = elements(&frames);
                        let found = self.objects(ids);
                        self.report(pair, || Place::Field { field, elements }, found, false);
                    }
                } else if lefts.len() != rights.len() {
                    differs = true;
                    if outermost_set.is_none() {
                        self.report_missing(pair, field, &elements(&frames), ids);
                    }
                }
                if differs {
                    self.different.insert(ids);
                } else {
                    self.join(ids);
                }
                finished = Some(!differs);
            }
        }
    }

    fn kind(&self, [left, _]: Pair) -> Kind {
        let [l, _] = self.sides;
        l.values().get(left).kind
    }

    /// What can be said of two values without looking into them.
    fn enter(&mut self, ids: Pair) -> Outcome {
        let [l, r] = self.sides;
        let [left, right] = ids;
        self.spend(1);
        let (a, b) = (l.values().get(left), r.values().get(right));
        if a.kind != b.kind {
            return Outcome::Different;
        }
        if a.kind == Kind::Code {
            return Outcome::Code;
        }
        let known = self.known(ids);
        if known == (right + 1, left + 1) {
            return Outcome::Equal;
        }
        if !a.kind.has_children() {
            return if self.same_leaf(ids) {
                Outcome::Equal
            } else if known != (0, 0) && l.values().content(a) == r.values().content(b) {
                Outcome::OtherIdentity
            } else {
                Outcome::Different
            };
        }
        if self.different.contains(&ids) || a.kind == Kind::Frozenset && a.length != b.length {
            return Outcome::Different;
        }
        Outcome::Open
    }

    /// Whether two leaves are equal, which makes them partners.
    fn same_leaf(&mut self, ids: Pair) -> bool {
        let [l, r] = self.sides;
        let [left, right] = ids;
        let known = self.known(ids);
        if known != (0, 0) {
            return known == (right + 1, left + 1);
        }
        let (a, b) = (l.values().get(left), r.values().get(right));
        if a.kind != b.kind || a.length != b.length {
            return false;
        }
        self.spend(a.length as usize / 16);
        let equal = l.values().content(a) == r.values().content(b);
        if equal {
            self.join(ids);
        }
        equal
    }
}

const CLASSES: usize = 3;

/// What a reader wants to know first: values, then what is done with them, then where that stands
/// in the source, which shifts with every edit.
fn class(place: &Place) -> usize {
    match place.field_name() {
        "co_code" | "co_exceptiontable" | "co_stacksize" => 1,
        "co_linetable" | "co_firstlineno" | "co_filename" => 2,
        _ => 0,
    }
}

/// The order of the divergences of a code object: numbers, then fields as in [`FIELDS`], elements by
/// their indices.
fn rank(place: &Place) -> (usize, &[u32]) {
    match place {
        Place::Number("co_stacksize") => (FIELDS.len(), &[]),
        Place::Number(_) => (0, &[]),
        Place::Field { field, elements } => {
            (FIELDS.iter().position(|other| other == field).unwrap_or_default() + 1, elements)
        }
    }
}

fn numbers(numbers: CodeNumbers) -> [(&'static str, i32); 7] {
    [
        ("co_argcount", numbers.argcount),
        ("co_posonlyargcount", numbers.posonlyargcount),
        ("co_kwonlyargcount", numbers.kwonlyargcount),
        ("co_nlocals", numbers.nlocals.unwrap_or_default()),
        ("co_flags", numbers.flags),
        ("co_stacksize", numbers.stacksize),
        ("co_firstlineno", numbers.firstlineno),
    ]
}
