//! A lock file's text back to values, line by line: only what `render_lock` writes is taken, and
//! what is not says on which line. Linear in the text, and total.

use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};

use super::text::{take_key, take_string};
use super::{
    LOCK_FILE_VERSION, LockFile, LockFileError, LockFileFault, LockedOutput, LockedProfile,
    LockedSource, LockedTarget,
};

/// The text of a lock file, not yet understood.
#[derive(Debug)]
pub struct LockText {
    path: PathBuf,
    text: String,
    digest: Digest,
}

/// Reads the file.
///
/// # Errors
/// It is not there, cannot be read, or is no text.
pub fn read_lock(path: &Path) -> Result<LockText, LockFileError> {
    let error = |line, fault| LockFileError { path: path.to_owned(), line, fault };
    let bytes = std::fs::read(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => error(None, LockFileFault::Missing),
        _ => error(None, LockFileFault::Unreadable(cause)),
    })?;
    let digest = Digest::of(&bytes);
    let text = String::from_utf8(bytes).map_err(|cause| {
        let before = cause.as_bytes().get(..cause.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        error(Some(line), LockFileFault::Syntax("text in UTF-8"))
    })?;
    Ok(LockText { path: path.to_owned(), text, digest })
}

impl LockText {
    /// The digest of the file's bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What it says.
    ///
    /// # Errors
    /// It is not what `bytekiln lock` writes.
    pub fn parse(&self) -> Result<LockFile, LockFileError> {
        parse_lock(&self.text).map_err(|(line, fault)| LockFileError {
            path: self.path.clone(),
            line: Some(line),
            fault,
        })
    }
}

/// What the text says.
///
/// # Errors
/// The line, from 1, and what is wrong there.
pub fn parse_lock(text: &str) -> Result<LockFile, (usize, LockFileFault)> {
    let mut parser = Parser::default();
    let mut count = 0;
    for (at, line) in text.lines().enumerate() {
        count = at + 1;
        parser.line(line, count)?;
    }
    parser.end_target()?;
    if !parser.versioned {
        return Err((count.max(1), LockFileFault::Syntax("`version = 1`")));
    }
    Ok(parser.lock)
}

#[derive(Default)]
enum Section {
    #[default]
    Top,
    Profile,
    Target(Box<TargetLines>),
    Member(String),
}

/// The lines of a target, in any order.
#[derive(Default)]
struct TargetLines {
    texts: [Option<String>; 7],
    numbers: [Option<u16>; 2],
    flags: [Option<bool>; 3],
}

const TEXTS: [&str; 7] =
    ["implementation", "version", "build", "cache-tag", "platform", "invalidation-mode", "layout"];
const NUMBERS: [&str; 2] = ["magic", "optimization"];
const FLAGS: [&str; 3] = ["free-threaded", "debug", "debug-ranges"];

#[derive(Default)]
struct Parser {
    lock: LockFile,
    versioned: bool,
    profile: String,
    section: Section,
    /// Where the section begins.
    section_line: usize,
}

impl Parser {
    fn line(&mut self, line: &str, number: usize) -> Result<(), (usize, LockFileFault)> {
        if line.starts_with('[') {
            self.end_target()?;
            self.section_line = number;
        }
        self.content(line).map_err(|fault| (number, fault))
    }

    fn content(&mut self, line: &str) -> Result<(), LockFileFault> {
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
            return Err(LockFileFault::MergeConflict);
        }
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if !self.versioned {
            let version = line.strip_prefix("version = ");
            let version = version.ok_or(LockFileFault::Syntax("`version = 1`"))?;
            if version.parse() != Ok(LOCK_FILE_VERSION) {
                return Err(LockFileFault::Version(version.to_owned()));
            }
            self.versioned = true;
            return Ok(());
        }
        if line.starts_with('[') {
            return self.heading(line);
        }
        let Parser { lock, profile, section, .. } = self;
        let profile = lock.profiles.get_mut(profile);
        match (section, profile) {
            (Section::Profile, Some(profile)) => canonical_form(line, profile),
            (Section::Target(lines), _) => lines.line(line),
            (Section::Member(member), Some(profile)) => source(line, member, profile),
            _ => Err(LockFileFault::Syntax("a `[profile.NAME]`")),
        }
    }

    fn heading(&mut self, line: &str) -> Result<(), LockFileFault> {
        const WANTED: LockFileFault = LockFileFault::Syntax(
            "`[profile.NAME]`, `[[profile.NAME.target]]` or `[profile.NAME.member.NAME]`",
        );
        let is_target = line.starts_with("[[");
        let (open, close) = if is_target { ("[[", "]]") } else { ("[", "]") };
        let inner = line.strip_prefix(open).and_then(|line| line.strip_suffix(close));
        let inner = inner.and_then(|inner| inner.strip_prefix("profile.")).ok_or(WANTED)?;
        let (profile, rest) = take_key(inner).ok_or(WANTED)?;
        if rest.is_empty() && !is_target {
            let new = LockedProfile::default();
            if self.lock.profiles.insert(profile.to_string(), new).is_some() {
                return Err(LockFileFault::Twice(format!("profile `{profile}`")));
            }
            self.profile = profile.into_owned();
            self.section = Section::Profile;
            return Ok(());
        }
        if profile != self.profile.as_str() || !self.lock.profiles.contains_key(&*profile) {
            return Err(WANTED);
        }
        if is_target {
            if rest != ".target" {
                return Err(WANTED);
            }
            self.section = Section::Target(Box::default());
            return Ok(());
        }
        let member = rest.strip_prefix(".member.").and_then(take_key);
        let member = member.filter(|(_, rest)| rest.is_empty()).ok_or(WANTED)?.0.into_owned();
        let locked = self.lock.profiles.get_mut(&self.profile).ok_or(WANTED)?;
        if locked.members.insert(member.clone(), Default::default()).is_some() {
            return Err(LockFileFault::Twice(format!("member `{member}`")));
        }
        self.section = Section::Member(member);
        Ok(())
    }

    /// A target is known when the next section begins.
    fn end_target(&mut self) -> Result<(), (usize, LockFileFault)> {
        if let Section::Target(lines) = std::mem::take(&mut self.section)
            && let Some(profile) = self.lock.profiles.get_mut(&self.profile)
        {
            profile.targets.push(lines.target().map_err(|fault| (self.section_line, fault))?);
        }
        Ok(())
    }
}

fn canonical_form(line: &str, profile: &mut LockedProfile) -> Result<(), LockFileFault> {
    let value = line.strip_prefix("canonical-form = ");
    let value = value.ok_or(LockFileFault::Syntax("`canonical-form`, a target or a member"))?;
    profile.canonical_form = value.parse().map_err(|_| bad("canonical-form", value))?;
    Ok(())
}

fn source(line: &str, member: &str, profile: &mut LockedProfile) -> Result<(), LockFileFault> {
    const WANTED: LockFileFault = LockFileFault::Syntax(
        "`\"SOURCE\" = [\"DIGEST\", …]` with the source's digest and one output a target",
    );
    let (path, rest) = take_string(line).ok_or(WANTED)?;
    let parsed = RepoPath::parse_display(&path).filter(|path| !path.is_root());
    let path = parsed.ok_or_else(|| bad("source", &path))?;
    let mut rest = rest.strip_prefix(" = [").ok_or(WANTED)?;
    let mut content = None;
    let mut outputs = Vec::with_capacity(profile.targets.len());
    let mut recorded_path = None;
    loop {
        let (value, after) = take_string(rest).ok_or(WANTED)?;
        if content.is_none() {
            content = Some(digest("source digest", &value)?);
        } else if let Some(recorded) = value.strip_prefix("co_filename=") {
            let recorded = RecordedPath::parse_display(recorded);
            recorded_path = Some(recorded.ok_or_else(|| bad("co_filename", &value))?);
        } else {
            outputs.push(match &*value {
                "checked" => LockedOutput::Checked,
                "rejected" => LockedOutput::Rejected,
                value => LockedOutput::Written(digest("output digest", value)?),
            });
        }
        if let Some(after) = after.strip_prefix(", ") {
            rest = after;
        } else if after == "]" {
            break;
        } else {
            return Err(WANTED);
        }
    }
    if outputs.len() != profile.targets.len() {
        return Err(WANTED);
    }
    let recorded_path =
        recorded_path.unwrap_or_else(|| RecordedPath::from_file_system(path.as_bytes()));
    let source = LockedSource { content: content.ok_or(WANTED)?, recorded_path, outputs };
    let sources = profile.members.get_mut(member).ok_or(WANTED)?;
    match sources.insert(path.clone(), source) {
        None => Ok(()),
        Some(_) => Err(LockFileFault::Twice(format!("source `{path}`"))),
    }
}

fn digest(key: &'static str, value: &str) -> Result<Digest, LockFileFault> {
    Digest::parse(value).map_err(|_| bad(key, value))
}

fn bad(key: &'static str, value: &str) -> LockFileFault {
    LockFileFault::Value { key, value: value.to_owned() }
}

impl TargetLines {
    fn line(&mut self, line: &str) -> Result<(), LockFileFault> {
        const WANTED: LockFileFault = LockFileFault::Syntax("a key of a target");
        let (key, value) = line.split_once(" = ").ok_or(WANTED)?;
        let place = |keys: &[&'static str]| keys.iter().position(|known| *known == key);
        let twice = if let Some(at) = place(&TEXTS) {
            let text = take_string(value).filter(|(_, rest)| rest.is_empty()).ok_or(WANTED)?.0;
            self.texts.get_mut(at).map(|slot| slot.replace(text.into_owned()).is_some())
        } else if let Some(at) = place(&NUMBERS) {
            let number = value.parse().map_err(|_| bad(NUMBERS.get(at).unwrap_or(&""), value))?;
            self.numbers.get_mut(at).map(|slot| slot.replace(number).is_some())
        } else if let Some(at) = place(&FLAGS) {
            let flag = value.parse().map_err(|_| bad(FLAGS.get(at).unwrap_or(&""), value))?;
            self.flags.get_mut(at).map(|slot| slot.replace(flag).is_some())
        } else {
            None
        };
        match twice {
            None => Err(WANTED),
            Some(false) => Ok(()),
            Some(true) => Err(LockFileFault::Twice(format!("`{key}`"))),
        }
    }

    fn target(self) -> Result<LockedTarget, LockFileFault> {
        const WANTED: LockFileFault =
            LockFileFault::Syntax("the rest of the target, whose keys are all needed,");
        let [implementation, version, build, cache_tag, platform, mode, layout] = self.texts;
        let ([magic, level], [free_threaded, debug, debug_ranges]) = (self.numbers, self.flags);
        let (magic, level) = (magic.ok_or(WANTED)?, level.ok_or(WANTED)?);
        let mode = mode.ok_or(WANTED)?;
        let known_level = u8::try_from(level).ok().and_then(OptimizationLevel::from_u8);
        Ok(LockedTarget {
            toolchain: Toolchain {
                release: Release::from_magic(magic)
                    .ok_or_else(|| bad("magic", &magic.to_string()))?,
                implementation: implementation.ok_or(WANTED)?,
                version: version.ok_or(WANTED)?,
                build: build.ok_or(WANTED)?,
                cache_tag: cache_tag.ok_or(WANTED)?,
                platform: platform.ok_or(WANTED)?,
                free_threaded: free_threaded.ok_or(WANTED)?,
                debug: debug.ok_or(WANTED)?,
            },
            level: known_level.ok_or_else(|| bad("optimization", &level.to_string()))?,
            mode: InvalidationMode::parse(&mode).ok_or_else(|| bad("invalidation-mode", &mode))?,
            debug_ranges: debug_ranges.ok_or(WANTED)?,
            layout: layout.ok_or(WANTED)?,
        })
    }
}
