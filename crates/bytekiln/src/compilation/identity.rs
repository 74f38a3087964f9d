//! Who compiles, and who was expected to: of Bytekiln itself, and of the interpreter.

use bytekiln_action::Toolchain;
use bytekiln_codec::CANONICAL_FORM_VERSION;
use serde::Deserialize;
use serde_json::json;

use super::base::Base;
use super::parameters::read;
use crate::failure::CommandFailure;

/// What of this program decides about bytes: its version, and that of the canonical form.
pub(crate) fn compiler_identity() -> String {
    format!("bytekiln-{}+canonical-{CANONICAL_FORM_VERSION}", env!("CARGO_PKG_VERSION"))
}

/// SHA-256 over all that distinguishes interpreters, in hexadecimal.
pub(crate) fn python_digest(toolchain: &Toolchain) -> String {
    toolchain.digest().0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As `--print-identity` writes it.
pub(crate) fn document(toolchain: &Toolchain) -> String {
    let document = json!({
        "compiler": compiler_identity(),
        "python": python_digest(toolchain),
        "label": toolchain.label(),
        "version": toolchain.version,
        "build": toolchain.build,
        "platform": toolchain.platform,
        "cache_tag": toolchain.cache_tag,
        "magic": toolchain.release.magic(),
    });
    format!("{document:#}\n")
}

/// What of [`document`] is compared.
#[derive(Deserialize)]
struct Identities {
    compiler: String,
    python: String,
}

/// Who was expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// What [`compiler_identity`] must be.
    pub(crate) compiler: Option<String>,
    /// Version or digest.
    pub(crate) python: Option<String>,
}

/// Somebody else was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch(pub(crate) String);

impl Expectation {
    /// From the arguments; `@FILE` is read.
    pub(crate) fn read(
        compiler: Option<&str>,
        python: Option<&str>,
        base: &Base,
    ) -> Result<Expectation, CommandFailure> {
        let from_file = |path: &str| -> Result<Identities, CommandFailure> {
            let text = read(path.as_ref(), base)?;
            serde_json::from_slice(&text).map_err(|error| {
                CommandFailure::usage(format!("`{path}` holds no identities: {error}"))
                    .hint("make it with `bytekiln compile --python PATH --print-identity=FILE`")
            })
        };
        let compiler = match compiler {
            Some(text) => Some(match text.strip_prefix('@') {
                Some(path) => from_file(path)?.compiler,
                None => text.to_owned(),
            }),
            None => None,
        };
        let python = match python {
            Some(text) => Some(match text.strip_prefix('@') {
                Some(path) => from_file(path)?.python,
                None => text.to_owned(),
            }),
            None => None,
        };
        if let Some(python) = python.as_deref().filter(|text| !is_expectation(text)) {
            return Err(CommandFailure::usage(format!(
                "--expect-python: `{python}` is neither a version nor a digest"
            ))
            .hint(
                "a version is 3.11 or 3.11.7; digests are what --print-identity calls `python`",
            ));
        }
        Ok(Expectation { compiler, python })
    }

    /// Whether this program is the one.
    pub(crate) fn check_compiler(&self) -> Result<(), Mismatch> {
        let own = compiler_identity();
        match self.compiler.as_deref().filter(|expected| *expected != own) {
            Some(expected) => {
                Err(Mismatch(format!("this is {own}, and {expected} was expected to compile")))
            }
            None => Ok(()),
        }
    }

    /// Whether this interpreter is the one.
    pub(crate) fn check_python(&self, toolchain: &Toolchain) -> Result<(), Mismatch> {
        let Some(expected) = self.python.as_deref() else { return Ok(()) };
        let fits = if is_digest(expected) {
            python_digest(toolchain) == expected.to_ascii_lowercase()
        } else {
            let rest = toolchain.version.strip_prefix(expected);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if fits {
            return Ok(());
        }
        Err(Mismatch(format!(
            "the interpreter is {} (`{}`) with the identity {}, and {expected} was expected",
            toolchain.label(),
            toolchain.build,
            python_digest(toolchain),
        )))
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A digest or the beginning of a version.
fn is_expectation(text: &str) -> bool {
    let is_version = text.starts_with("3.")
        && text.split('.').all(|part| {
            part.starts_with(|first: char| first.is_ascii_digit())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
        });
    is_digest(text) || is_version
}

#[cfg(test)]
mod tests {
    use bytekiln_python::Release;

    use super::*;

    #[test]
    fn who_is_expected() {
        let toolchain = Toolchain {
            release: Release::from_minor(11).expect("it is in the table"),
            implementation: "cpython".to_owned(),
            version: "3.11.7".to_owned(),
            build: "3.11.7 (main) [GCC]".to_owned(),
            cache_tag: "cpython-311".to_owned(),
            platform: "linux-x86_64".to_owned(),
            free_threaded: false,
            debug: false,
        };
        let digest = python_digest(&toolchain);
        let base = Base::free(std::path::PathBuf::from("/"));
        let fits = |python: &str| -> Option<bool> {
            let expectation = Expectation::read(None, Some(python), &base).ok()?;
            Some(expectation.check_python(&toolchain).is_ok())
        };
        for (expected, outcome) in [
            ("3.11", Some(true)),
            ("3.11.7", Some(true)),
            (digest.as_str(), Some(true)),
            ("3.1", Some(false)),
            ("3.12", Some(false)),
            ("3.11.70", Some(false)),
            (&"0".repeat(64), Some(false)),
            ("", None),
            ("python3", None),
            ("3.11/../x", None),
        ] {
            assert_eq!(fits(expected), outcome, "{expected}");
        }
        let other = Expectation { compiler: Some("bytekiln-0.0.1".to_owned()), python: None };
        assert!(other.check_compiler().is_err());
        let own = Expectation { compiler: Some(compiler_identity()), python: None };
        assert_eq!(own.check_compiler(), Ok(()));
    }
}
