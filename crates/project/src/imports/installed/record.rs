//! The files that tell what a distribution consists of: `RECORD`, `METADATA`, `top_level.txt`,
//! `direct_url.json`. Text in, values out; knows no disk.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// The paths in a `RECORD` (PEP 376: rows of path, hash and size, as the `csv` module writes them).
pub(super) fn record_paths(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(quoted) = line.strip_prefix(b"\"") else {
            let path = line.split(|byte| *byte == b',').next()?;
            return (!path.is_empty()).then(|| path.to_vec());
        };
        let mut path = Vec::new();
        let mut bytes = quoted.iter().peekable();
        while let Some(byte) = bytes.next() {
            if *byte != b'"' {
                path.push(*byte);
            } else if bytes.next_if_eq(&&b'"').is_some() {
                path.push(b'"');
            } else {
                break;
            }
        }
        (!path.is_empty()).then_some(path)
    })
}

/// `Name:` in the head of a `METADATA` or `PKG-INFO`.
pub(super) fn name_in(metadata: &str) -> Option<&str> {
    metadata
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("Name:"))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// `pydantic_core` of `pydantic_core-2.41.5.dist-info`, `foo` of `foo-1.0-py3.11.egg-info`.
pub(super) fn name_of_folder(folder: &str) -> &str {
    let stem = folder.rsplit_once('.').map_or(folder, |(stem, _)| stem);
    stem.split_once('-').map_or(stem, |(name, _)| name)
}

/// As PEP 503 compares names.
pub(super) fn normalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for char in name.chars() {
        if !matches!(char, '-' | '_' | '.') {
            out.extend(char.to_lowercase());
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out
}

/// The folder of an editable installation, by its `direct_url.json` (PEP 610).
pub(super) fn editable_folder(json: &str) -> Option<PathBuf> {
    let is_editable = after_key(json, "editable")?.starts_with("true");
    let url = after_key(json, "url").filter(|_| is_editable)?.strip_prefix('"')?;
    let (url, _) = url.split_once('"')?;
    let path = url.strip_prefix("file://")?;
    // A host, empty or `localhost`, goes before the path.
    let path = path.get(path.find('/')?..)?;
    Some(PathBuf::from(OsString::from_vec(unescaped(path))))
}

fn after_key<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let quoted = format!("\"{key}\"");
    let at = json.find(&quoted)? + quoted.len();
    json.get(at..)?.trim_start().strip_prefix(':').map(str::trim_start)
}

fn unescaped(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = path.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let text = b"a/b.py,sha256=x,12\r\n\"c,\"\"d\"\".py\",,\n\n../../bin/x,,\n";
        let paths: Vec<Vec<u8>> = record_paths(text).collect();
        assert_eq!(paths, [&b"a/b.py"[..], b"c,\"d\".py", b"../../bin/x"]);
    }

    #[test]
    fn names() {
        assert_eq!(name_in("Metadata-Version: 2.1\nName: Foo.Bar \n\nName: no\n"), Some("Foo.Bar"));
        assert_eq!(name_in("Version: 1\n\nName: in the description\n"), None);
        assert_eq!(name_of_folder("pydantic_core-2.41.5.dist-info"), "pydantic_core");
        assert_eq!(name_of_folder("foo.egg-info"), "foo");
        assert_eq!(normalized("Foo._-Bar"), "foo-bar");
    }

    #[test]
    fn editable_installations() {
        let json = r#"{"dir_info": {"editable": true}, "url": "file:///a%20b/c"}"#;
        assert_eq!(editable_folder(json), Some(PathBuf::from("/a b/c")));
        assert_eq!(editable_folder(r#"{"url": "file:///a", "dir_info": {}}"#), None);
        assert_eq!(
            editable_folder(r#"{"url": "https://x/a.whl", "dir_info": {"editable": true}}"#),
            None
        );
    }
}
