//! Payloads made by hand: a module with the constants that a test is about.

use bytekiln_codec::{CanonicalOptions, DecodeErrorKind, Limits, NanPolicy, canonicalize};
use bytekiln_python::Release;

pub(crate) fn release(minor: u8) -> Release {
    Release::from_minor(minor).expect("a known release")
}

/// The fields of a code object that tests vary, marshalled.
pub(crate) struct Module<'a> {
    pub(crate) flagged: bool,
    pub(crate) names: &'a [u8],
    pub(crate) filename: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) qualname: &'a [u8],
}

impl Default for Module<'_> {
    fn default() -> Self {
        Module {
            flagged: false,
            names: b")\0",
            filename: b"z\x04m.py",
            name: b"z\x08<module>",
            qualname: b"z\x08<module>",
        }
    }
}

impl Module<'_> {
    /// The marshalled code object with these marshalled constants.
    pub(crate) fn payload(&self, release: Release, consts: &[&[u8]]) -> Vec<u8> {
        let modern = release.minor() >= 11;
        let mut out = vec![if self.flagged { b'c' | 0x80 } else { b'c' }];
        // Argument counts, number of locals, stack size, flags.
        out.extend_from_slice(&[0; 12]);
        if !modern {
            out.extend_from_slice(&[0; 4]);
        }
        out.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(b"s\x02\0\0\0\x97\0");
        tuple(consts, &mut out);
        out.extend_from_slice(self.names);
        // Local variables and their kinds; varnames, freevars, cellvars.
        out.extend_from_slice(if modern { b")\0s\0\0\0\0" } else { b")\0)\0)\0" });
        out.extend_from_slice(self.filename);
        out.extend_from_slice(self.name);
        if modern {
            out.extend_from_slice(self.qualname);
        }
        out.extend_from_slice(&1_i32.to_le_bytes());
        out.extend_from_slice(if modern { b"s\0\0\0\0s\0\0\0\0" } else { b"s\0\0\0\0" });
        out
    }
}

/// A module with these constants.
pub(crate) fn module(release: Release, consts: &[&[u8]]) -> Vec<u8> {
    Module::default().payload(release, consts)
}

pub(crate) fn tuple(elements: &[&[u8]], out: &mut Vec<u8>) {
    sized(b'(', elements.len(), out);
    elements.iter().for_each(|element| out.extend_from_slice(element));
}

pub(crate) fn sized(tag: u8, count: usize, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

/// A reference, which the marshal format writes with its slot.
pub(crate) fn reference(slot: usize) -> Vec<u8> {
    let mut out = Vec::new();
    sized(b'r', slot, &mut out);
    out
}

/// Canonical form under the path that [`Module`] has anyway.
pub(crate) fn canonical(release: Release, payload: &[u8]) -> Result<Vec<u8>, DecodeErrorKind> {
    let limits = Limits::default();
    let options =
        CanonicalOptions { release, recorded_path: b"m.py", limits, nans: NanPolicy::Kept };
    canonicalize(payload, &options).map_err(|error| error.kind)
}
