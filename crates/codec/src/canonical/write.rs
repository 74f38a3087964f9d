//! [`Values`] to canonical bytes: the shortest encoding of each value, a reference slot for exactly
//! those that are met again.

use super::order::Budget;
use super::values::{Kind, MARK_ASCII, MARK_NAME, MARK_WORD, Value, ValueId, Values};
use crate::marshal::{CODE_FIELDS_BEFORE_LINE, DecodeErrorKind, tag};

enum Step {
    Value(ValueId),
    FirstLine(i32),
    EndOfDict,
}

/// In [`Writer::states`]: not met, met once, met again; from here on the slot that was given.
const ONCE: u32 = 1;
const AGAIN: u32 = 2;
const SLOTS: u32 = 3;

/// Writes values. Keeps its memory from one to the next.
pub(super) struct Writer {
    /// What is known of each value while one is written; all zero between.
    states: Vec<u32>,
    /// The values of which `states` is not zero.
    touched: Vec<ValueId>,
    open: Vec<ValueId>,
    steps: Vec<Step>,
    slots: u32,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer {
            states: Vec::new(),
            touched: Vec::new(),
            open: Vec::new(),
            steps: Vec::new(),
            slots: 0,
        }
    }

    /// Writes a whole payload.
    pub(super) fn write(&mut self, values: &Values<'_>, root: ValueId, out: &mut Vec<u8>) {
        // Each value is visited once and the budget has no bound, so nothing can fail.
        let unbounded = self
            .count(values, root, usize::MAX)
            .and_then(|()| self.emit(values, root, MARK_WORD | MARK_NAME, out, usize::MAX));
        debug_assert_eq!(unbounded, Ok(()));
        self.reset();
    }

    /// Writes an element of a set as if it were alone: own slots, and text interned by what it
    /// consists of only, because being a name is a matter of the rest of the payload.
    pub(super) fn write_alone(
        &mut self,
        values: &Values<'_>,
        element: ValueId,
        out: &mut Vec<u8>,
        budget: &mut Budget,
    ) -> Result<(), DecodeErrorKind> {
        let before = out.len();
        let value = values.get(element);
        if value.kind.has_children() {
            let limit = before.saturating_add(budget.left());
            let written = self
                .count(values, element, budget.left())
                .and_then(|()| self.emit(values, element, MARK_WORD, out, limit));
            self.reset();
            written?;
        } else {
            leaf(values, value, MARK_WORD, 0, out);
        }
        budget.spend(out.len() - before)
    }

    fn reset(&mut self) {
        for id in self.touched.drain(..) {
            if let Some(state) = self.states.get_mut(id as usize) {
                *state = 0;
            }
        }
        self.steps.clear();
        self.open.clear();
        self.slots = 0;
    }

    /// Marks what is met once and what is met again; `limit` bounds the number of meetings.
    fn count(
        &mut self,
        values: &Values<'_>,
        root: ValueId,
        limit: usize,
    ) -> Result<(), DecodeErrorKind> {
        self.states.resize(values.count(), 0);
        self.open.push(root);
        let mut left = limit;
        while let Some(id) = self.open.pop() {
            left = left.checked_sub(1).ok_or(DecodeErrorKind::SetTooComplex)?;
            let value = values.get(id);
            let Some(state) = self.states.get_mut(id as usize) else { continue };
            let first = *state == 0;
            if first {
                *state = ONCE;
                self.touched.push(id);
            } else {
                *state = AGAIN;
            }
            // Never flagged, a frozendict is written at each meeting, and so are its children.
            if value.kind.has_children() && (first || value.kind == Kind::Frozendict) {
                self.open.extend_from_slice(values.children(value));
            }
        }
        Ok(())
    }

    fn emit(
        &mut self,
        values: &Values<'_>,
        root: ValueId,
        interning: u8,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), DecodeErrorKind> {
        self.steps.push(Step::Value(root));
        while let Some(step) = self.steps.pop() {
            let id = match step {
                Step::Value(id) => id,
                Step::FirstLine(line) => {
                    out.extend_from_slice(&line.to_le_bytes());
                    continue;
                }
                Step::EndOfDict => {
                    out.push(tag::NULL);
                    continue;
                }
            };
            if out.len() > limit {
                return Err(DecodeErrorKind::SetTooComplex);
            }
            let value = values.get(id);
            let mut flag = 0;
            if !value.kind.is_singleton() && value.kind != Kind::Frozendict {
                let Some(state) = self.states.get_mut(id as usize) else { continue };
                if *state >= SLOTS {
                    out.push(tag::REF);
                    out.extend_from_slice(&(*state - SLOTS).to_le_bytes());
                    continue;
                }
                if *state == AGAIN {
                    *state = SLOTS + self.slots;
                    self.slots += 1;
                    flag = tag::FLAG_REF;
                }
            }
            if value.kind.has_children() {
                self.container(values, value, flag, out);
            } else {
                leaf(values, value, interning, flag, out);
            }
        }
        Ok(())
    }

    fn container(&mut self, values: &Values<'_>, value: Value, flag: u8, out: &mut Vec<u8>) {
        let children = values.children(value);
        match value.kind {
            Kind::Tuple => match u8::try_from(children.len()) {
                Ok(length) => out.extend_from_slice(&[tag::SMALL_TUPLE | flag, length]),
                Err(_) => sized(tag::TUPLE | flag, children.len(), out),
            },
            Kind::Frozenset => sized(tag::FROZENSET | flag, children.len(), out),
            Kind::Slice => out.push(tag::SLICE | flag),
            Kind::Frozendict => {
                out.push(tag::FROZENDICT);
                self.steps.push(Step::EndOfDict);
            }
            _ => {
                out.push(tag::CODE | flag);
                let Some(code) = values.codes.get(value.start as usize) else { return };
                code.numbers.push(out);
                let (before, after) =
                    children.split_at_checked(CODE_FIELDS_BEFORE_LINE).unwrap_or_default();
                self.steps.extend(after.iter().rev().map(|child| Step::Value(*child)));
                self.steps.push(Step::FirstLine(code.numbers.firstlineno));
                self.steps.extend(before.iter().rev().map(|child| Step::Value(*child)));
                return;
            }
        }
        self.steps.extend(children.iter().rev().map(|child| Step::Value(*child)));
    }
}

fn leaf(values: &Values<'_>, value: Value, interning: u8, flag: u8, out: &mut Vec<u8>) {
    let content = values.content(value);
    match value.kind {
        Kind::Int => out.push(tag::INT | flag),
        Kind::Long => out.push(tag::LONG | flag),
        Kind::Float => out.push(tag::FLOAT | flag),
        Kind::Complex => out.push(tag::COMPLEX | flag),
        Kind::Bytes => sized(tag::BYTES | flag, content.len(), out),
        Kind::Text => {
            let interned = value.marks & interning != 0;
            let pick = |plain, with| if interned { with } else { plain };
            if value.marks & MARK_ASCII == 0 {
                sized(pick(tag::UNICODE, tag::INTERNED) | flag, content.len(), out);
            } else if let Ok(length) = u8::try_from(content.len()) {
                let tag = pick(tag::SHORT_ASCII, tag::SHORT_ASCII_INTERNED);
                out.extend_from_slice(&[tag | flag, length]);
            } else {
                sized(pick(tag::ASCII, tag::ASCII_INTERNED) | flag, content.len(), out);
            }
        }
        Kind::False => out.push(tag::FALSE),
        Kind::True => out.push(tag::TRUE),
        Kind::Ellipsis => out.push(tag::ELLIPSIS),
        Kind::StopIteration => out.push(tag::STOP_ITERATION),
        _ => out.push(tag::NONE),
    }
    out.extend_from_slice(content);
}

fn sized(tag: u8, length: usize, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(length as u32).to_le_bytes());
}
