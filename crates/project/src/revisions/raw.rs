//! The formats of `git diff --raw -z` and `git ls-files -z`. Knows no processes.

/// One entry of a raw difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawEntry<'a> {
    /// From the top of the repository.
    pub(super) path: &'a [u8],
    /// `A`, `D`, `M`, `T`, `U`.
    pub(super) status: u8,
    /// A submodule, before or after.
    pub(super) is_submodule: bool,
}

/// Mode of a submodule's entry.
const SUBMODULE: &[u8] = b"160000";

/// The entries of a difference without renames; `None` if it is not one.
pub(super) fn entries(out: &[u8]) -> Option<Vec<RawEntry<'_>>> {
    let mut entries = Vec::new();
    let mut fields = paths(out);
    while let Some(head) = fields.next() {
        let mut words = head.strip_prefix(b":")?.split(|byte| *byte == b' ');
        let (old, new) = (words.next()?, words.next()?);
        let status = *words.nth(2)?.first()?;
        // Renames and copies have two paths; they were not asked for.
        if matches!(status, b'R' | b'C') {
            return None;
        }
        let path = fields.next()?;
        entries.push(RawEntry { path, status, is_submodule: old == SUBMODULE || new == SUBMODULE });
    }
    Some(entries)
}

/// Fields that end with a zero byte.
pub(super) fn paths(out: &[u8]) -> impl Iterator<Item = &[u8]> {
    out.split(|byte| *byte == 0).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(out: &str, expected: Option<&[(&str, u8, bool)]>) {
        let found = entries(out.as_bytes());
        let expected = expected.map(|list| {
            list.iter()
                .map(|(path, status, is_submodule)| RawEntry {
                    path: path.as_bytes(),
                    status: *status,
                    is_submodule: *is_submodule,
                })
                .collect()
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn differences() {
        check("", Some(&[]));
        check(":100644 100755 ab cd M\0a b\nc\0", Some(&[("a b\nc", b'M', false)]));
        check(
            ":000000 100644 00 cd A\0:x\0:100644 000000 ab 00 D\0y\0",
            Some(&[(":x", b'A', false), ("y", b'D', false)]),
        );
        check(":160000 000000 ab 00 D\0sub\0", Some(&[("sub", b'D', true)]));
        check(":100644 100644 ab ab R100\0a\0b\0", None);
        check("100644 100644 ab ab M\0a\0", None);
        check(":100644 100644 ab ab M\0", None);
        check(":100644\0a\0", None);
    }
}
