//! Names of the flags of code objects and of the kinds of their variables. Knows nothing of what
//! the flags do.

use bytekiln_python::Release;

use crate::tables;

/// Names of the flags set in `co_flags`, lowest bit first, as `dis` has them (`OPTIMIZED`,
/// `HAS_DOCSTRING`, …); of a `from __future__ import` `FUTURE_` and the feature (`FUTURE_ANNOTATIONS`).
/// Bits without a name are [`unnamed_flags`].
#[must_use]
pub fn code_flags(release: Release, flags: u32) -> Vec<&'static str> {
    let named = tables::set(release).flags.iter();
    named.filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect()
}

/// The bits of `co_flags` that the release has no name for.
#[must_use]
pub fn unnamed_flags(release: Release, flags: u32) -> u32 {
    tables::set(release).flags.iter().fold(flags, |rest, (bit, _)| rest & !bit)
}

/// Bits of `co_localspluskinds` (`Include/internal/pycore_code.h`).
const KINDS: [(u8, &str); 7] = [
    (0x20, "local"),
    (0x40, "cell"),
    (0x80, "free"),
    (0x10, "hidden"),
    (0x02, "positional"),
    (0x04, "keyword"),
    (0x08, "variadic"),
];

/// What a byte of `co_localspluskinds` (3.11 and later) says of its variable: `local`, `cell`,
/// `free`, more than one of a parameter that is a cell; `hidden` from 3.12, of a comprehension's
/// variable; from 3.14 how an argument is passed, `positional`, `keyword`, `variadic`.
#[must_use]
pub fn local_kinds(byte: u8) -> Vec<&'static str> {
    KINDS.iter().filter(|(bit, _)| byte & bit != 0).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(minor: u8, flags: u32, names: &[&str], unnamed: u32) {
        let release = Release::from_minor(minor);
        assert_eq!(release.map(|release| code_flags(release, flags)).as_deref(), Some(names));
        assert_eq!(release.map(|release| unnamed_flags(release, flags)), Some(unnamed));
    }

    #[test]
    fn flags_of_releases() {
        check(8, 0x43, &["OPTIMIZED", "NEWLOCALS", "NOFREE"], 0);
        check(13, 0x100_0280, &["COROUTINE", "ASYNC_GENERATOR", "FUTURE_ANNOTATIONS"], 0);
        check(13, 0x0c00_0003, &["OPTIMIZED", "NEWLOCALS"], 0x0c00_0000);
        check(14, 0x8c00_0003, &["OPTIMIZED", "NEWLOCALS", "HAS_DOCSTRING", "METHOD"], 1 << 31);
    }

    #[test]
    fn kinds_of_variables() {
        assert_eq!(local_kinds(0x20), ["local"]);
        assert_eq!(local_kinds(0x66), ["local", "cell", "positional", "keyword"]);
        assert_eq!(local_kinds(0x80), ["free"]);
        assert_eq!(local_kinds(0), [""; 0]);
    }
}
