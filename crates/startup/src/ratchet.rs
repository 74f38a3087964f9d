//! Which modules a start may load: names, and names with all below them. Knows nothing of where they are
//! written or of who loads what.

use std::collections::BTreeSet;
use std::fmt;

/// What may be loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    names: BTreeSet<String>,
    /// Packages that are allowed with all below them.
    packages: BTreeSet<String>,
}

/// Text that names no module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The text.
    pub pattern: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` names no module", self.pattern)
    }
}

impl std::error::Error for PatternError {}

impl Allowed {
    /// Adds `a.b`, or `a.b.*` for it and all below.
    ///
    /// # Errors
    /// It is empty, or has a blank, a control character or another `*` in it.
    pub fn add(&mut self, pattern: &str) -> Result<(), PatternError> {
        let name = pattern.strip_suffix(".*").unwrap_or(pattern);
        let bad = |letter: char| letter.is_control() || letter.is_whitespace() || letter == '*';
        if name.is_empty() || name.split('.').any(|part| part.is_empty() || part.contains(bad)) {
            return Err(PatternError { pattern: pattern.to_owned() });
        }
        let set = if name.len() == pattern.len() { &mut self.names } else { &mut self.packages };
        set.insert(name.to_owned());
        Ok(())
    }

    /// Whether a module may be loaded.
    #[must_use]
    pub fn allows(&self, module: &str) -> bool {
        self.names.contains(module) || self.package_of(module).is_some()
    }

    /// Patterns that nothing of what is loaded needs, as written.
    #[must_use]
    pub fn unused<'a>(&self, loaded: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let (mut names, mut packages) = (self.names.clone(), self.packages.clone());
        for module in loaded {
            names.remove(module);
            if let Some(package) = self.package_of(module) {
                packages.remove(package);
            }
        }
        let packages = packages.into_iter().map(|package| format!("{package}.*"));
        names.into_iter().chain(packages).collect()
    }

    /// What is to be written so that exactly this may be loaded: patterns that match anything stay, and
    /// modules that none matches are added by their names. In the order of names.
    #[must_use]
    pub fn tightened<'a>(&self, loaded: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut kept: BTreeSet<String> = BTreeSet::new();
        for module in loaded {
            kept.insert(match self.package_of(module) {
                Some(package) => format!("{package}.*"),
                None => module.to_owned(),
            });
        }
        kept.into_iter().collect()
    }

    fn package_of(&self, module: &str) -> Option<&String> {
        let dots = module.match_indices('.').map(|(at, _)| at);
        let mut ends = dots.chain(std::iter::once(module.len()));
        ends.find_map(|end| self.packages.get(module.get(..end)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(patterns: &[&str]) -> Allowed {
        let mut allowed = Allowed::default();
        patterns.iter().for_each(|pattern| allowed.add(pattern).unwrap());
        allowed
    }

    #[test]
    fn names_and_packages() {
        let set = allowed(&["json", "shop.*", "a.b.*"]);
        for (module, expected) in [
            ("json", true),
            ("json.decoder", false),
            ("shop", true),
            ("shop.cart.items", true),
            ("shopping", false),
            ("a", false),
            ("a.b", true),
            ("a.b.c", true),
        ] {
            assert_eq!(set.allows(module), expected, "{module}");
        }
        for bad in ["", ".", "a..b", "*", "a*", ".*", "a b", "a\n", "a.*.*"] {
            assert!(Allowed::default().add(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_set_is_exact() {
        let set = allowed(&["json", "shop.*", "old.*", "gone"]);
        assert_eq!(set.unused(["json", "shop.cart"]), ["gone", "old.*"]);
        assert_eq!(set.tightened(["shop.b", "new", "shop", "json"]), ["json", "new", "shop.*"]);
        let tight = allowed(&["json", "new", "shop.*"]);
        assert!(tight.unused(["shop.b", "new", "shop", "json"]).is_empty());
    }
}
