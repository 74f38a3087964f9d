//! How a cache differs from what its source gives, in one line. Knows nothing of who made either.

use bytekiln_proof::{CompareOptions, Comparison, Finding, compare};

/// The first difference, and how much it says.
pub(super) struct Difference {
    /// ``constant 4 of `Shape.area` is 3.0 in the .pyc, and 3.14159 from the source``.
    pub message: String,
    /// Qualified name of the code object.
    pub function: Option<String>,
    /// In terms of CPython: `co_consts[4]`.
    pub part: Option<String>,
    /// Line of the source.
    pub line: Option<u32>,
    /// Another build of the same release may have compiled it so from the same source.
    pub only_compiler: bool,
    total: usize,
}

impl Difference {
    /// Orders differences: the smaller, the more it looks like the same maker.
    pub(super) fn distance(&self) -> (bool, usize) {
        (!self.only_compiler, self.total)
    }
}

/// How two files differ whose digests do. The error says why they cannot be compared.
pub(super) fn difference(pyc: &[u8], expected: &[u8]) -> Result<Difference, String> {
    let options = CompareOptions { listed: 0, ..CompareOptions::default() };
    // The expected one first: what a forged one says of lines and names is not to be repeated.
    match compare(expected, pyc, &options).map_err(|error| error.error.to_string())? {
        Comparison::Different(difference) => {
            let first = &difference.first;
            let name = Some(first.code_object.clone()).filter(|name| !name.is_empty());
            Ok(Difference {
                message: told(first),
                function: name,
                part: Some(first.place.clone()),
                line: first.line.and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0),
                only_compiler: difference.is_only_compiler_dependent(),
                total: difference.total,
            })
        }
        // Equal, and yet with another digest: the file has changed since.
        Comparison::Identical | Comparison::Equivalent(_) => {
            Err("it changed while it was verified".to_owned())
        }
    }
}

/// The finding in words that fit: its own say "left" and "right".
fn told(finding: &Finding) -> String {
    let text = finding.to_string();
    let (sides, told) = match (&finding.left, &finding.right) {
        (Some(expected), Some(found)) => (
            format!(" is {expected} on the left, {found} on the right"),
            format!(" is {found} in the .pyc, and {expected} from the source"),
        ),
        (Some(expected), None) => (
            format!(" is {expected} on the left, missing on the right"),
            format!(" is missing in the .pyc, and {expected} from the source"),
        ),
        (None, Some(found)) => (
            format!(" is missing on the left, {found} on the right"),
            format!(" is {found} in the .pyc, and missing from the source"),
        ),
        (None, None) => return text,
    };
    match text.strip_suffix(&sides) {
        Some(subject) => format!("{subject}{told}"),
        None => text,
    }
}
