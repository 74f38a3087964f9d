//! One table of what differs from run to run, so that output can be compared: paths, times,
//! sizes, versions, digests. Knows no command's output in particular.

/// What to replace: names for folders, then patterns.
#[derive(Debug, Clone, Default)]
pub struct Redactions {
    literals: Vec<(String, String)>,
}

impl Redactions {
    /// Patterns only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also replaces a text, such as a temporary folder, by a name. Longer texts win.
    #[must_use]
    pub fn with(mut self, text: impl Into<String>, name: impl Into<String>) -> Self {
        self.literals.push((text.into(), name.into()));
        self.literals.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        self
    }

    /// Replaces folders by their names: what a reader may see.
    #[must_use]
    pub fn rename(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (literal, name) in &self.literals {
            text = text.replace(literal, name);
        }
        text
    }

    /// Replaces folders by their names and everything that varies by its kind: `[TIME]`,
    /// `[SIZE]`, `[VERSION]`, `[DIGEST]`. What two runs have in common.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        patterns(&self.rename(text))
    }
}

/// Units of time that follow a number directly, longest first.
const TIMES: &[&str] = &["ms", "µs", "us", "ns", "s"];

/// Units of size that follow a number and perhaps a space.
const SIZES: &[&str] = &["KiB", "MiB", "GiB", "kB", "KB", "MB", "GB", "bytes", "B"];

/// Hexadecimal digits from which a word counts as a digest.
const DIGEST_DIGITS: usize = 16;

fn patterns(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = None;
    while let Some(next) = rest.chars().next() {
        let at_word_start = !previous.is_some_and(|c: char| c.is_alphanumeric() || c == '_');
        let matched = if at_word_start { pattern(rest, previous) } else { None };
        let consumed = matched.map_or(next.len_utf8(), |(_, length)| length);
        let (taken, left) = rest.split_at(consumed);
        redacted.push_str(matched.map_or(taken, |(name, _)| name));
        previous = taken.chars().next_back();
        rest = left;
    }
    redacted
}

/// The pattern that a text starts with, and how many bytes it takes.
fn pattern(text: &str, previous: Option<char>) -> Option<(&'static str, usize)> {
    let word_end =
        |position: usize| !text[position..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let hex = run(text, |c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    if hex >= DIGEST_DIGITS && word_end(hex) {
        return Some(("[DIGEST]", hex));
    }
    if previous == Some('.') {
        return None;
    }
    let whole = run(text, |c| c.is_ascii_digit());
    if whole == 0 {
        return None;
    }
    let mut number = whole;
    let mut parts = 1;
    while text[number..].starts_with('.') {
        let digits = run(&text[number + 1..], |c| c.is_ascii_digit());
        if digits == 0 {
            break;
        }
        number += 1 + digits;
        parts += 1;
    }
    if parts >= 3 {
        // 3.11.7, 3.15.0rc2, 3.14.0+
        let suffix = run(&text[number..], |c| c.is_alphanumeric() || c == '+');
        return Some(("[VERSION]", number + suffix));
    }
    for unit in TIMES {
        if text[number..].starts_with(unit) && word_end(number + unit.len()) {
            return Some(("[TIME]", number + unit.len()));
        }
    }
    let space = usize::from(text[number..].starts_with(' '));
    for unit in SIZES {
        let end = number + space + unit.len();
        if text[number + space..].starts_with(unit) && word_end(end) {
            return Some(("[SIZE]", end));
        }
    }
    None
}

/// Bytes at the start of a text whose characters satisfy a condition.
fn run(text: &str, condition: impl Fn(char) -> bool) -> usize {
    text.find(|c| !condition(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let redactions = Redactions::new().with("/tmp/x", "[ROOT]").with("/tmp/x/cache", "[CACHE]");
        assert_eq!(redactions.redact(text), expected);
        assert_eq!(redactions.redact(expected), expected, "redacting twice changes nothing");
    }

    #[test]
    fn what_varies_goes() {
        check("Finished 7 files in 0.12s", "Finished 7 files in [TIME]");
        check("took 12ms, then 3s.", "took [TIME], then [TIME].");
        check("1.5 MiB and 1 bytes", "[SIZE] and [SIZE]");
        check("CPython 3.11.7, 3.15.0rc2", "CPython [VERSION], [VERSION]");
        check("/tmp/x/cache /tmp/x/a.py", "[CACHE] [ROOT]/a.py");
        check("key 0123456789abcdef01", "key [DIGEST]");
    }

    #[test]
    fn what_means_something_stays() {
        for text in ["3.11", "cpython-311.opt-2.pyc", "2 files", "decade", "a1s", "0123abcd"] {
            check(text, text);
        }
    }
}
