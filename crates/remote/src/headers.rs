//! Header files: `Name: value` lines that go with every request, for tokens. Knows no network, and
//! shows no values.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers for every request. Values are secrets and are not printed.
#[derive(Clone, Default)]
pub struct RemoteHeaders(pub(crate) HeaderMap);

impl std::fmt::Debug for RemoteHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A line that is no header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it; says nothing of its value.
    pub message: String,
}

impl std::fmt::Display for HeaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for HeaderError {}

/// Headers that belong to the connection or to the protocol.
const OURS: &[&str] =
    &["connection", "content-length", "content-type", "host", "te", "transfer-encoding", "upgrade"];

impl RemoteHeaders {
    /// Reads the text of a header file: one `Name: value` a line; empty lines and those that start
    /// with `#` are skipped. A name may come twice.
    ///
    /// # Errors
    /// At the first line that is no header, or one that is not for users to set.
    pub fn parse(text: &str) -> Result<RemoteHeaders, HeaderError> {
        let mut headers = HeaderMap::new();
        for (index, line) in text.lines().enumerate() {
            let error = |message: String| HeaderError { line: index + 1, message };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| error("it has no colon: `Name: value` is wanted".to_owned()))?;
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| error("its name is none of a header".to_owned()))?;
            if OURS.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
                return Err(error(format!("`{name}` is set by the protocol")));
            }
            let mut value = HeaderValue::from_str(value.trim())
                .map_err(|_| error(format!("the value of `{name}` has forbidden characters")))?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(RemoteHeaders(headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_files_are_read_and_not_printed() {
        let text =
            "# token of the build farm\nAuthorization: Bearer s3cret\n\nX-Team: a\nx-team: b\n";
        let headers = RemoteHeaders::parse(text).unwrap();
        assert_eq!(headers.0.get_all("x-team").iter().count(), 2);
        assert_eq!(headers.0["authorization"], "Bearer s3cret");
        let shown = format!("{headers:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        let read = |text: &str| RemoteHeaders::parse(text).unwrap_err().to_string() + "\n";
        let all: String =
            ["\nBearer s3cret", "a b: s3cret", "X: s3\u{1}cret", "Host: other", "grpc-timeout: 1"]
                .map(read)
                .concat();
        expect_test::expect![[r#"
            line 2: it has no colon: `Name: value` is wanted
            line 1: its name is none of a header
            line 1: the value of `x` has forbidden characters
            line 1: `host` is set by the protocol
            line 1: `grpc-timeout` is set by the protocol
        "#]]
        .assert_eq(&all);
    }
}
