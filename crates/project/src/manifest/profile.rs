//! Profiles: what a manifest says of each, and how they inherit from each other and from the
//! built-in `dev` and `release`. Knows nothing of where outputs will lie in fact.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytekiln_python::{InvalidationMode, OptimizationLevel};

use super::document::{Located, ManifestFile};
use super::problem::LocatedProblem;
use super::reader::{Fault, Findings, TableReader};
use super::schema::{Settings, read_python};
use super::value::{list, nearest};
use crate::model::{
    InterpreterSpec, LayoutSetting, OrphanPolicy, PrefixMap, Profile, RecordedPathPolicy,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LayoutKind {
    Pycache,
    Prefix,
    Legacy,
    Sourceless,
}

impl LayoutKind {
    const ALL: [(&'static str, LayoutKind); 4] = [
        ("pycache", LayoutKind::Pycache),
        ("prefix", LayoutKind::Prefix),
        ("legacy", LayoutKind::Legacy),
        ("sourceless", LayoutKind::Sourceless),
    ];

    fn as_str(self) -> &'static str {
        match self {
            LayoutKind::Pycache => "pycache",
            LayoutKind::Prefix => "prefix",
            LayoutKind::Legacy => "legacy",
            LayoutKind::Sourceless => "sourceless",
        }
    }

    fn has_tree(self) -> bool {
        matches!(self, LayoutKind::Prefix | LayoutKind::Sourceless)
    }
}

/// A profile as written: what is `None` is inherited.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawProfile {
    name: String,
    inherits: Option<Located<String>>,
    mode: Option<Located<InvalidationMode>>,
    levels: Option<Located<Vec<OptimizationLevel>>>,
    python: Option<Located<Vec<InterpreterSpec>>>,
    layout: Option<Located<LayoutKind>>,
    out: Option<Located<String>>,
    deploy_root: Option<Located<PathBuf>>,
    recorded_path: Option<Located<RecordedPathPolicy>>,
    path_prefix_map: Option<Located<Vec<PrefixMap>>>,
    debug_ranges: Option<Located<bool>>,
    deny_warnings: Option<Located<bool>>,
    orphans: Option<Located<OrphanPolicy>>,
    link: Option<Located<bool>>,
}

/// Reads `[profile.NAME]`.
pub(crate) fn read_profile(name: Located<String>, mut reader: TableReader<'_>) -> RawProfile {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.value.is_empty() || !name.value.bytes().all(plain) {
        reader.findings().report(
            name.span.clone(),
            format!("bad profile name `{}`", name.value),
            Some("use letters, digits, `-` and `_`: it becomes part of file names".into()),
        );
    }
    let profile = RawProfile {
        inherits: reader.string("inherits"),
        mode: reader.parsed("mode", parse_mode),
        levels: read_levels(&mut reader),
        python: read_python(&mut reader),
        layout: reader.choice("layout", &LayoutKind::ALL),
        out: reader.parsed("out", parse_out),
        deploy_root: reader.parsed("deploy-root", parse_deploy_root),
        recorded_path: reader.choice(
            "recorded-path",
            &[
                ("workspace", RecordedPathPolicy::Workspace),
                ("member", RecordedPathPolicy::Member),
                ("import-root", RecordedPathPolicy::ImportRoot),
            ],
        ),
        path_prefix_map: read_prefix_map(&mut reader),
        debug_ranges: reader.boolean("debug-ranges"),
        deny_warnings: reader.boolean("deny-warnings"),
        orphans: reader.choice(
            "orphans",
            &[("report", OrphanPolicy::Report), ("remove", OrphanPolicy::Remove)],
        ),
        link: reader.boolean("link"),
        name: name.value,
    };
    reader.finish(&[]);
    profile
}

pub(super) fn parse_mode(text: &str) -> Result<InvalidationMode, Fault> {
    let modes = ["checked-hash", "unchecked-hash"];
    InvalidationMode::parse(text).ok_or_else(|| {
        let fault = Fault::new(format!("no such value `{text}`"));
        match nearest(text, modes) {
            _ if text == "timestamp" => fault.hint(
                "timestamps are not reproducible; allowed are `checked-hash` and `unchecked-hash`",
            ),
            Some(near) => {
                fault.hint(format!("did you mean `{near}`? allowed are {}", list(&modes)))
            }
            None => fault.hint(format!("allowed are {}", list(&modes))),
        }
    })
}

pub(super) fn read_levels(reader: &mut TableReader<'_>) -> Option<Located<Vec<OptimizationLevel>>> {
    let raw = reader.raw("optimize")?;
    let level = |number: Option<i64>| {
        number
            .and_then(|number| u8::try_from(number).ok())
            .and_then(OptimizationLevel::from_u8)
            .ok_or_else(|| Fault::new("not an optimization level").hint("levels are 0, 1 and 2"))
    };
    let mut levels: Vec<OptimizationLevel> = if raw.value.is_integer() {
        match level(raw.value.as_integer()) {
            Ok(one) => vec![one],
            Err(fault) => {
                let message = format!("bad `{}`: {}", reader.name_of("optimize"), fault.message);
                reader.findings().report(raw.span, message, fault.hint);
                return None;
            }
        }
    } else {
        let read = reader.array("optimize", "levels", |element| level(element.as_integer()))?;
        read.value.into_iter().map(|level| level.value).collect()
    };
    if raw.value.as_array().is_some_and(toml_edit::Array::is_empty) {
        let message = format!("`{}` names no level", reader.name_of("optimize"));
        reader.findings().report(raw.span, message, Some("levels are 0, 1 and 2".into()));
        return None;
    }
    levels.sort_unstable();
    levels.dedup();
    (!levels.is_empty()).then_some(Located { value: levels, span: raw.span })
}

fn parse_out(text: &str) -> Result<String, Fault> {
    let bare = text.replace("{profile}", "");
    if text.trim_matches(['.', '/']).is_empty() {
        return Err(Fault::new(format!("`{text}` is not a folder of its own"))
            .hint("name a folder that holds nothing else, e.g. `.bytekiln/{profile}`"));
    }
    if text.contains('\0') {
        return Err(Fault::new("a NUL byte"));
    }
    if bare.contains(['{', '}']) {
        return Err(Fault::new(format!("unknown placeholder in `{text}`"))
            .hint("only `{profile}` is replaced, by the profile's name"));
    }
    Ok(text.to_owned())
}

pub(super) fn parse_deploy_root(text: &str) -> Result<PathBuf, Fault> {
    let path = PathBuf::from(text);
    let plain = !path.components().any(|part| part == std::path::Component::ParentDir);
    if path.is_absolute() && plain && !text.contains('\0') {
        return Ok(path);
    }
    Err(Fault::new(format!("`{text}` is not a plain absolute path"))
        .hint("name the folder that the workspace has when the program runs, e.g. `/app`"))
}

fn read_prefix_map(reader: &mut TableReader<'_>) -> Option<Located<Vec<PrefixMap>>> {
    let raw = reader.raw("path-prefix-map")?;
    let Some(table) = raw.value.as_table_like() else {
        let read =
            reader.strings("path-prefix-map", |text| PrefixMap::parse(text).map_err(Fault::new))?;
        return Some(Located {
            value: read.value.into_iter().map(|map| map.value).collect(),
            span: read.span,
        });
    };
    let mut maps = Vec::new();
    for (from, to) in table.iter() {
        match to.as_str() {
            Some(to) => maps.push(PrefixMap::new(from, to)),
            None => reader.findings().report(
                to.span().unwrap_or_else(|| raw.span.clone()),
                format!("`{}` must map strings to strings", reader.name_of("path-prefix-map")),
                None,
            ),
        }
    }
    Some(Located { value: maps, span: raw.span })
}

/// All profiles, inheritance resolved, with what is wrong about how they go together.
pub(crate) fn resolve_profiles(
    settings: &Settings,
    file: Option<&ManifestFile>,
) -> (BTreeMap<String, Profile>, Vec<LocatedProblem>) {
    let written: BTreeMap<&str, &RawProfile> =
        settings.profiles.iter().map(|profile| (profile.name.as_str(), profile)).collect();
    let mut names: Vec<&str> = written.keys().copied().collect();
    names.extend(["dev", "release"]);
    names.sort_unstable();
    names.dedup();

    let findings = Findings::new(file);
    let mut profiles = BTreeMap::new();
    for name in &names {
        let Some(raw) = inherited(name, &written, &names, &findings) else { continue };
        check_own(name, written.get(name).copied(), &raw, &findings);
        profiles.insert((*name).to_owned(), finished(name, raw, settings, &findings));
    }
    (profiles, findings.into_problems())
}

/// The profile with all that it inherits; `None` if that is broken, which is reported.
fn inherited(
    name: &str,
    written: &BTreeMap<&str, &RawProfile>,
    names: &[&str],
    findings: &Findings<'_>,
) -> Option<RawProfile> {
    let mut chain: Vec<&str> = Vec::new();
    let mut merged = RawProfile::default();
    let mut next = name;
    loop {
        chain.push(next);
        let raw = written.get(next).copied();
        if let Some(raw) = raw {
            merged = merged.or(raw);
        }
        if next == "release" {
            merged = merged.or(&built_in_release());
        }
        let Some(parent) = raw.and_then(|raw| raw.inherits.as_ref()) else {
            if next == "dev" {
                return Some(merged);
            }
            next = "dev";
            if chain.contains(&next) {
                return Some(merged);
            }
            continue;
        };
        // A fault is reported once: by the profile that wrote it, a circle by its first name.
        let report = |message: String, hint: Option<String>| {
            let closes = chain.first() == Some(&parent.value.as_str());
            if chain.len() == 1 || (closes && chain.iter().min() == chain.first()) {
                findings.report(parent.span.clone(), message, hint);
            }
        };
        if next == "dev" {
            report(
                "`dev` cannot inherit: every other profile ends in it".into(),
                Some("remove `inherits`".into()),
            );
            return None;
        }
        if !names.contains(&parent.value.as_str()) {
            let hint = match nearest(&parent.value, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", list(names)),
            };
            report(format!("no profile `{}` to inherit from", parent.value), Some(hint));
            return None;
        }
        if chain.contains(&parent.value.as_str()) {
            let mut circle = chain.clone();
            circle.push(&parent.value);
            report(format!("profiles inherit in a circle: {}", circle.join(" → ")), None);
            return None;
        }
        next = &parent.value;
    }
}

fn built_in_release() -> RawProfile {
    let at = 0..0;
    RawProfile {
        mode: Some(Located { value: InvalidationMode::UncheckedHash, span: at.clone() }),
        layout: Some(Located { value: LayoutKind::Prefix, span: at }),
        ..RawProfile::default()
    }
}

impl RawProfile {
    /// This profile, where it says nothing what `parent` says.
    fn or(self, parent: &RawProfile) -> RawProfile {
        let parent = parent.clone();
        RawProfile {
            name: String::new(),
            inherits: None,
            mode: self.mode.or(parent.mode),
            levels: self.levels.or(parent.levels),
            python: self.python.or(parent.python),
            layout: self.layout.or(parent.layout),
            out: self.out.or(parent.out),
            deploy_root: self.deploy_root.or(parent.deploy_root),
            recorded_path: self.recorded_path.or(parent.recorded_path),
            path_prefix_map: self.path_prefix_map.or(parent.path_prefix_map),
            debug_ranges: self.debug_ranges.or(parent.debug_ranges),
            deny_warnings: self.deny_warnings.or(parent.deny_warnings),
            orphans: self.orphans.or(parent.orphans),
            link: self.link.or(parent.link),
        }
    }
}

/// Keys that this profile writes itself and that mean nothing with its layout. Inherited ones
/// are passed over: the parent has a use for them.
fn check_own(name: &str, own: Option<&RawProfile>, merged: &RawProfile, findings: &Findings<'_>) {
    let Some(own) = own else { return };
    let layout = merged.layout.as_ref().map_or(LayoutKind::Pycache, |layout| layout.value);
    if let Some(out) = own.out.as_ref().filter(|_| !layout.has_tree()) {
        findings.report(
            out.span.clone(),
            format!("`profile.{name}.out` has no meaning with layout `{}`", layout.as_str()),
            Some("it is for `prefix` and `sourceless`, which have a tree of their own".into()),
        );
    }
    if let Some(root) = own.deploy_root.as_ref().filter(|_| layout != LayoutKind::Prefix) {
        findings.report(
            root.span.clone(),
            format!(
                "`profile.{name}.deploy-root` has no meaning with layout `{}`",
                layout.as_str()
            ),
            Some("it is for `prefix`, whose tree repeats the workspace's absolute path".into()),
        );
    }
}

fn finished(name: &str, raw: RawProfile, settings: &Settings, findings: &Findings<'_>) -> Profile {
    let python = raw.python.or_else(|| settings.python.clone());
    let kind = raw.layout.as_ref().map_or(LayoutKind::Pycache, |layout| layout.value);
    if matches!(kind, LayoutKind::Legacy | LayoutKind::Sourceless) {
        let levels = raw.levels.as_ref().filter(|levels| levels.value.len() > 1);
        let interpreters = python.as_ref().filter(|python| python.value.len() > 1);
        for (span, what) in [
            (levels.map(|levels| &levels.span), "optimization levels"),
            (interpreters.map(|python| &python.span), "interpreters"),
        ] {
            let Some(span) = span else { continue };
            findings.report(
                span.clone(),
                format!(
                    "profile `{name}` has several {what}, but layout `{}` has one file a module",
                    kind.as_str()
                ),
                Some("its file names carry neither level nor version: make it one, or use layout `pycache` or `prefix`".into()),
            );
        }
    }
    let out = raw.out.map_or_else(|| ".bytekiln/{profile}".to_owned(), |out| out.value);
    let out = PathBuf::from(out.replace("{profile}", name));
    Profile {
        name: name.to_owned(),
        mode: raw.mode.map_or(InvalidationMode::CheckedHash, |mode| mode.value),
        levels: raw.levels.map_or_else(|| vec![OptimizationLevel::Zero], |levels| levels.value),
        interpreters: python.map(|python| python.value).unwrap_or_default(),
        layout: match kind {
            LayoutKind::Pycache => LayoutSetting::Pycache,
            LayoutKind::Legacy => LayoutSetting::Legacy,
            LayoutKind::Prefix => {
                LayoutSetting::Prefix { out, deploy_root: raw.deploy_root.map(|root| root.value) }
            }
            LayoutKind::Sourceless => LayoutSetting::Sourceless { out },
        },
        recorded_path: raw
            .recorded_path
            .map_or(RecordedPathPolicy::Workspace, |policy| policy.value),
        path_prefix_map: raw.path_prefix_map.map(|maps| maps.value).unwrap_or_default(),
        debug_ranges: raw.debug_ranges.is_none_or(|flag| flag.value),
        deny_warnings: raw.deny_warnings.is_some_and(|flag| flag.value),
        orphans: raw.orphans.map_or(OrphanPolicy::Report, |orphans| orphans.value),
        link: raw.link.is_none_or(|flag| flag.value),
    }
}
