//! Names in `__pycache__` at any level: importers also look for `.opt-3` and whatever else PEP 488
//! allows, which no compiler of ours writes.

/// `m.cpython-311.opt-3.pyc` → `m`, `cpython-311`, 3. `None` for other names, and for levels that
/// are no small number.
pub(crate) fn parse(name: &[u8]) -> Option<(&[u8], &str, u8)> {
    let base = name.strip_suffix(b".pyc")?;
    let (rest, last) = split(base)?;
    let Some(level) = last.strip_prefix("opt-") else {
        return last.contains('-').then_some((rest, last, 0));
    };
    let (stem, tag) = split(rest)?;
    Some((stem, tag, level.parse().ok()?))
}

/// At the last point, with something on both sides.
fn split(name: &[u8]) -> Option<(&[u8], &str)> {
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    let (before, after) = (name.get(..dot)?, name.get(dot + 1..)?);
    let after = std::str::from_utf8(after).ok()?;
    (!before.is_empty() && !after.is_empty()).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names() {
        assert_eq!(parse(b"m.cpython-311.pyc"), Some((&b"m"[..], "cpython-311", 0)));
        assert_eq!(parse(b"m.v1.cpython-311.opt-3.pyc"), Some((&b"m.v1"[..], "cpython-311", 3)));
        for other in [&b"m.pyc"[..], b"m.cpython-311.pyc.140", b".cpython-311.pyc", b"opt-1.pyc"] {
            assert_eq!(parse(other), None);
        }
    }
}
