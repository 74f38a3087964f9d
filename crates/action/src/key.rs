//! What a compilation depends on, and its digest. One function, [`Action::describe`], names every
//! part of the key; the hash and the explanation are two sinks of it, so they cannot disagree.

use std::sync::Arc;

use bytekiln_python::{InvalidationMode, OptimizationLevel};
use sha2::{Digest as _, Sha256};

use crate::{ActionDigest, Digest, RecordedPath, Toolchain, ToolchainDigest};

/// Switches of the interpreter that change what it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompileFlags {
    /// PEP 657 positions are written; `-X no_debug_ranges` leaves them out (3.11 and later).
    pub debug_ranges: bool,
}

/// One compilation: one source for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The source's bytes.
    pub source: Digest,
    /// What `co_filename` will say.
    pub recorded_path: RecordedPath,
    /// The compiler.
    pub toolchain: Arc<Toolchain>,
    /// Digest of `toolchain`, computed once for all actions that share it.
    pub toolchain_digest: ToolchainDigest,
    /// `-O` level.
    pub level: OptimizationLevel,
    /// Mode in the header of the output.
    pub mode: InvalidationMode,
    /// Switches.
    pub flags: CompileFlags,
    /// Version of the canonical form that the output is in.
    pub canonical_form: u32,
}

/// Takes the fields of a key, in a fixed order.
pub trait KeySink {
    /// One field: a name that is unique in its key, and its value.
    fn field(&mut self, name: &'static str, value: &[u8]);
}

impl Action {
    /// Names every field of the key. A field that is added here changes every digest.
    pub fn describe(&self, sink: &mut dyn KeySink) {
        sink.field("source", &self.source.hash);
        sink.field("source-size", self.source.size.to_string().as_bytes());
        sink.field("recorded-path", self.recorded_path.as_bytes());
        sink.field("toolchain", &self.toolchain_digest.0);
        sink.field("optimization", &[b'0' + self.level.as_u8()]);
        sink.field("invalidation-mode", self.mode.as_str().as_bytes());
        sink.field("debug-ranges", if self.flags.debug_ranges { b"yes" } else { b"no" });
        sink.field("canonical-form", self.canonical_form.to_string().as_bytes());
    }

    /// The digest over [`Action::describe`].
    pub fn digest(&self) -> ActionDigest {
        let mut sink = HashSink::new("bytekiln action 1");
        self.describe(&mut sink);
        ActionDigest(sink.finish())
    }
}

/// SHA-256 over a schema name and length-prefixed fields.
pub(crate) struct HashSink(Sha256);

impl HashSink {
    pub(crate) fn new(schema: &'static str) -> HashSink {
        let mut sink = HashSink(Sha256::new());
        sink.put(schema.as_bytes());
        sink
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl KeySink for HashSink {
    fn field(&mut self, name: &'static str, value: &[u8]) {
        self.put(name.as_bytes());
        self.put(value);
    }
}

/// Collects the fields as text for people: digests in hexadecimal, the rest as it is.
#[derive(Debug, Default)]
pub struct TextSink {
    /// Name and value, in order.
    pub fields: Vec<(&'static str, String)>,
}

impl KeySink for TextSink {
    fn field(&mut self, name: &'static str, value: &[u8]) {
        let text = match (name, <[u8; 32]>::try_from(value)) {
            ("source" | "toolchain", Ok(digest)) => ActionDigest(digest).to_string(),
            _ => RecordedPath::from_marshal_bytes(value).to_string(),
        };
        self.fields.push((name, text));
    }
}

#[cfg(test)]
mod tests;
