//! Names of cache files (PEP 3147, PEP 488) and of what can be imported at all. Names are bytes:
//! a file name on Unix need not be UTF-8.

/// `-O` level that a cache was compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptimizationLevel {
    /// No `-O`.
    Zero,
    /// `-O`: no asserts, `__debug__` is false.
    One,
    /// `-OO`: no docstrings either.
    Two,
}

impl OptimizationLevel {
    /// 0, 1 or 2, as `compile(optimize=)` takes it.
    pub fn as_u8(self) -> u8 {
        match self {
            OptimizationLevel::Zero => 0,
            OptimizationLevel::One => 1,
            OptimizationLevel::Two => 2,
        }
    }

    /// The level of this number.
    pub fn from_u8(level: u8) -> Option<OptimizationLevel> {
        match level {
            0 => Some(OptimizationLevel::Zero),
            1 => Some(OptimizationLevel::One),
            2 => Some(OptimizationLevel::Two),
            _ => None,
        }
    }

    /// What PEP 488 puts between tag and suffix: nothing, `.opt-1` or `.opt-2`.
    pub fn file_name_part(self) -> &'static str {
        match self {
            OptimizationLevel::Zero => "",
            OptimizationLevel::One => ".opt-1",
            OptimizationLevel::Two => ".opt-2",
        }
    }
}

impl std::fmt::Display for OptimizationLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_u8())
    }
}

/// `arithmetic`, `cpython-311`, level 1 → `arithmetic.cpython-311.opt-1.pyc`.
pub fn cache_file_name(stem: &[u8], cache_tag: &str, level: OptimizationLevel) -> Vec<u8> {
    let mut name = Vec::with_capacity(stem.len() + cache_tag.len() + 12);
    name.extend_from_slice(stem);
    name.push(b'.');
    name.extend_from_slice(cache_tag.as_bytes());
    name.extend_from_slice(level.file_name_part().as_bytes());
    name.extend_from_slice(b".pyc");
    name
}

/// `arithmetic` → `arithmetic.pyc`, the sourceless name that CPython takes beside or instead of
/// the source, whatever its level.
pub fn legacy_file_name(stem: &[u8]) -> Vec<u8> {
    let mut name = stem.to_vec();
    name.extend_from_slice(b".pyc");
    name
}

/// Splits a name found in `__pycache__` into stem, cache tag and level; `None` if PEP 3147 would
/// not have written it.
pub fn parse_cache_file_name(name: &[u8]) -> Option<(&[u8], &str, OptimizationLevel)> {
    let base = name.strip_suffix(b".pyc")?;
    let (base, level) = if let Some(rest) = base.strip_suffix(b".opt-1") {
        (rest, OptimizationLevel::One)
    } else if let Some(rest) = base.strip_suffix(b".opt-2") {
        (rest, OptimizationLevel::Two)
    } else {
        (base, OptimizationLevel::Zero)
    };
    let dot = base.iter().rposition(|byte| *byte == b'.')?;
    let (stem, tag) = (base.get(..dot)?, base.get(dot + 1..)?);
    let tag = std::str::from_utf8(tag).ok()?;
    (!stem.is_empty() && tag.contains('-')).then_some((stem, tag, level))
}

/// Whether `import STEM` can be written: an identifier (`str.isidentifier`), keywords included,
/// because `importlib` and `runpy` take them.
pub fn is_module_name(stem: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(stem) else { return false };
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && chars.all(unicode_ident::is_xid_continue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for (stem, level, expect) in [
            ("m", OptimizationLevel::Zero, "m.cpython-311.pyc"),
            ("__init__", OptimizationLevel::One, "__init__.cpython-311.opt-1.pyc"),
            ("mod.v1", OptimizationLevel::Two, "mod.v1.cpython-311.opt-2.pyc"),
        ] {
            let name = cache_file_name(stem.as_bytes(), "cpython-311", level);
            assert_eq!(String::from_utf8_lossy(&name), expect);
            assert_eq!(parse_cache_file_name(&name), Some((stem.as_bytes(), "cpython-311", level)));
        }
        assert_eq!(parse_cache_file_name(b"m.pyc"), None);
        assert_eq!(parse_cache_file_name(b"m.cpython-311.pyc.tmp"), None);
    }

    #[test]
    fn module_names() {
        for good in ["a", "_a1", "größe", "lambda", "__main__"] {
            assert!(is_module_name(good.as_bytes()), "{good}");
        }
        for bad in ["", "my-tool", "1a", "a b", "mod.v1", "a\n"] {
            assert!(!is_module_name(bad.as_bytes()), "{bad:?}");
        }
        assert!(!is_module_name(b"\xff"));
    }
}
