//! `[[artifact]]`: what can be packed. Each kind has keys of its own; one that means nothing for a
//! kind is an error, not ignored. Knows nothing of which members, modules and files there are.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::Which;
use bytekiln_python::InvalidationMode;

use super::document::Located;
use super::profile::{parse_deploy_root, parse_mode, read_levels};
use super::reader::{Fault, TableReader};
use super::schema::{Settings, read_python, read_size};
use super::value::{file_glob, folder_below, list};
use crate::model::{
    Arrangement, ArtifactKind, ArtifactLayout, ArtifactRule, ArtifactTarget, CompressionSetting,
    SelectionRule, SourcelessPart, SourcelessRule,
};

use ArtifactKind::{Layer, RustBlob, Site, Tree, Wheel, Zip, Zipapp};

/// Keys that not every kind has, with the kinds that have them.
const KEYS: &[(&str, &[ArtifactKind])] = &[
    ("arrangement", &[Tree, Layer]),
    ("budget", &[Tree, Zip, Zipapp, Layer, RustBlob]),
    ("build-tag", &[Wheel]),
    ("bytecode", &[Tree, Zip, Zipapp, Layer, Wheel]),
    ("compression", &[Zip, Zipapp, Layer, Wheel]),
    ("compression-level", &[Zip, Zipapp, Layer, Wheel]),
    ("dependencies", &[Tree, Zip, Zipapp, Layer, RustBlob]),
    ("deploy-root", &[Tree, Layer]),
    ("embed-source", &[RustBlob]),
    ("entry", &[Tree, Zip, Zipapp, Layer, RustBlob]),
    ("imports", &[Tree, Zip, Zipapp, Layer, RustBlob]),
    ("keep-source", &[Tree, Zip, Zipapp, Layer]),
    ("layout", &[Tree, Layer]),
    ("main", &[Zipapp]),
    ("members", &[Tree, Zip, Zipapp, Layer, RustBlob, Wheel]),
    ("out", &[Tree, Zip, Zipapp, Layer, RustBlob, Wheel]),
    ("owner", &[Layer]),
    ("prefix", &[Tree, Layer]),
    ("provenance", &[Tree, Zip, Zipapp, Layer, RustBlob, Wheel]),
    ("reachable-only", &[Tree, Zip, Zipapp, Layer, RustBlob]),
    ("root", &[Tree, Layer]),
    ("shebang", &[Zipapp]),
    ("site", &[Site]),
    ("sourceless", &[Tree, Zip, Zipapp, Layer]),
    ("standard-library", &[Site]),
    ("tag", &[Layer]),
    ("wheel", &[Wheel]),
];

/// Reads all of `[[artifact]]`. Names of members and profiles go to the settings too, to be looked up
/// once those are known.
pub(super) fn read_artifacts(tables: Vec<Located<TableReader<'_>>>, settings: &mut Settings) {
    for Located { value: mut reader, span } in tables {
        let findings = reader.findings();
        let Some(rule) = read_artifact(&mut reader, &span, settings) else {
            // What else is wrong with it cannot be told without its kind.
            continue;
        };
        let out = reader.has("out").then(|| reader.key_span("out"));
        reader.finish(&[]);
        if rule.name.is_empty() {
            continue;
        }
        if settings.artifacts.iter().any(|known| known.name == rule.name) {
            findings.report(
                span.clone(),
                format!("two artifacts are called `{}`", rule.name),
                None,
            );
        }
        if let Some(other) = settings.artifacts.iter().find(|other| share_place(other, &rule)) {
            let message = format!("`{}` and `{}` would be in one place", other.name, rule.name);
            let hint = "give each an `out` of its own: a folder is replaced with all that is in it";
            findings.report(out.unwrap_or(span), message, Some(hint.to_owned()));
        }
        settings.artifacts.push(rule);
    }
}

/// Whether packing one of them overwrites the other. Wheels go into a folder that others may use, too.
fn share_place(one: &ArtifactRule, other: &ArtifactRule) -> bool {
    let root = Path::new("/");
    let (Some(first), Some(second)) = (one.out(root), other.out(root)) else { return false };
    let is_folder = |rule: &ArtifactRule| matches!(rule.kind, Tree | Layer);
    let is_both_wheels = one.kind == Wheel && other.kind == Wheel;
    (first == second && one.name != other.name && !is_both_wheels)
        || (is_folder(one) && first != second && second.starts_with(&first))
        || (is_folder(other) && first != second && first.starts_with(&second))
}

fn read_artifact(
    reader: &mut TableReader<'_>,
    span: &Range<usize>,
    settings: &mut Settings,
) -> Option<ArtifactRule> {
    let name = reader.parsed("name", artifact_name);
    let kind = reader.choice("kind", &ArtifactKind::ALL);
    for (key, example) in [("name", "name = \"shop\""), ("kind", "kind = \"zipapp\"")] {
        if !reader.has(key) {
            let message = format!("an artifact has no `{key}`");
            reader.findings().report(span.clone(), message, Some(format!("add `{example}`")));
        }
    }
    // A bad name hides nothing else.
    let (name, kind) = (name.map(|read| read.value).unwrap_or_default(), kind?);
    refuse_foreign_keys(reader, kind.value);
    let target = read_target(reader, kind.value, settings);
    let layout = read_layout(reader, kind.value);
    let members = reader.strings("members", plain_text).map(|read| read.value).unwrap_or_default();
    let rule = ArtifactRule {
        name,
        kind: kind.value,
        out: reader.parsed("out", path).map(|read| read.value),
        target,
        members: members.iter().map(|member| member.value.clone()).collect(),
        dependencies: values(reader.strings("dependencies", path)),
        exclude: values(reader.strings("exclude", file_glob)),
        sourceless: read_sourceless(reader, settings),
        keep_source: values(reader.strings("keep-source", file_glob)),
        bytecode: reader.boolean("bytecode").is_none_or(|read| read.value),
        layout,
        arrangement: reader
            .choice(
                "arrangement",
                &[("flat", Arrangement::Flat), ("workspace", Arrangement::Workspace)],
            )
            .map_or(Arrangement::Flat, |read| read.value),
        root: reader.parsed("root", folder).map(|read| read.value).unwrap_or_default(),
        selection: read_selection(reader, span),
        main: reader.parsed("main", entry_point).map(|read| read.value),
        shebang: reader.parsed("shebang", shebang).map(|read| read.value),
        compression: reader.choice("compression", compressions(kind.value)).map(|read| read.value),
        compression_level: read_compression_level(reader, kind.value),
        owner: reader.parsed("owner", owner).map_or((0, 0), |read| read.value),
        tag: reader.parsed("tag", plain_text).map(|read| read.value),
        wheel: reader.parsed("wheel", plain_text).map(|read| read.value),
        build_tag: reader.parsed("build-tag", build_tag).map(|read| read.value),
        site: reader.parsed("site", path).map(|read| read.value),
        standard_library: reader.boolean("standard-library").is_some_and(|read| read.value),
        embed_source: reader.boolean("embed-source").is_some_and(|read| read.value),
        provenance: reader.boolean("provenance").is_some_and(|read| read.value),
        written: reader.written(),
        place: reader.findings().line_name(span.clone()),
    };
    settings.artifact_members.extend(members);
    require(reader, span, &rule);
    Some(rule)
}

fn values<T>(read: Option<Located<Vec<Located<T>>>>) -> Vec<T> {
    read.map(|read| read.value).unwrap_or_default().into_iter().map(|one| one.value).collect()
}

fn refuse_foreign_keys(reader: &TableReader<'_>, kind: ArtifactKind) {
    for (key, kinds) in KEYS {
        if reader.has(key) && !kinds.contains(&kind) {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let message = format!("`{key}` means nothing for the kind `{}`", kind.as_str());
            let hint = format!("the kinds that have it: {}", list(&names));
            reader.findings().report(reader.key_span(key), message, Some(hint));
        }
    }
}

/// What a kind cannot do without, and what does not go together.
fn require(reader: &TableReader<'_>, span: &Range<usize>, rule: &ArtifactRule) {
    let report = |key: &str, message: String, hint: &str| {
        let at = if reader.has(key) { reader.key_span(key) } else { span.clone() };
        reader.findings().report(at, message, Some(hint.to_owned()));
    };
    match rule.kind {
        Site if rule.site.is_none() && !reader.has("site") => report(
            "site",
            "an artifact of the kind `site` names no environment".to_owned(),
            "add `site = \".venv\"`",
        ),
        Wheel if !reader.has("wheel") && rule.members.len() != 1 => report(
            "members",
            "an artifact of the kind `wheel` names no wheel".to_owned(),
            "add `wheel = \"dist/*.whl\"`, or the one member that `pack --build-wheel` builds",
        ),
        Wheel if rule.wheel.is_some() && !rule.members.is_empty() => report(
            "members",
            "`members` and `wheel` do not go together".to_owned(),
            "keep `wheel` for a wheel that is there, `members` for one that is to be built",
        ),
        _ => {}
    }
    if rule.layout == ArtifactLayout::Legacy && matches!(rule.kind, Tree | Layer) {
        let message = "`m.pyc` beside `m.py` is loaded from zips alone".to_owned();
        report(
            "layout",
            message,
            "remove `layout`, or let the sources go with `sourceless = true`",
        );
    }
    let no_bytecode = !rule.bytecode && rule.sourceless != SourcelessRule::Nothing;
    if no_bytecode {
        let message = "without sources and without bytecode there is nothing".to_owned();
        report("bytecode", message, "remove `bytecode = false` or `sourceless`");
    }
    if !rule.keep_source.is_empty() && rule.sourceless == SourcelessRule::Nothing {
        let message = "`keep-source` goes with `sourceless`".to_owned();
        report("keep-source", message, "without it every source is there");
    }
    if rule.sourceless != SourcelessRule::Nothing
        && matches!(rule.layout, ArtifactLayout::Prefix { .. })
    {
        let message = "a module without its source is not looked for below a prefix".to_owned();
        report("layout", message, "remove `layout`: such modules lie where their sources would");
    }
    if rule.selection.budget.is_some() && rule.sourceless != SourcelessRule::Nothing {
        let message = "what has neither source nor bytecode is lost".to_owned();
        report("budget", message, "remove `budget` or `sourceless`");
    }
    if let ArtifactLayout::Prefix { folder, .. } = &rule.layout
        && !rule.root.is_root()
        && folder.strip_prefix(&rule.root).is_some()
    {
        let message = "`prefix` lies in `root`, where modules are looked for".to_owned();
        report("prefix", message, "name a folder beside it");
    }
}

fn read_target(
    reader: &mut TableReader<'_>,
    kind: ArtifactKind,
    settings: &mut Settings,
) -> ArtifactTarget {
    // What is installed can be edited in place; what is packed cannot.
    let mode = match kind {
        Wheel | Site => InvalidationMode::CheckedHash,
        Tree | Zip | Zipapp | Layer | RustBlob => InvalidationMode::UncheckedHash,
    };
    let profile = reader.parsed("profile", plain_text);
    let target = ArtifactTarget {
        profile: profile.as_ref().map_or("release", |read| read.value.as_str()).to_owned(),
        interpreters: read_python(reader).map(|read| read.value).unwrap_or_default(),
        levels: read_levels(reader).map(|read| read.value).unwrap_or_default(),
        mode: reader.parsed("mode", parse_mode).map_or(mode, |read| read.value),
    };
    settings.artifact_profiles.extend(profile);
    target
}

fn read_layout(reader: &mut TableReader<'_>, kind: ArtifactKind) -> ArtifactLayout {
    let folder = reader.parsed("prefix", folder).map(|read| read.value);
    let deploy_root = reader.parsed("deploy-root", parse_deploy_root).map(|read| read.value);
    let prefix = || ArtifactLayout::Prefix {
        folder: folder.unwrap_or_else(|| RepoPath::new(b"pycache").unwrap_or_default()),
        deploy_root: deploy_root.unwrap_or_else(|| PathBuf::from("/")),
    };
    let read = reader.choice("layout", &[("pycache", 0), ("legacy", 1), ("prefix", 2)]);
    let layout = match read.as_ref().map(|read| read.value) {
        Some(1) => ArtifactLayout::Legacy,
        Some(2) => return prefix_needs_root(reader, kind, prefix()),
        // In a zip nothing else is looked for.
        _ if matches!(kind, Zip | Zipapp) => ArtifactLayout::Legacy,
        _ => ArtifactLayout::Pycache,
    };
    for key in ["prefix", "deploy-root"] {
        if reader.has(key) {
            let message = format!("`{key}` goes with `layout = \"prefix\"`");
            reader.findings().report(reader.key_span(key), message, None);
        }
    }
    layout
}

/// A layer lies at `/`; where a tree will lie, only its manifest can say.
fn prefix_needs_root(
    reader: &TableReader<'_>,
    kind: ArtifactKind,
    layout: ArtifactLayout,
) -> ArtifactLayout {
    if kind == Tree && !reader.has("deploy-root") {
        let message = "`layout = \"prefix\"` has no `deploy-root`".to_owned();
        let hint = "add the absolute folder in which the tree lies when the program runs: \
                    `deploy-root = \"/srv/shop\"`";
        reader.findings().report(reader.key_span("layout"), message, Some(hint.to_owned()));
    }
    layout
}

fn read_sourceless(reader: &mut TableReader<'_>, settings: &mut Settings) -> SourcelessRule {
    let Some(raw) = reader.raw("sourceless") else { return SourcelessRule::Nothing };
    if let Some(all) = raw.value.as_bool() {
        return if all { SourcelessRule::Everything } else { SourcelessRule::Nothing };
    }
    let parts = reader.strings("sourceless", |text| match text.strip_prefix("member:") {
        Some(member) => Ok(SourcelessPart::Member(member.to_owned())),
        None => file_glob(text).map(SourcelessPart::Glob),
    });
    let Some(parts) = parts else { return SourcelessRule::Nothing };
    for part in &parts.value {
        if let SourcelessPart::Member(member) = &part.value {
            let (value, span) = (member.clone(), part.span.clone());
            settings.artifact_members.push(Located { value, span });
        }
    }
    SourcelessRule::Some(parts.value.into_iter().map(|part| part.value).collect())
}

fn read_selection(reader: &mut TableReader<'_>, span: &Range<usize>) -> SelectionRule {
    let imports = reader.choice(
        "imports",
        &[
            ("eager", Which::Eager),
            ("lazy", Which::WithLazy),
            ("runtime", Which::Runtime),
            ("all", Which::All),
        ],
    );
    let budget = read_size(reader, "budget");
    // Where there is room for some only, what is loaded at start comes first.
    let default = if budget.is_some() { Which::Eager } else { Which::Runtime };
    let selection = SelectionRule {
        entry: values(reader.strings("entry", plain_text)),
        imports: imports.map_or(default, |read| read.value),
        budget,
        reachable_only: reader.boolean("reachable-only").is_some_and(|read| read.value),
    };
    for key in ["imports", "reachable-only"] {
        if reader.has(key) && !reader.has("entry") {
            let message = format!("`{key}` goes with `entry`");
            let hint = "add `entry = [\"package.module\"]`".to_owned();
            reader.findings().report(span.clone(), message, Some(hint));
        }
    }
    selection
}

fn read_compression_level(reader: &mut TableReader<'_>, kind: ArtifactKind) -> Option<u32> {
    let raw = reader.raw("compression-level")?;
    let level = raw.value.as_integer().and_then(|level| u32::try_from(level).ok());
    let most = if kind == Layer { 19 } else { 9 };
    if level.is_none_or(|level| level == 0 || level > most) {
        let message = format!("`{}` is no level", reader.name_of("compression-level"));
        let hint = "deflate and gzip have 1 to 9, zstd 1 to 19".to_owned();
        reader.findings().report(raw.span, message, Some(hint));
        return None;
    }
    level
}

fn compressions(kind: ArtifactKind) -> &'static [(&'static str, CompressionSetting)] {
    const ZIPS: &[(&str, CompressionSetting)] =
        &[("none", CompressionSetting::None), ("deflate", CompressionSetting::Deflate)];
    const LAYERS: &[(&str, CompressionSetting)] = &[
        ("none", CompressionSetting::None),
        ("gzip", CompressionSetting::Gzip),
        ("zstd", CompressionSetting::Zstd),
    ];
    if kind == Layer { LAYERS } else { ZIPS }
}

fn artifact_name(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.starts_with(['.', '-']) || !text.bytes().all(plain) {
        return Err(Fault::new(format!("`{text}` is no name"))
            .hint("use letters, digits, `-`, `_` and `.`: it becomes a file's name"));
    }
    Ok(text.to_owned())
}

fn plain_text(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err(Fault::new("an empty text"));
    }
    Ok(text.to_owned())
}

fn path(text: &str) -> Result<PathBuf, Fault> {
    plain_text(text).map(PathBuf::from)
}

fn folder(text: &str) -> Result<RepoPath, Fault> {
    let below = folder_below(text)?;
    RepoPath::new(below.as_bytes()).ok_or_else(|| Fault::new(format!("`{text}` is no folder")))
}

/// `package.module:function`, as `console_scripts` are written.
fn entry_point(text: &str) -> Result<String, Fault> {
    let dotted =
        |name: &str| name.split('.').all(|part| bytekiln_python::is_module_name(part.as_bytes()));
    match text.split_once(':') {
        Some((module, function)) if dotted(module) && dotted(function) => Ok(text.to_owned()),
        _ => Err(Fault::new(format!("`{text}` is no entry point"))
            .hint("write `package.module:function`")),
    }
}

/// The kernel takes 255 bytes of the first line at most, `#!` included.
fn shebang(text: &str) -> Result<String, Fault> {
    let line = text.strip_prefix("#!").unwrap_or(text).trim();
    if line.is_empty() || line.contains(['\n', '\r', '\0']) || line.len() > 250 {
        return Err(
            Fault::new("not one line for the kernel").hint("write `/usr/bin/env python3.14`")
        );
    }
    Ok(line.to_owned())
}

fn owner(text: &str) -> Result<(u32, u32), Fault> {
    let fault =
        || Fault::new(format!("`{text}` is no owner")).hint("write numbers, `\"1000:1000\"`");
    let (user, group) = text.split_once(':').ok_or_else(fault)?;
    Ok((user.parse().map_err(|_| fault())?, group.parse().map_err(|_| fault())?))
}

/// PEP 427: digits, then what is needed to tell builds apart.
fn build_tag(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    if !text.starts_with(|first: char| first.is_ascii_digit()) || !text.bytes().all(plain) {
        return Err(Fault::new(format!("`{text}` is no build tag"))
            .hint("it begins with a digit and has letters, digits, `_` and `.`"));
    }
    Ok(text.to_owned())
}
