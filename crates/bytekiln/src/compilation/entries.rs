//! Sources with the paths they record and where their outputs go, from arguments.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::failure::CommandFailure;

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As named.
    pub(crate) source: PathBuf,
    /// What `co_filename` will say: bytes of a path.
    pub(crate) recorded: Vec<u8>,
    /// As named; `None`: below the tree of outputs, after the recorded path.
    pub(crate) output: Option<PathBuf>,
    /// What Buck2's manifests say of where a source comes from: passed on.
    pub(crate) origin: Option<serde_json::Value>,
}

/// Reads `SOURCE[=RECORDED[=OUTPUT]]`. An empty part is as one that is not there.
pub(crate) fn parse(text: &OsStr) -> Result<Entry, CommandFailure> {
    let parts: Vec<&[u8]> = text.as_bytes().split(|byte| *byte == b'=').collect();
    let wrong = |why: &str| {
        let shown = text.display();
        CommandFailure::usage(format!("`{shown}`: {why}"))
            .hint("write SOURCE=RECORDED=OUTPUT; paths that have a `=` go through --manifest")
    };
    let (source, recorded, output) = match parts.as_slice() {
        [source] => (*source, None, None),
        [source, recorded] => (*source, Some(*recorded), None),
        [source, recorded, output] => (*source, Some(*recorded), Some(*output)),
        _ => return Err(wrong("more than two `=`")),
    };
    if source.is_empty() {
        return Err(wrong("there is no source"));
    }
    let path = |bytes: &[u8]| PathBuf::from(OsString::from(OsStr::from_bytes(bytes)));
    let recorded = recorded.filter(|recorded| !recorded.is_empty()).unwrap_or(source);
    if recorded.contains(&0) {
        return Err(wrong("a path has no NUL"));
    }
    Ok(Entry {
        source: path(source),
        recorded: recorded.to_vec(),
        output: output.filter(|output| !output.is_empty()).map(path),
        origin: None,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &Expect) {
        let said = match parse(OsStr::new(text)) {
            Ok(entry) => {
                let recorded = String::from_utf8_lossy(&entry.recorded).into_owned();
                format!("{:?} as {recorded:?} to {:?}", entry.source, entry.output)
            }
            Err(failure) => failure.messages.join("; "),
        };
        expect.assert_eq(&said);
    }

    #[test]
    fn entries() {
        check("a.py", &expect![[r#""a.py" as "a.py" to None"#]]);
        check("gen/a.py=a.py", &expect![[r#""gen/a.py" as "a.py" to None"#]]);
        check("gen/a.py=a.py=o/a.pyc", &expect![[r#""gen/a.py" as "a.py" to Some("o/a.pyc")"#]]);
        check("a.py==o/a.pyc", &expect![[r#""a.py" as "a.py" to Some("o/a.pyc")"#]]);
        check("=a.py", &expect!["`=a.py`: there is no source"]);
        check("a=b=c=d", &expect!["`a=b=c=d`: more than two `=`"]);
    }
}
