//! The instruction sets, one file a release, written by `cargo xtask opcodes`. Knows only which
//! belongs to which release.

mod python_3_10;
mod python_3_11;
mod python_3_12;
mod python_3_13;
mod python_3_14;
mod python_3_15;
mod python_3_8;
mod python_3_9;

use bytekiln_python::Release;

use crate::opcode::Set;

/// The instruction set of a release.
pub(crate) fn set(release: Release) -> &'static Set {
    match release.minor() {
        ..=8 => &python_3_8::SET,
        9 => &python_3_9::SET,
        10 => &python_3_10::SET,
        11 => &python_3_11::SET,
        12 => &python_3_12::SET,
        13 => &python_3_13::SET,
        14 => &python_3_14::SET,
        15.. => &python_3_15::SET,
    }
}
