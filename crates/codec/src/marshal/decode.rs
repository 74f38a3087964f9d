//! Payload to [`Tree`]. One loop with its own stack, so that nesting costs no machine stack; each
//! byte of the payload is looked at once.

use bytekiln_python::Release;

use super::code::{CODE_FIELDS_BEFORE_LINE, CodeChecker, CodeLayout, CodeNumbers, CodeRow};
use super::error::{DecodeError, DecodeErrorKind};
use super::number;
use super::reader::Reader;
use super::tag;
use super::text;
use super::tree::{Node, NodeId, Tree};
use crate::Limits;

/// Reads the one object that a payload must consist of, as `release` would read it, but refusing
/// what no compiler writes and CPython cannot be trusted with (lists, dicts, sets, references to
/// unfinished objects, code objects with fields of the wrong type).
pub fn decode<'a>(
    payload: &'a [u8],
    release: Release,
    limits: &Limits,
) -> Result<Tree<'a>, DecodeError> {
    if payload.len() > limits.payload_bytes as usize {
        return Err(DecodeErrorKind::PayloadTooLong.into());
    }
    let decoder = Decoder {
        reader: Reader::new(payload),
        tree: Tree {
            release,
            payload,
            nodes: Vec::with_capacity(payload.len() / 8 + SINGLETONS.len()),
            children: Vec::with_capacity(payload.len() / 8),
            codes: Vec::with_capacity(payload.len() / 512),
            root: NodeId(0),
        },
        layout: CodeLayout::of(release),
        depth_limit: limits.depth,
        frames: Vec::with_capacity(16),
        pending: Vec::with_capacity(256),
        slots: Vec::with_capacity(payload.len() / 32),
        checker: CodeChecker::default(),
    };
    decoder.run()
}

/// Every tree begins with these, so that their many plain occurrences share a node.
const SINGLETONS: [u8; 5] = [tag::NONE, tag::FALSE, tag::TRUE, tag::ELLIPSIS, tag::STOP_ITERATION];

/// In [`Decoder::slots`]: reserved, not finished.
const UNFINISHED: u32 = u32::MAX;

struct Decoder<'a> {
    reader: Reader<'a>,
    tree: Tree<'a>,
    layout: CodeLayout,
    depth_limit: u16,
    frames: Vec<Frame>,
    /// Finished children of the open containers.
    pending: Vec<NodeId>,
    /// Node of each reference slot.
    slots: Vec<u32>,
    checker: CodeChecker,
}

/// A container whose children are being read.
struct Frame {
    tag: u8,
    /// Where its children begin in `pending`.
    base: usize,
    /// Children still to read; for a frozendict, which ends at a NULL, `usize::MAX`.
    remaining: usize,
    /// Its reference slot, if flagged.
    slot: Option<usize>,
    numbers: CodeNumbers,
}

impl<'a> Decoder<'a> {
    fn run(mut self) -> Result<Tree<'a>, DecodeError> {
        for tag in SINGLETONS {
            self.push(tag, 0, 0);
        }
        loop {
            let byte = self.reader.u8()?;
            let mut finished = self.object(byte)?;
            // Hand a finished object to its container, which may be finished by it.
            while let Some(id) = finished.take() {
                let Some(frame) = self.frames.last_mut() else {
                    return self.finish(id);
                };
                self.pending.push(id);
                if frame.remaining != usize::MAX {
                    frame.remaining -= 1;
                }
                let filled = self.pending.len() - frame.base;
                if frame.tag & !tag::FLAG_REF == tag::CODE && filled == CODE_FIELDS_BEFORE_LINE {
                    frame.numbers.firstlineno = self.reader.i32()?;
                }
                if frame.remaining == 0 {
                    finished = self.close()?;
                }
            }
        }
    }

    fn finish(mut self, root: NodeId) -> Result<Tree<'a>, DecodeError> {
        if self.reader.remaining() > 0 {
            return Err(self.reader.error(DecodeErrorKind::TrailingBytes));
        }
        self.tree.root = root;
        Ok(self.tree)
    }

    /// Reads one object, or opens a container; the object if it is finished.
    fn object(&mut self, byte: u8) -> Result<Option<NodeId>, DecodeError> {
        let id = match byte & !tag::FLAG_REF {
            tag::NONE | tag::FALSE | tag::TRUE | tag::ELLIPSIS | tag::STOP_ITERATION => {
                match SINGLETONS.iter().position(|tag| *tag == byte) {
                    Some(index) => NodeId(index as u32),
                    // Flagged, which CPython ignores: it gives no slot.
                    None => self.push(byte, 0, 0),
                }
            }
            tag::INT => self.leaf(byte, 4)?,
            tag::INT64 | tag::FLOAT => self.leaf(byte, 8)?,
            tag::COMPLEX => self.leaf(byte, 16)?,
            tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED => {
                let length = self.reader.short_count()?;
                self.leaf(byte, length)?
            }
            tag::BYTES | tag::ASCII | tag::ASCII_INTERNED => {
                let length = self.reader.count()?;
                self.leaf(byte, length)?
            }
            tag::UNICODE | tag::INTERNED => {
                let length = self.reader.count()?;
                let id = self.leaf(byte, length)?;
                if !text::is_wtf8(self.tree.content(self.tree.node(id))) {
                    return Err(self.reader.error(DecodeErrorKind::BadText));
                }
                id
            }
            tag::LONG => self.long(byte)?,
            tag::FLOAT_TEXT | tag::COMPLEX_TEXT => self.decimal(byte)?,
            tag::REF => self.reference(byte)?,
            tag::SMALL_TUPLE => {
                let count = self.reader.short_count()?;
                return self.open(byte, count, CodeNumbers::default());
            }
            tag::TUPLE | tag::FROZENSET => {
                let count = self.reader.count()?;
                return self.open(byte, count, CodeNumbers::default());
            }
            tag::SLICE if self.marshal_version() >= tag::SLICE_SINCE => {
                return self.open(byte, 3, CodeNumbers::default());
            }
            tag::FROZENDICT if self.marshal_version() >= tag::FROZENDICT_SINCE => {
                return self.open(byte, usize::MAX, CodeNumbers::default());
            }
            tag::CODE => {
                let numbers = CodeNumbers::read(&mut self.reader, self.layout)?;
                return self.open(byte, self.layout.fields.len(), numbers);
            }
            // A flag on it would mean nothing, and be lost.
            tag::NULL if byte == tag::NULL => return self.null(),
            mutable @ (tag::LIST | tag::DICT | tag::SET) => {
                return Err(self.reader.error(DecodeErrorKind::Mutable(mutable)));
            }
            _ => return Err(self.reader.error(DecodeErrorKind::UnknownType(byte))),
        };
        Ok(Some(id))
    }

    fn marshal_version(&self) -> u8 {
        self.tree.release.marshal_version()
    }

    fn push(&mut self, tag: u8, start: usize, length: usize) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        // All three fit: the length of the payload does.
        let (start, length) = (start as u32, length as u32);
        let all_text = tag::is_text(tag & !tag::FLAG_REF);
        self.tree.nodes.push(Node { tag, all_text, depth: 0, start, length });
        id
    }

    fn leaf(&mut self, byte: u8, length: usize) -> Result<NodeId, DecodeError> {
        let start = self.reader.position();
        self.reader.take(length)?;
        let id = self.push(byte, start, length);
        if byte & tag::FLAG_REF != 0 {
            self.slots.push(id.0);
        }
        Ok(id)
    }

    fn long(&mut self, byte: u8) -> Result<NodeId, DecodeError> {
        let mut ahead = self.reader;
        let count = ahead.i32()?.unsigned_abs() as usize;
        let bytes = count.saturating_mul(2);
        let digits = ahead.take(bytes)?.as_chunks::<2>().0;
        let fits = digits.iter().all(|digit| digit[1] < 0x80);
        if !fits || digits.last() == Some(&[0, 0]) {
            return Err(self.reader.error(DecodeErrorKind::BadInteger));
        }
        self.leaf(byte, 4 + bytes)
    }

    fn decimal(&mut self, byte: u8) -> Result<NodeId, DecodeError> {
        let mut ahead = self.reader;
        let start = ahead.position();
        let text = ahead.short_count()?;
        let text = ahead.take(text)?;
        let good = if byte & !tag::FLAG_REF == tag::FLOAT_TEXT {
            number::float_of_text(text).is_some()
        } else {
            let imaginary = ahead.short_count()?;
            let imaginary = ahead.take(imaginary)?;
            number::float_of_text(text).is_some() && number::float_of_text(imaginary).is_some()
        };
        if !good {
            return Err(self.reader.error(DecodeErrorKind::BadFloat));
        }
        self.leaf(byte, ahead.position() - start)
    }

    fn reference(&mut self, byte: u8) -> Result<NodeId, DecodeError> {
        let slot = self.reader.i32()? as u32;
        let target = self.slots.get(slot as usize).copied().unwrap_or(UNFINISHED);
        let (depth, text) = match self.tree.nodes.get(target as usize) {
            Some(node) if node.kind() != tag::FROZENDICT => (node.depth, tag::is_text(node.kind())),
            _ => return Err(self.reader.error(DecodeErrorKind::BadReference(slot))),
        };
        let id = self.push(byte, target as usize, slot as usize);
        if let Some(node) = self.tree.nodes.last_mut() {
            node.depth = depth;
            node.all_text = text;
        }
        Ok(id)
    }

    fn open(
        &mut self,
        tag: u8,
        remaining: usize,
        numbers: CodeNumbers,
    ) -> Result<Option<NodeId>, DecodeError> {
        if self.frames.len() >= usize::from(self.depth_limit) {
            return Err(self.reader.error(DecodeErrorKind::TooDeep));
        }
        let slot = (tag & tag::FLAG_REF != 0).then_some(self.slots.len());
        if slot.is_some() {
            self.slots.push(UNFINISHED);
        }
        self.frames.push(Frame { tag, base: self.pending.len(), remaining, slot, numbers });
        if remaining == 0 { self.close() } else { Ok(None) }
    }

    /// NULL is no object; it ends a frozendict.
    fn null(&mut self) -> Result<Option<NodeId>, DecodeError> {
        match self.frames.last() {
            Some(frame)
                if frame.remaining == usize::MAX
                    && (self.pending.len() - frame.base).is_multiple_of(2) =>
            {
                self.close()
            }
            _ => Err(self.reader.error(DecodeErrorKind::Null)),
        }
    }

    /// Makes a node of the innermost container, all of whose children are pending.
    fn close(&mut self) -> Result<Option<NodeId>, DecodeError> {
        let Some(frame) = self.frames.pop() else { return Ok(None) };
        let first = self.tree.children.len();
        let mut depth = 0;
        let mut all_text = true;
        let children = self.pending.get(frame.base..).unwrap_or_default();
        self.tree.children.extend_from_slice(children);
        for child in children {
            let node = self.tree.node(*child);
            depth = depth.max(node.depth);
            all_text &= node.all_text & (node.depth == 0);
        }
        self.pending.truncate(frame.base);
        if depth >= self.depth_limit {
            return Err(self.reader.error(DecodeErrorKind::TooDeep));
        }
        let length = self.tree.children.len() - first;
        let id = if frame.tag & !tag::FLAG_REF == tag::CODE {
            let row = CodeRow { numbers: frame.numbers, first_child: first as u32 };
            self.checker.check(&self.tree, &row, self.reader.position())?;
            self.tree.codes.push(row);
            self.push(frame.tag, self.tree.codes.len() - 1, length)
        } else {
            self.push(frame.tag, first, length)
        };
        if let Some(node) = self.tree.nodes.last_mut() {
            node.depth = depth + 1;
            node.all_text = all_text;
        }
        if let Some(slot) = frame.slot.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = id.0;
        }
        Ok(Some(id))
    }
}
