//! What was read, as a rule that make and ninja understand.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// `outputs: inputs`. `None` if a path has a line end, which neither of them can spell.
pub(crate) fn render<'a>(
    outputs: impl Iterator<Item = &'a Path>,
    inputs: impl Iterator<Item = &'a Path>,
) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for output in outputs {
        if !text.is_empty() {
            text.extend_from_slice(b" \\\n  ");
        }
        escape(output.as_os_str().as_bytes(), &mut text)?;
    }
    text.push(b':');
    for input in inputs {
        text.extend_from_slice(b" \\\n  ");
        escape(input.as_os_str().as_bytes(), &mut text)?;
    }
    text.push(b'\n');
    Some(text)
}

/// As gcc writes names: blanks and number signs behind a backslash, a dollar doubled, and before a
/// blank every backslash doubled.
fn escape(path: &[u8], text: &mut Vec<u8>) -> Option<()> {
    let mut slashes = 0;
    for byte in path {
        match byte {
            b'\n' | b'\r' | 0 => return None,
            b' ' | b'\t' => {
                text.extend(std::iter::repeat_n(b'\\', slashes + 1));
            }
            b'#' => text.push(b'\\'),
            b'$' => text.push(b'$'),
            _ => {}
        }
        slashes = if *byte == b'\\' { slashes + 1 } else { 0 };
        text.push(*byte);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn rule(outputs: &[&str], inputs: &[&str]) -> Option<String> {
        let text = render(outputs.iter().map(Path::new), inputs.iter().map(Path::new))?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn names_are_escaped() {
        expect![[r"
            o/a.pyc \
              o/b\ c.pyc: \
              a.py \
              b\ c.py \
              $$x\#\\\ y.py
        "]]
        .assert_eq(
            &rule(&["o/a.pyc", "o/b c.pyc"], &["a.py", "b c.py", "$x#\\ y.py"]).unwrap_or_default(),
        );
        assert_eq!(rule(&["a\nb"], &[]), None);
    }
}
