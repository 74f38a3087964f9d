//! How a path below a root spells the name of a module. Knows nothing of which files there are.

use crate::sources::FileKind;

/// What a path is to the import system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The folder that holds it, below the root.
    pub(crate) folder: &'a [u8],
    /// Its name without suffixes.
    pub(crate) stem: &'a str,
    /// Whether it is the `__init__` of its folder.
    pub(crate) is_init: bool,
}

/// Splits a path; `None` if no import can find it, as `mod.v1.py` (`FileFinder` looks for the part
/// after the last dot of a module's name).
pub(crate) fn place(path: &[u8], kind: FileKind) -> Option<Place<'_>> {
    let slash = path.iter().rposition(|byte| *byte == b'/');
    let folder = slash.map_or(&[][..], |slash| path.get(..slash).unwrap_or_default());
    let file = path.get(slash.map_or(0, |slash| slash + 1)..)?;
    let stem = match kind {
        FileKind::Source | FileKind::Deleted => file.strip_suffix(b".py")?,
        FileKind::Stub => file.strip_suffix(b".pyi")?,
        // `_speedups.cpython-311-x86_64-linux-gnu.so`, `.abi3.so`, `.so`
        FileKind::Extension => file.split(|byte| *byte == b'.').next()?,
        FileKind::Folder => file,
    };
    let stem = component(stem)?;
    Some(Place { folder, stem, is_init: stem == "__init__" && kind != FileKind::Folder })
}

/// The components of a folder, if all can be packages.
pub(crate) fn component(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains('.')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, kind: FileKind, expected: Option<(&str, &str, bool)>) {
        let found = place(path.as_bytes(), kind)
            .map(|place| (std::str::from_utf8(place.folder).unwrap(), place.stem, place.is_init));
        assert_eq!(found, expected);
    }

    #[test]
    fn names() {
        check("a/b/c.py", FileKind::Source, Some(("a/b", "c", false)));
        check("a/__init__.py", FileKind::Source, Some(("a", "__init__", true)));
        check("__main__.py", FileKind::Source, Some(("", "__main__", false)));
        check("a/mod.v1.py", FileKind::Source, None);
        check("a/.py", FileKind::Source, None);
        check("a/b.txt", FileKind::Source, None);
        check("a/b.pyi", FileKind::Stub, Some(("a", "b", false)));
        check(
            "a/_s.cpython-311-x86_64-linux-gnu.so",
            FileKind::Extension,
            Some(("a", "_s", false)),
        );
        check("a/b", FileKind::Folder, Some(("a", "b", false)));
        check("a/b.dist-info", FileKind::Folder, None);
    }
}
