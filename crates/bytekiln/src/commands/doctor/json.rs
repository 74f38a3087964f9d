//! The verdicts as JSON: the schema of `docs/doctor.md`.

use bytekiln_loader::{Container, Effect, HashCheck, ModuleReport, Reason, ShadowKind};
use serde_json::{Map, Value, json};

use super::human::Counts;
use super::{Outcome, wording};

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-doctor/1";

/// All of it, one document.
pub(super) fn render(outcome: &Outcome<'_>) -> String {
    let toolchain = &outcome.interpreter.toolchain;
    let launch = outcome.launch;
    let counts = Counts::of(outcome.reports);
    let mut verdicts: Map<String, Value> = Map::new();
    for class in bytekiln_loader::Class::ALL {
        let count = outcome.reports.iter().filter(|report| report.class() == class).count();
        if count > 0 {
            verdicts.insert(class.as_str().to_owned(), count.into());
        }
    }
    let paths: Vec<Value> = outcome
        .artifacts
        .tree
        .roots
        .iter()
        .zip(&outcome.artifacts.shown)
        .map(|(root, shown)| {
            let kind = match root.container {
                Container::Directory => "dir",
                Container::Zip => "zip",
            };
            json!({"path": shown.display().to_string(), "as": kind})
        })
        .collect();
    let check = match launch.hash_check {
        HashCheck::Default => "default",
        HashCheck::Always => "always",
        HashCheck::Never => "never",
    };
    let modules: Vec<Value> = outcome.reports.iter().map(|one| module(one, outcome)).collect();
    let value = json!({
        "schema": SCHEMA,
        "interpreter": {
            "executable": outcome.interpreter.executable.display().to_string(),
            "version": toolchain.version,
            "cache_tag": launch.cache_tag,
        },
        "launch": {"optimize": launch.optimize, "check_hash_based_pycs": check},
        "paths": paths,
        "success": !outcome.is_failure(),
        "counts": {
            "loads": counts.loads,
            "extension_modules": counts.extensions,
            "compiles": counts.compiles,
            "runs_old_code": counts.old,
            "fails": counts.fails,
            "not_used": counts.unused,
        },
        "verdicts": verdicts,
        "estimate": outcome.estimate.map(|estimate| json!({
            "seconds": estimate.seconds,
            "bytes_per_second": estimate.bytes_per_second,
            "sample": estimate.sample,
        })),
        "modules": modules,
    });
    format!("{value:#}\n")
}

fn module(report: &ModuleReport, outcome: &Outcome<'_>) -> Value {
    let (effect, exception) = match report.effect {
        Effect::Fails(exception) => ("fails", Some(exception.as_str())),
        Effect::RunsOldCode => ("runs-old-code", None),
        Effect::Compiles => ("compiles", None),
        Effect::NotUsed => ("not-used", None),
        Effect::Loads => ("loads", None),
    };
    let name = String::from_utf8_lossy(&report.name);
    json!({
        "name": (report.effect != Effect::NotUsed).then_some(name),
        "file": outcome.artifacts.path(report.file),
        "cache": report.cache.map(|cache| outcome.artifacts.path(cache)),
        "verdict": report.class().as_str(),
        "effect": effect,
        "exception": exception,
        "reason": reason(&report.reason),
        "message": wording::detail(report, outcome.artifacts),
        "remedy": wording::remedy(report, outcome.artifacts, outcome.launch.release),
        "compiled_bytes": report.compiled_bytes,
        "allowed": report.is_fault() && outcome.allowed.contains(&report.class()),
    })
}

fn reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::Matches => "matches",
        Reason::ExtensionModule => "extension-module",
        Reason::ForeignPath(_) => "foreign-path",
        Reason::NoCache => "no-cache",
        Reason::NoCacheTag => "no-cache-tag",
        Reason::StaleTime { .. } => "time",
        Reason::StaleSize { .. } => "size",
        Reason::StaleHash => "hash",
        Reason::WrongMagic(_) => "magic",
        Reason::OtherInterpreters(_) => "other-interpreters",
        Reason::OtherLevels(_) => "other-levels",
        Reason::BadFlags(_) => "flags",
        Reason::ShortHeader(_) => "short-header",
        Reason::TruncatedBody => "truncated-body",
        Reason::DamagedBody(_) => "damaged-body",
        Reason::NotCode => "not-code",
        Reason::UncheckedChanged => "unchecked-changed",
        Reason::CacheFolderInZip => "cache-folder-in-zip",
        Reason::CacheOutsidePrefix => "cache-outside-prefix",
        Reason::LegacyBesideSource => "legacy-beside-source",
        Reason::ExtensionInZip => "extension-in-zip",
        Reason::NoFolderEntry => "no-folder-entry",
        Reason::ZipTooLarge => "zip-too-large",
        Reason::ShadowedBy(shadow) => match shadow.kind {
            ShadowKind::Package => "by-package",
            ShadowKind::Extension => "by-extension-module",
            ShadowKind::Module => "by-module",
            ShadowKind::EarlierPath => "by-earlier-path",
            ShadowKind::Interpreter(_) => "by-interpreter",
        },
        Reason::NoSource => "no-source",
        Reason::Unreadable(_) => "unreadable",
        Reason::NoModuleName => "no-module-name",
        _ => "other",
    }
}
