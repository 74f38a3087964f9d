//! The verdicts as SARIF 2.1.0 (OASIS), which code scanning services read. Only what is not proved
//! is a result.

use serde_json::{Value, json};

use super::Outcome;
use super::human::{shown, source};
use super::verdict::{Judged, Verdict, reason_name};

const DIVERGES: &str = "bytekiln/diverges";
const UNPROVABLE: &str = "bytekiln/unprovable";

/// One run.
pub(super) fn report(outcome: &Outcome<'_>) -> String {
    let results: Vec<Value> =
        outcome.judged.iter().filter_map(|judged| result(outcome, judged)).collect();
    let value = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "bytekiln",
                    "version": env!("CARGO_PKG_VERSION"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": rules(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{value:#}\n")
}

fn rules() -> Value {
    json!([
        {
            "id": DIVERGES,
            "name": "CacheDiverges",
            "shortDescription": { "text": "A .pyc file does not come from its source" },
            "fullDescription": { "text": "Compiling the source with the interpreter that made the \
                .pyc file gives other code. Whoever imports the module runs what is in the .pyc file." },
            "help": { "text": "Remove the .pyc file, or build it again from the source; then find \
                out who wrote it." },
            "defaultConfiguration": { "level": "error" },
            "properties": { "tags": ["security"], "security-severity": "8.0" },
        },
        {
            "id": UNPROVABLE,
            "name": "CacheUnprovable",
            "shortDescription": { "text": "A .pyc file cannot be proved to come from its source" },
            "fullDescription": { "text": "Its source, or an interpreter of the build that made it, \
                is not there." },
            "help": { "text": "Ship the source, or name the interpreter with --python." },
            "defaultConfiguration": { "level": "warning" },
            "properties": { "tags": ["security"], "security-severity": "4.0" },
        },
    ])
}

fn result(outcome: &Outcome<'_>, judged: &Judged) -> Option<Value> {
    let (rule, index, level, text, reason, line) = match &judged.verdict {
        Verdict::Proved(_) => return None,
        Verdict::Diverges(divergence) => {
            let kind = divergence.kind.as_str();
            (DIVERGES, 0, "error", &divergence.message, kind, divergence.line)
        }
        Verdict::Unprovable { reason, .. } if outcome.allowed.allows(*reason) => return None,
        Verdict::Unprovable { reason, message } => {
            (UNPROVABLE, 1, "warning", message, reason_name(*reason), None)
        }
    };
    let path = shown(outcome, judged);
    // A .pyc has no lines, but code scanning services refuse a place without one.
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&path) },
            "region": { "startLine": 1 },
        },
    });
    let mut properties = json!({
        "reason": reason,
        "source": judged.subject.source.0.to_string(),
    });
    if let Verdict::Diverges(divergence) = &judged.verdict {
        if let Some(function) = &divergence.function {
            location["logicalLocations"] =
                json!([{ "fullyQualifiedName": function, "kind": "function" }]);
        }
        if let Some(part) = &divergence.part {
            properties["part"] = part.as_str().into();
        }
    }
    let mut related = json!({
        "id": 1,
        "message": { "text": "the source" },
        "physicalLocation": { "artifactLocation": { "uri": uri(&source(outcome, judged)) } },
    });
    if let Some(line) = line {
        related["physicalLocation"]["region"] = json!({ "startLine": line });
    }
    let related = match judged.subject.source.1 {
        Some(_) => vec![related],
        None => Vec::new(),
    };
    let what = match rule {
        DIVERGES => "does not come from its source",
        _ => "cannot be proved",
    };
    Some(json!({
        "ruleId": rule,
        "ruleIndex": index,
        "level": level,
        "message": { "text": format!("{path} {what}: {text}") },
        "locations": [location],
        "relatedLocations": related,
        "partialFingerprints": { "bytekilnVerdict/v1": format!("{rule}:{reason}:{path}") },
        "properties": properties,
    }))
}

/// A relative reference, or a `file:` URI of an absolute path (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_become_references() {
        for (path, expect) in [
            ("a/__pycache__/m.cpython-311.pyc", "a/__pycache__/m.cpython-311.pyc"),
            ("a b/ü:%.pyc", "a%20b/%C3%BC%3A%25.pyc"),
            ("/tmp/x.whl/m.pyc", "file:///tmp/x.whl/m.pyc"),
        ] {
            assert_eq!(uri(path), expect);
        }
    }
}
