//! Modules that well-known packages put into `sys.modules` themselves, so that they are imported but
//! no file has their name. Knows nothing of files.

/// Whole names: each is made with all below it.
const MADE: [&str; 16] = [
    // `pkg_resources.extern` and `setuptools.extern` stand for vendored packages, up to setuptools 70.
    "pkg_resources.extern",
    "setuptools.extern",
    // `requests/packages.py` gives its dependencies these names.
    "requests.packages",
    // `py.py` of pytest makes the first two, the package `py` before 1.11 all of them.
    "py.error",
    "py.path",
    "py.builtin",
    "py.code",
    "py.iniconfig",
    "py.io",
    "py.log",
    "py.process",
    "py.random",
    "py.std",
    "py.test",
    "py.version",
    "py.xml",
];

/// Whether a package that is there, though it has no such file, makes this module. `six` is vendored
/// under many names, so it counts wherever it is: `pip._vendor.six.moves.urllib`.
pub(super) fn is_made(dotted: &str) -> bool {
    let below = |name: &str| {
        let rest = dotted.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let six = || {
        let mut starts = dotted.match_indices("six.moves").filter(|(at, found)| {
            let before = dotted.get(..*at).unwrap_or_default();
            let after = dotted.get(at + found.len()..).unwrap_or_default();
            (before.is_empty() || before.ends_with('.'))
                && (after.is_empty() || after.starts_with('.'))
        });
        starts.next().is_some()
    };
    MADE.iter().any(|name| below(name)) || six()
}

#[cfg(test)]
mod tests {
    use super::is_made;

    #[test]
    fn names() {
        for made in
            ["six.moves", "a.six.moves.urllib.parse", "py.path", "requests.packages.urllib3"]
        {
            assert!(is_made(made), "{made}");
        }
        for other in [
            "six",
            "six.move",
            "sixsix.moves",
            "mysix.moves",
            "six.moves_",
            "py.pathology",
            "a.py.path",
        ] {
            assert!(!is_made(other), "{other}");
        }
    }
}
