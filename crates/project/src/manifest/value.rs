//! The small languages inside values: interpreters, sizes, path maps, globs; and the search for
//! the nearest right word. Knows nothing of files or keys.

use std::path::PathBuf;

use globset::GlobBuilder;

use super::reader::Fault;
use crate::model::{CacheSettings, InterpreterSpec, PrefixMap};

/// The candidate that was most likely meant, if any is near enough: at most a third of its letters
/// are wrong.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        // A third of the letters may be wrong; of three letters, one; never all.
        .filter(|(distance, candidate)| {
            let letters = word.chars().count().max(candidate.chars().count());
            *distance <= letters.max(3) / 3 && *distance < letters
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The address of a remote cache, as far as its scheme: a manifest is public, so it has no secrets.
pub(crate) fn remote_address(text: &str) -> Result<String, Fault> {
    let host = ["http://", "https://", "grpc://", "grpcs://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme))
        .and_then(|rest| rest.split('/').next());
    match host {
        None | Some("") => Err(Fault::new(format!("`{text}` is no address of a cache"))
            .hint("write e.g. `https://cache.example/bytekiln` or `grpcs://cache.example:8980`")),
        Some(host) if host.contains('@') => Err(Fault::new("the address names a user")
            .hint("put secrets into a file, and name it with --remote-header-file")),
        Some(_) => Ok(text.to_owned()),
    }
}

/// A member pattern: a relative path whose components may be globs; without `./` and a final `/`.
pub(crate) fn member_pattern(text: &str) -> Result<String, Fault> {
    let trimmed = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
    let trimmed = if trimmed.is_empty() && !text.starts_with('/') { "." } else { trimmed };
    if text.is_empty() {
        return Err(Fault::new("an empty path").hint("write `.` for the workspace's own folder"));
    }
    if text.starts_with('/') {
        return Err(Fault::new(format!("`{text}` is absolute"))
            .hint("members are named by their path below the workspace"));
    }
    if trimmed != "." {
        for component in trimmed.split('/') {
            match component {
                ".." => {
                    return Err(Fault::new(format!("`{text}` leaves the workspace"))
                        .hint("put the manifest into a folder that holds all members"));
                }
                "" | "." => {
                    return Err(Fault::new(format!("`{text}` has an empty or `.` component")));
                }
                _ => {}
            }
        }
    }
    compile_glob(trimmed)?;
    Ok(trimmed.to_owned())
}

/// A glob over files, checked and kept as written.
pub(crate) fn file_glob(text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::new("an empty glob"));
    }
    if text.starts_with('/') {
        return Err(Fault::new(format!("`{text}` is absolute")).hint("globs are relative"));
    }
    if text.split('/').any(|component| component == "..") {
        return Err(Fault::new(format!("`{text}` has a `..` component")));
    }
    compile_glob(text)?;
    Ok(text.to_owned())
}

/// A glob as all of Bytekiln understands it: `*` and `?` stop at `/`, `**` does not.
pub(crate) fn compile_glob(text: &str) -> Result<globset::Glob, Fault> {
    GlobBuilder::new(text)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| Fault::new(format!("`{text}` is not a glob: {}", error.kind())))
}

/// A folder below the one that the key is about, `.` for that one itself.
pub(crate) fn folder_below(text: &str) -> Result<String, Fault> {
    let trimmed = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
    if text.starts_with('/') {
        return Err(Fault::new(format!("`{text}` is absolute")));
    }
    if text.is_empty() || trimmed.is_empty() || trimmed == "." {
        return Ok(String::new());
    }
    if trimmed.split('/').any(|component| matches!(component, "" | "." | "..")) {
        return Err(Fault::new(format!("`{text}` is not a plain path below its folder"))
            .hint("leave out `..`, `.` and doubled slashes"));
    }
    Ok(trimmed.to_owned())
}

impl InterpreterSpec {
    /// Takes `3.14`, `3.13.1`, `3.13t` (a version), `/usr/bin/python3` (a path: it has a `/`) or
    /// `python3.12` (a command).
    ///
    /// # Errors
    /// A lower-case fragment that says what is wrong.
    pub fn parse(text: &str) -> Result<InterpreterSpec, String> {
        if text.trim() != text || text.is_empty() {
            return Err(format!("`{text}` is empty or has blanks around it"));
        }
        if text.contains('\0') {
            return Err("a NUL byte".to_owned());
        }
        if text.contains('/') {
            return Ok(InterpreterSpec::Path(PathBuf::from(text)));
        }
        if !text.starts_with(|character: char| character.is_ascii_digit()) {
            return Ok(InterpreterSpec::Command(text.to_owned()));
        }
        let (version, free_threaded) = match text.strip_suffix('t') {
            Some(version) => (version, true),
            None => (text, false),
        };
        let numbers: Vec<u16> =
            version.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| {
                format!("`{text}` is not a version such as `3.14`, `3.13.1` or `3.13t`")
            })?;
        match numbers.len() {
            2 | 3 => Ok(InterpreterSpec::Version { numbers, free_threaded }),
            1 => Err(format!("`{text}` does not say which minor version, e.g. `{text}.14`")),
            _ => Err(format!("`{text}` has more than three numbers")),
        }
    }
}

impl PrefixMap {
    /// Takes `FROM=TO`; the first `=` divides, and each side loses its final `/`.
    ///
    /// # Errors
    /// A lower-case fragment that says what is wrong.
    pub fn parse(text: &str) -> Result<PrefixMap, String> {
        let (from, to) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not `FROM=TO`"))?;
        Ok(PrefixMap::new(from, to))
    }

    /// Both sides, without their final `/` (a lone `/` stays).
    pub(crate) fn new(from: &str, to: &str) -> PrefixMap {
        let trimmed = |side: &str| match side.trim_end_matches('/') {
            "" if side.starts_with('/') => "/".to_owned(),
            short => short.to_owned(),
        };
        PrefixMap { from: trimmed(from), to: trimmed(to) }
    }
}

/// A size as a manifest writes it.
pub(crate) fn size(text: &str) -> Result<u64, Fault> {
    CacheSettings::parse_size(text).ok_or_else(|| {
        Fault::new(format!("`{text}` is not a size"))
            .hint("write a whole number and a unit, e.g. `5GB`, `500MB` or `2GiB`")
    })
}

impl CacheSettings {
    /// `5GB`, `500 MiB`, `1024`: bytes. Decimal units count in thousands, `KiB` and so on in 1024s;
    /// `None` for what is no size, or too large for one.
    pub fn parse_size(text: &str) -> Option<u64> {
        let text = text.trim();
        let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor)
    }
}
