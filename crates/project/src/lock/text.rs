//! Keys and strings of TOML, as far as a lock file needs them.

use std::borrow::Cow;

/// `name`, or `"na me"` where it is no bare key.
pub(super) fn put_key(out: &mut String, key: &str) {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !key.is_empty() && key.bytes().all(bare) {
        out.push_str(key);
    } else {
        put_string(out, key);
    }
}

/// `"text"`.
pub(super) fn put_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            _ if character.is_control() => {
                out.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// A string at the beginning of the text, and what follows it.
pub(super) fn take_string(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let text = text.strip_prefix('"')?;
    let end = text.find(['"', '\\'])?;
    if text.as_bytes().get(end) == Some(&b'"') {
        return Some((Cow::Borrowed(text.get(..end)?), text.get(end + 1..)?));
    }
    let mut out = String::new();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\'])?;
        out.push_str(rest.get(..at)?);
        let is_end = rest.as_bytes().get(at) == Some(&b'"');
        rest = rest.get(at + 1..)?;
        if is_end {
            return Some((Cow::Owned(out), rest));
        }
        match rest.as_bytes().first()? {
            b'"' => out.push('"'),
            b'\\' => out.push('\\'),
            b'u' => {
                let code = u32::from_str_radix(rest.get(1..5)?, 16).ok()?;
                out.push(char::from_u32(code)?);
                rest = rest.get(4..)?;
            }
            _ => return None,
        }
        rest = rest.get(1..)?;
    }
}

/// A key at the beginning of the text, and what follows it.
pub(super) fn take_key(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if text.starts_with('"') {
        return take_string(text);
    }
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let end = text.bytes().position(|byte| !bare(byte)).unwrap_or(text.len());
    let (key, rest) = text.split_at_checked(end)?;
    (!key.is_empty()).then_some((Cow::Borrowed(key), rest))
}
