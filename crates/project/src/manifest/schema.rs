//! Every key of a manifest (`docs/manifest.md` is its reference) and the settings they make.
//! Knows nothing of where the table stands or of the file system.

use std::path::PathBuf;

use toml_edit::{TableLike, Value};

use super::artifact::read_artifacts;
use super::document::{Located, ManifestFile};
use super::graph::read_graph;
use super::problem::LocatedProblem;
use super::profile::{RawProfile, read_profile};
use super::reader::{Fault, Findings, TableReader};
use super::startup::read_startup;
use super::value::{file_glob, folder_below, member_pattern, remote_address, size};
use crate::model::{
    AllowanceRule, ArtifactRule, CacheSettings, Date, GraphSettings, InterpreterSpec, StartupRule,
};

/// Keys that users look for at the wrong place.
const ELSEWHERE: &[&str] = &[
    "workspace.members",
    "workspace.python",
    "workspace.exclude",
    "files.include",
    "profile.dev.mode",
    "profile.dev.optimize",
    "profile.dev.layout",
    "profile.dev.recorded-path",
    "profile.dev.path-prefix-map",
    "profile.dev.deny-warnings",
    "profile.dev.debug-ranges",
    "profile.dev.orphans",
    "profile.dev.link",
    "profile.dev.out",
    "profile.dev.deploy-root",
    "cache.max-size",
    "cache.remote",
    "graph.generated",
    "graph.data",
    "graph.contract",
    "graph.strings",
];

/// What a manifest says, before profiles inherit and members are found.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Patterns of member folders; `None`: discover them.
    pub(crate) members: Option<Vec<Located<String>>>,
    /// Patterns of folders that belong to no member.
    pub(crate) exclude: Vec<Located<String>>,
    /// Interpreters of profiles that name none.
    pub(crate) python: Option<Located<Vec<InterpreterSpec>>>,
    /// Globs for the files of every member.
    pub(crate) files_include: Vec<String>,
    pub(crate) files_exclude: Vec<String>,
    /// `[member.NAME]`.
    pub(crate) member: Vec<MemberSettings>,
    pub(crate) profiles: Vec<RawProfile>,
    pub(crate) allowances: Vec<AllowanceRule>,
    pub(crate) cache: CacheSettings,
    pub(crate) graph: GraphSettings,
    pub(crate) startup: Vec<StartupRule>,
    /// Members that contracts speak of.
    pub(crate) contract_members: Vec<Located<String>>,
    pub(crate) artifacts: Vec<ArtifactRule>,
    /// Members and profiles that artifacts speak of.
    pub(crate) artifact_members: Vec<Located<String>>,
    pub(crate) artifact_profiles: Vec<Located<String>>,
    /// Of a root `Cargo.toml`'s own package.
    pub(crate) package: Option<MemberSettings>,
}

/// What is said about one member.
#[derive(Debug, Clone)]
pub(crate) struct MemberSettings {
    /// Its name or path, as the manifest calls it.
    pub(crate) key: Located<String>,
    /// A name of its own.
    pub(crate) name: Option<Located<String>>,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// Below the member's folder; empty text is that folder.
    pub(crate) import_roots: Option<Vec<Located<String>>>,
    /// Of a crate: its folder of Python sources.
    pub(crate) python_root: Option<Located<String>>,
}

/// Reads the settings that stand in `table`. With `package` the table is the
/// `[package.metadata.bytekiln]` of a workspace's root, which also describes that package.
pub(crate) fn read_settings(
    file: &ManifestFile,
    table: &dyn TableLike,
    package: bool,
) -> (Settings, Vec<LocatedProblem>) {
    let findings = Findings::new(Some(file));
    let mut top = TableReader::new(table, String::new(), &findings);
    let mut settings = Settings::default();
    if let Some(workspace) = top.table("workspace") {
        read_workspace(workspace, &mut settings);
    }
    if let Some(mut files) = top.table("files") {
        settings.files_include = globs(&mut files, "include");
        settings.files_exclude = globs(&mut files, "exclude");
        files.finish(&[]);
    }
    for (key, mut reader) in top.named_tables("member") {
        settings.member.push(read_member(key, &mut reader));
        reader.finish(&[]);
    }
    for (name, reader) in top.named_tables("profile") {
        settings.profiles.push(read_profile(name, reader));
    }
    for rule in top.tables("allow-failure") {
        settings.allowances.extend(read_allowance(rule));
    }
    if let Some(mut cache) = top.table("cache") {
        settings.cache.dir = cache.string("dir").map(|dir| PathBuf::from(dir.value));
        settings.cache.max_bytes = read_size(&mut cache, "max-size");
        settings.cache.remote = cache.parsed("remote", remote_address).map(|address| address.value);
        settings.cache.remote_read_only =
            cache.boolean("remote-read-only").is_some_and(|read_only| read_only.value);
        cache.finish(&[]);
    }
    if let Some(graph) = top.table("graph") {
        read_graph(graph, &mut settings);
    }
    let artifacts = top.tables("artifact");
    read_artifacts(artifacts, &mut settings);
    for (name, reader) in top.named_tables("startup") {
        settings.startup.extend(read_startup(name, reader));
    }
    if package {
        settings.package = Some(read_package(&mut top));
    }
    top.finish(ELSEWHERE);
    (settings, findings.into_problems())
}

/// Reads a `[package.metadata.bytekiln]` that is not the workspace's own.
pub(crate) fn read_package_settings(
    file: &ManifestFile,
    table: &dyn TableLike,
) -> (MemberSettings, Vec<LocatedProblem>) {
    let findings = Findings::new(Some(file));
    let mut top = TableReader::new(table, String::new(), &findings);
    let settings = read_package(&mut top);
    top.finish(&[]);
    (settings, findings.into_problems())
}

fn read_package(reader: &mut TableReader<'_>) -> MemberSettings {
    let key = Located { value: String::new(), span: 0..0 };
    let python_root = reader.parsed("python-root", |text| {
        if text.starts_with('/') {
            return Err(Fault::new(format!("`{text}` is absolute")));
        }
        Ok(text.trim_end_matches('/').to_owned())
    });
    MemberSettings { python_root, ..read_member(key, reader) }
}

fn read_workspace(mut reader: TableReader<'_>, settings: &mut Settings) {
    settings.members = reader.strings("members", member_pattern).map(|members| members.value);
    settings.exclude =
        reader.strings("exclude", member_pattern).map(|exclude| exclude.value).unwrap_or_default();
    settings.python = read_python(&mut reader);
    reader.finish(&["files.include", "profile.dev.optimize", "profile.dev.mode"]);
}

/// `python = ["3.11", "3.14"]`; one string is a list of one.
pub(crate) fn read_python(reader: &mut TableReader<'_>) -> Option<Located<Vec<InterpreterSpec>>> {
    let parse = |text: &str| InterpreterSpec::parse(text).map_err(Fault::new);
    let raw = reader.raw("python")?;
    if raw.value.is_str() {
        return reader
            .parsed("python", parse)
            .map(|one| Located { value: vec![one.value], span: one.span });
    }
    let all = reader.array("python", "strings", |element| match element.as_str() {
        Some(text) => parse(text),
        None => Err(Fault::new(format!("`{}` is not a string", plain(element)))
            .hint("write versions as strings: `\"3.10\"` as a number would be 3.1")),
    })?;
    if raw.value.as_array().is_some_and(toml_edit::Array::is_empty) {
        reader.findings().report(
            raw.span,
            format!("`{}` names no interpreter", reader.name_of("python")),
            Some("leave the key out to get the default one".into()),
        );
        return None;
    }
    let mut specs: Vec<InterpreterSpec> = Vec::new();
    for spec in all.value {
        if specs.contains(&spec.value) {
            let message = format!("`{}` names an interpreter twice", reader.name_of("python"));
            reader.findings().report(spec.span, message, None);
        } else {
            specs.push(spec.value);
        }
    }
    Some(Located { value: specs, span: all.span })
}

fn plain(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

fn globs(reader: &mut TableReader<'_>, key: &'static str) -> Vec<String> {
    let read = reader.strings(key, file_glob).map(|globs| globs.value).unwrap_or_default();
    read.into_iter().map(|glob| glob.value).collect()
}

fn read_member(key: Located<String>, reader: &mut TableReader<'_>) -> MemberSettings {
    MemberSettings {
        key,
        name: reader.parsed("name", |text| match text.trim() {
            "" => Err(Fault::new("an empty name")),
            _ => Ok(text.to_owned()),
        }),
        include: globs(reader, "include"),
        exclude: globs(reader, "exclude"),
        import_roots: reader.strings("import-roots", folder_below).map(|roots| roots.value),
        python_root: None,
    }
}

fn read_allowance(rule: Located<TableReader<'_>>) -> Option<AllowanceRule> {
    let Located { value: mut reader, span } = rule;
    let glob = reader.parsed("path", file_glob);
    let reason = reader.parsed("reason", |text| match text.trim() {
        "" => Err(Fault::new("an empty reason").hint("say why these files may fail")),
        reason => Ok(reason.to_owned()),
    });
    let expires = read_date(&mut reader);
    for (key, example) in [
        ("path", "`path = \"vendor/py2/**\"`"),
        ("reason", "`reason = \"waits for upstream\"`"),
        ("expires", "`expires = 2027-01-31`, the last day on which it holds"),
    ] {
        if !reader.has(key) {
            let message = format!("an `allow-failure` rule has no `{key}`");
            reader.findings().report(span.clone(), message, Some(format!("add {example}")));
        }
    }
    let place = reader.findings().line_name(span);
    reader.finish(&[]);
    Some(AllowanceRule { glob: glob?.value, reason: reason?.value, expires: expires?, place })
}

fn read_date(reader: &mut TableReader<'_>) -> Option<Date> {
    let raw = reader.raw("expires")?;
    let date = raw.value.as_datetime().filter(|moment| moment.time.is_none());
    match date.and_then(|moment| moment.date) {
        Some(date) => Some(Date { year: date.year, month: date.month, day: date.day }),
        None => {
            let name = reader.name_of("expires");
            reader.findings().report(
                raw.span,
                format!("`{name}` must be a date"),
                Some("write it without quotes and time: `expires = 2027-01-31`".into()),
            );
            None
        }
    }
}

/// Bytes: a number, or a text such as `25MB`.
pub(crate) fn read_size(reader: &mut TableReader<'_>, key: &'static str) -> Option<u64> {
    let raw = reader.raw(key)?;
    if let Some(number) = raw.value.as_integer() {
        return u64::try_from(number).ok().or_else(|| {
            let name = reader.name_of(key);
            reader.findings().report(raw.span, format!("`{name}` is negative"), None);
            None
        });
    }
    reader.parsed(key, size).map(|bytes| bytes.value)
}
