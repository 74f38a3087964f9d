//! JSON manifests: of sources on the way in, of outputs on the way out. Rows are Buck2's
//! `[name, path]` or `[name, path, origin]`, or objects with names for their parts.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::entries::Entry;
use crate::failure::CommandFailure;

#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Pair(String, PathBuf),
    Triple(String, PathBuf, Value),
    Named(Named),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    source: PathBuf,
    recorded: Option<String>,
    output: Option<PathBuf>,
    origin: Option<Value>,
}

/// The sources of a manifest.
///
/// # Errors
/// Names the line, or the row that is none.
pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Vec<Entry>, CommandFailure> {
    let shown = path.display();
    let rows: Vec<Value> = serde_json::from_slice(text).map_err(|error| {
        CommandFailure::usage(format!("{shown}:{}: {error}", error.line()))
            .hint("a manifest is a JSON list of [name, path] or {\"source\": …} (docs/compile.md)")
    })?;
    rows.into_iter().enumerate().map(|(index, row)| entry(index, row, path)).collect()
}

fn entry(index: usize, row: Value, path: &Path) -> Result<Entry, CommandFailure> {
    let wrong = |why: &str| {
        CommandFailure::usage(format!("{}: row {}: {why}", path.display(), index + 1)).hint(
            "a row is [recorded path, source], [recorded path, source, origin], or an object with \
             `source`, and perhaps `recorded`, `output`, `origin`",
        )
    };
    let row = serde_json::from_value(row).map_err(|_| wrong("no row of a manifest"))?;
    let (source, recorded, output, origin) = match row {
        Row::Pair(recorded, source) => (source, Some(recorded), None, None),
        Row::Triple(recorded, source, origin) => (source, Some(recorded), None, Some(origin)),
        Row::Named(Named { source, recorded, output, origin }) => {
            (source, recorded, output, origin)
        }
    };
    if source.as_os_str().is_empty() {
        return Err(wrong("there is no source"));
    }
    let recorded = match recorded {
        Some(recorded) => recorded,
        // It came as JSON, and is text.
        None => source.display().to_string(),
    };
    if recorded.is_empty() || recorded.contains('\0') {
        return Err(wrong("no recorded path"));
    }
    Ok(Entry { source, recorded: recorded.into_bytes(), output, origin })
}

/// One output for [`render`].
pub(crate) struct OutputRow<'a> {
    /// Where it is to be found in a program: the name in the tree, else its path.
    pub(crate) name: String,
    /// As the caller reaches it.
    pub(crate) path: String,
    /// Of its source.
    pub(crate) origin: Option<&'a Value>,
}

/// A manifest of outputs: rows like those of the sources.
pub(crate) fn render(rows: &[OutputRow<'_>]) -> String {
    let rows = rows.iter().map(|row| match row.origin {
        Some(origin) => json!([row.name, row.path, origin]),
        None => json!([row.name, row.path]),
    });
    let lines: Vec<String> = rows.map(|row| row.to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &Expect) {
        let said = match parse(text.as_bytes(), Path::new("m.json")) {
            Ok(entries) => {
                let lines = entries.iter().map(|entry| {
                    let recorded = String::from_utf8_lossy(&entry.recorded);
                    format!(
                        "{:?} {recorded:?} {:?} {:?}\n",
                        entry.source, entry.output, entry.origin
                    )
                });
                lines.collect()
            }
            Err(failure) => format!("{}\n", failure.messages.join("; ")),
        };
        expect.assert_eq(&said);
    }

    #[test]
    fn rows() {
        check(
            r#"[["a.py", "src/a.py"], ["b.py", "out/b.py", "//x:b"],
                {"source": "c.py"}, {"source": "d.py", "recorded": "e.py", "output": "d.pyc"}]"#,
            &expect![[r#"
                "src/a.py" "a.py" None None
                "out/b.py" "b.py" None Some(String("//x:b"))
                "c.py" "c.py" None None
                "d.py" "e.py" Some("d.pyc") None
            "#]],
        );
        check("[]", &expect![[""]]);
        check("[[\"a.py\"]]", &expect!["m.json: row 1: no row of a manifest\n"]);
        check(
            "[[\"a.py\", \"a.py\"], {\"source\": \"a\", \"out\": \"b\"}]",
            &expect!["m.json: row 2: no row of a manifest\n"],
        );
        check(
            "[\n[\"a.py\",",
            &expect![[r#"
                m.json:2: EOF while parsing a value at line 2 column 8
            "#]],
        );
        check(
            "{}",
            &expect![[r#"
            m.json:1: invalid type: map, expected a sequence at line 1 column 0
        "#]],
        );
    }
}
