//! How an interpreter says who it is: the script that it runs, and the reader of what it prints.
//! Text only; starting the interpreter is for the crates that may.

use bytekiln_python::Release;

use crate::Toolchain;

/// Defines `bytekiln_identity()`, which returns the report that [`parse_identity`] reads. Works on
/// every Python 3, imports built-in modules only.
pub const IDENTITY_SCRIPT: &str = include_str!("identity.py");

/// What an interpreter said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityReport {
    /// Who it is.
    pub toolchain: Toolchain,
    /// `sys.executable`, the real one behind shims and wrappers; bytes of a path, empty if unknown.
    pub executable: Vec<u8>,
}

/// Why an interpreter cannot be a compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// No report in what it printed.
    NoReport,
    /// The report lacks this fact, or the fact makes no sense.
    Malformed(&'static str),
    /// Not CPython: its caches have another format. The name, e.g. `pypy`, and version.
    OtherImplementation(String, String),
    /// A release (or pre-release) that is not in the table: version and magic number.
    UnknownRelease(String, u16),
    /// `sys.implementation.cache_tag` is `None`: this build writes and reads no caches.
    NoCacheTag(String),
}

impl std::fmt::Display for IdentityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IdentityError::NoReport => f.write_str("it did not answer as a Python 3 does"),
            IdentityError::Malformed(fact) => write!(f, "its answer lacks a usable `{fact}`"),
            IdentityError::OtherImplementation(name, version) => {
                write!(f, "it is {name} {version}, and only CPython's caches can be built")
            }
            IdentityError::UnknownRelease(version, magic) => write!(
                f,
                "it is CPython {version} with magic number {magic}, which is no final release from {} to {}",
                Release::OLDEST,
                Release::NEWEST
            ),
            IdentityError::NoCacheTag(version) => {
                write!(f, "it is a CPython {version} without a cache tag, which never loads caches")
            }
        }
    }
}

impl std::error::Error for IdentityError {}

/// Reads the report out of whatever was printed around it.
pub fn parse_identity(printed: &[u8]) -> Result<IdentityReport, IdentityError> {
    let text = String::from_utf8_lossy(printed);
    let (_, report) = text.split_once("bytekiln-identity-1\n").ok_or(IdentityError::NoReport)?;
    let (report, _) = report.split_once("bytekiln-identity-end").ok_or(IdentityError::NoReport)?;
    let bytes = |key: &'static str| -> Result<Vec<u8>, IdentityError> {
        report
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
            .and_then(from_hex)
            .ok_or(IdentityError::Malformed(key))
    };
    let fact = |key| Ok(String::from_utf8_lossy(&bytes(key)?).into_owned());
    let (implementation, version) = (fact("implementation")?, fact("version")?);
    if implementation != "cpython" {
        return Err(IdentityError::OtherImplementation(implementation, version));
    }
    let magic: u16 = fact("magic")?.parse().map_err(|_| IdentityError::Malformed("magic"))?;
    let release = Release::from_magic(magic)
        .filter(|release| version.starts_with(&format!("{release}.")))
        .ok_or_else(|| IdentityError::UnknownRelease(version.clone(), magic))?;
    let cache_tag = fact("cache-tag")?;
    if cache_tag.is_empty() {
        return Err(IdentityError::NoCacheTag(version));
    }
    let toolchain = Toolchain {
        release,
        implementation,
        version,
        build: fact("build")?,
        cache_tag,
        platform: fact("platform")?,
        free_threaded: fact("free-threaded")? == "yes",
        debug: fact("debug")? == "yes",
    };
    Ok(IdentityReport { toolchain, executable: bytes("executable")? })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end().as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        text.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    fn report(changes: &[(&str, &str)]) -> String {
        let mut facts = vec![
            ("implementation", "cpython"),
            ("version", "3.11.7"),
            ("build", "3.11.7 (main) [GCC]"),
            ("magic", "3495"),
            ("cache-tag", "cpython-311"),
            ("platform", "linux-x86_64"),
            ("free-threaded", "no"),
            ("debug", "no"),
            ("executable", "/usr/bin/python3.11"),
        ];
        for (key, value) in changes {
            facts.retain(|(name, _)| name != key);
            facts.push((key, value));
        }
        let lines: Vec<String> =
            facts.iter().map(|(key, value)| format!("{key} {}\n", hex(value))).collect();
        format!("noise\nbytekiln-identity-1\n{}bytekiln-identity-end\nnoise", lines.concat())
    }

    #[track_caller]
    fn check(changes: &[(&str, &str)], expect: &str) {
        let said = match parse_identity(report(changes).as_bytes()) {
            Ok(report) => report.toolchain.label(),
            Err(error) => error.to_string(),
        };
        assert_eq!(said, expect);
    }

    #[test]
    fn who_may_compile() {
        check(&[], "CPython 3.11.7");
        check(&[("free-threaded", "yes")], "CPython 3.11.7 free-threaded");
        check(
            &[("implementation", "pypy")],
            "it is pypy 3.11.7, and only CPython's caches can be built",
        );
        check(
            &[("version", "3.15.0rc1"), ("magic", "3665")],
            "it is CPython 3.15.0rc1 with magic number 3665, which is no final release from 3.8 to 3.15",
        );
        check(
            &[("cache-tag", "")],
            "it is a CPython 3.11.7 without a cache tag, which never loads caches",
        );
        check(&[("magic", "x")], "its answer lacks a usable `magic`");
        assert_eq!(parse_identity(b"Python 2.7.18"), Err(IdentityError::NoReport));
    }
}
