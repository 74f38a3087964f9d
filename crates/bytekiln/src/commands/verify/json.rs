//! The verdicts for programs: schema `bytekiln-verify/1`, documented in `docs/verify.md`.

use serde_json::{Value, json};

use super::Outcome;
use super::verdict::{Judged, Making, NameSays, Verdict, reason_name};
use crate::schema::path_text;

/// Name and version.
const SCHEMA: &str = "bytekiln-verify/1";

/// The whole report.
pub(super) fn report(outcome: &Outcome<'_>) -> String {
    let counts = outcome.counts();
    let interpreters: Vec<Value> = outcome
        .candidates
        .iter()
        .map(|candidate| {
            let toolchain = &candidate.compiler.toolchain;
            json!({
                "label": candidate.label(),
                "version": toolchain.version,
                "build": toolchain.build,
                "platform": toolchain.platform,
                "free_threaded": toolchain.free_threaded,
                "executable": path_text(&candidate.compiler.executable),
            })
        })
        .collect();
    let paths: Vec<String> = outcome
        .inventory
        .arguments
        .iter()
        .map(|argument| argument.typed.display().to_string())
        .collect();
    let files: Vec<Value> = outcome.judged.iter().map(|judged| file(outcome, judged)).collect();
    let value = json!({
        "schema": SCHEMA,
        "proved": counts.proved,
        "diverges": counts.diverges,
        "unprovable": counts.unprovable,
        "allowed": counts.allowed,
        "seconds": outcome.elapsed.as_secs_f64(),
        "paths": paths,
        "interpreters": interpreters,
        "files": files,
    });
    format!("{value:#}\n")
}

fn file(outcome: &Outcome<'_>, judged: &Judged) -> Value {
    let subject = &judged.subject;
    let mut value = json!({
        "argument": subject.argument,
        "path": subject.path.to_string(),
        "source": subject.source.0.to_string(),
        "release": judged.release.map(|release| release.to_string()),
    });
    let (verdict, details) = match &judged.verdict {
        Verdict::Proved(making) => ("proved", made(making)),
        Verdict::Diverges(divergence) => {
            let details = json!({
                "reason": divergence.kind.as_str(),
                "message": divergence.message,
                "function": divergence.function,
                "part": divergence.part,
                "line": divergence.line,
                "compared_with": divergence.compared_with,
                "only_compiler": divergence.only_compiler,
            });
            ("diverges", details)
        }
        Verdict::Unprovable { reason, message } => {
            let details = json!({
                "reason": reason_name(*reason),
                "message": message,
                "allowed": outcome.allowed.allows(*reason),
            });
            ("unprovable", details)
        }
    };
    if let (Value::Object(value), Value::Object(details)) = (&mut value, details) {
        value.insert("verdict".to_owned(), verdict.into());
        let level = match &subject.name {
            NameSays::Tagged { level, .. } => Some(level.as_u8()),
            NameSays::Nothing => None,
        };
        value.insert("named_level".to_owned(), level.into());
        value.extend(details);
    }
    value
}

fn made(making: &Making) -> Value {
    json!({
        "interpreter": making.interpreter,
        "optimization": making.level.as_u8(),
        "debug_ranges": making.debug_ranges,
    })
}
