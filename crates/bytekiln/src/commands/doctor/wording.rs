//! Verdicts in words: what happens, the details of a file, and what to do about it.

use bytekiln_loader::{Class, Container, Effect, ModuleReport, Reason, ShadowKind};
use bytekiln_python::Release;

use super::artifacts::Artifacts;
use crate::calendar::date_and_time;

/// As a status verb of at most twelve letters.
pub(super) fn verb(class: Class) -> &'static str {
    match class {
        Class::UncheckedOverChanged => "Unchecked",
        Class::Truncated => "Truncated",
        Class::Damaged => "Damaged",
        Class::Unreadable => "Unreadable",
        Class::WrongMagic => "Wrong magic",
        Class::BadFlags => "Bad flags",
        Class::Stale => "Stale",
        Class::WrongLevel => "Wrong level",
        Class::Ignored => "Ignored",
        Class::Missing => "Missing",
        Class::Shadowed => "Shadowed",
        Class::Orphan => "Orphan",
        Class::ForeignPath => "Foreign path",
        Class::Script => "Script",
        Class::Loaded => "Loaded",
    }
}

/// What happens to so many modules or files.
pub(super) fn happens(class: Class, effect: Effect, one: bool) -> String {
    let verb = |singular: &str, plural: &str| if one { singular } else { plural }.to_owned();
    match (effect, class) {
        (Effect::Fails(exception), _) => {
            format!("cannot be imported ({})", exception.as_str())
        }
        (Effect::RunsOldCode, _) => verb(
            "runs old code: its cache is not checked, and its source has changed",
            "run old code: their caches are not checked, and their sources have changed",
        ),
        (Effect::Compiles, Class::Missing) => verb(
            "is compiled at start: it has no cache",
            "are compiled at start: they have no cache",
        ),
        (Effect::Compiles, _) => verb("is compiled at start", "are compiled at start"),
        (Effect::NotUsed, Class::Orphan) => verb(
            "is there without its source, and is not used",
            "are there without their sources, and are not used",
        ),
        (Effect::NotUsed, Class::Script) => verb("is no module", "are no modules"),
        (Effect::NotUsed, Class::Shadowed) => verb(
            "is never imported: something else of its name comes first",
            "are never imported: something else of their names comes first",
        ),
        (Effect::NotUsed, _) => verb("is never looked at", "are never looked at"),
        (Effect::Loads, Class::ForeignPath) => verb(
            "is loaded, and shows the path of another place in tracebacks",
            "are loaded, and show paths of another place in tracebacks",
        ),
        (Effect::Loads, _) => verb("is loaded from its cache", "are loaded from their caches"),
    }
}

/// What is special about this one; may be empty.
pub(super) fn detail(report: &ModuleReport, artifacts: &Artifacts) -> String {
    match &report.reason {
        Reason::StaleTime { recorded, actual } => {
            let (actual, recorded) = (date_and_time(*actual), date_and_time(i64::from(*recorded)));
            format!("its source is of {actual} UTC, the cache is for {recorded}")
        }
        Reason::StaleSize { recorded, actual } => {
            format!("its source has {actual} bytes, the cache is for {recorded}")
        }
        Reason::StaleHash => "the hash of its source is another one".to_owned(),
        Reason::WrongMagic(magic) => format!("the cache is {}", maker(magic)),
        Reason::OtherInterpreters(tags) => format!("there is one for {} only", tags.join(", ")),
        Reason::OtherLevels(levels) => {
            let levels: Vec<String> = levels.iter().map(|level| option(*level)).collect();
            format!("there is one for {} only", levels.join(" and "))
        }
        Reason::BadFlags(flags) => format!("header flags {flags:#x}"),
        Reason::ShortHeader(length) => format!("the cache ends after {length} bytes"),
        Reason::TruncatedBody => "the cache ends within its code".to_owned(),
        Reason::DamagedBody(what) => what.clone(),
        Reason::NotCode => "there is no code object in it".to_owned(),
        Reason::NoCacheTag => "the interpreter has no cache tag".to_owned(),
        Reason::CacheFolderInZip => "`__pycache__` counts for nothing in a zip".to_owned(),
        Reason::CacheOutsidePrefix => "its cache is not below the prefix".to_owned(),
        Reason::LegacyBesideSource => "its source comes first".to_owned(),
        Reason::ExtensionInZip => "an extension module cannot be loaded from a zip".to_owned(),
        Reason::ZipTooLarge => "the zip has more than 65,535 entries".to_owned(),
        Reason::NoFolderEntry => "its folder has no entry of its own in the zip".to_owned(),
        Reason::ShadowedBy(shadow) => {
            let by = shadow.by.map(|file| format!("`{}`", artifacts.path(file)));
            match (shadow.kind, by) {
                (ShadowKind::Interpreter(earlier), _) => {
                    format!("the name is {} already", earlier.as_str())
                }
                (_, Some(by)) => format!("by {by}"),
                (_, None) => String::new(),
            }
        }
        Reason::ForeignPath(path) => format!("`{}`", path.escape_ascii()),
        Reason::Unreadable(what) => what.clone(),
        _ => String::new(),
    }
}

/// What to do about a group; the first of it stands for all.
pub(super) fn remedy(report: &ModuleReport, artifacts: &Artifacts, release: Release) -> String {
    let root = artifacts.tree.root(report.file.root);
    let in_zip = root.is_some_and(|root| root.container == Container::Zip);
    let place = if in_zip { " beside the sources (`m.pyc`, not `__pycache__`)" } else { "" };
    let compile = |how: &str| format!("compile with CPython {release}{how}{place}");
    match (&report.reason, report.effect) {
        (Reason::StaleTime { .. }, _) => format!(
            "copying and packing change times: build hash-based caches{place}, checked, or unchecked \
             where the sources cannot change any more"
        ),
        (Reason::StaleSize { .. } | Reason::StaleHash, _) => {
            "the sources were edited after they were compiled: compile last".to_owned()
        }
        (Reason::WrongMagic(_), Effect::Fails(_)) => format!(
            "ship sources too, or compile with the release that runs them: CPython {release}"
        ),
        (Reason::WrongMagic(_) | Reason::OtherInterpreters(_), _) => compile(""),
        (Reason::OtherLevels(_), _) => {
            "compile for the level that the program is started with (`--optimize`), or start it with \
             the level that there is"
                .to_owned()
        }
        (
            Reason::BadFlags(_)
            | Reason::ShortHeader(_)
            | Reason::TruncatedBody
            | Reason::DamagedBody(_)
            | Reason::NotCode,
            _,
        ) => "delete the caches and compile again, with a tool that writes whole files".to_owned(),
        (Reason::UncheckedChanged, _) => {
            "compile again; use checked hashes wherever sources may be edited".to_owned()
        }
        (Reason::NoCache, _) => compile(""),
        (Reason::NoCacheTag, _) => {
            "start the program without setting `sys.implementation.cache_tag` to None".to_owned()
        }
        (Reason::CacheFolderInZip, Effect::NotUsed) => {
            "leave `__pycache__` out of zips: it only makes them larger".to_owned()
        }
        (Reason::CacheFolderInZip, _) => compile(""),
        (Reason::CacheOutsidePrefix, _) => {
            "set `PYTHONPYCACHEPREFIX` when compiling as when running, or nowhere".to_owned()
        }
        (Reason::LegacyBesideSource, _) => {
            "remove them, or remove the sources: only one of both is looked at".to_owned()
        }
        (Reason::ExtensionInZip, _) => "unpack the package that it belongs to".to_owned(),
        (Reason::NoFolderEntry, _) => {
            "pack folder entries too, add an `__init__.py`, or run CPython 3.14 or later".to_owned()
        }
        (Reason::ZipTooLarge, _) => {
            "split the zip or unpack it, or run CPython 3.13 or later".to_owned()
        }
        (Reason::ShadowedBy(shadow), _) => match shadow.kind {
            ShadowKind::Interpreter(_) => "rename them if they are meant to be imported",
            ShadowKind::Extension => {
                "leave them if they are the sources of those extension modules; else rename them"
            }
            _ => "rename or remove one of both",
        }
        .to_owned(),
        (Reason::NoSource, _) => "remove them: their modules are gone".to_owned(),
        (Reason::ForeignPath(_), _) => {
            "record paths that hold wherever it runs: relative ones, or those of the destination"
                .to_owned()
        }
        (Reason::Unreadable(_), _) => "make it readable, or pack it again".to_owned(),
        _ => String::new(),
    }
}

fn maker(magic: &[u8]) -> String {
    match *magic {
        [low, high, b'\r', b'\n'] => {
            let magic = u16::from_le_bytes([low, high]);
            match Release::from_magic(magic) {
                Some(release) => format!("of CPython {release}"),
                None => format!("of an unknown interpreter (magic number {magic})"),
            }
        }
        [] => "empty".to_owned(),
        _ => "none: it does not start with a magic number".to_owned(),
    }
}

fn option(level: u8) -> String {
    match level {
        0 => "no -O".to_owned(),
        level => format!("-{}", "O".repeat(level.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers() {
        assert_eq!(maker(&[0xa7, 0x0d, b'\r', b'\n']), "of CPython 3.11");
        assert_eq!(maker(b""), "empty");
        assert_eq!(maker(b"abcd"), "none: it does not start with a magic number");
    }

    #[test]
    fn every_verb_fits_its_column() {
        assert!(Class::ALL.iter().all(|class| verb(*class).len() <= 12));
    }
}
