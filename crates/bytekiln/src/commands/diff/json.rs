//! `diff` for machines: the schema of docs/diff.md.

use bytekiln_action::Digest;
use bytekiln_proof::{Difference, EncodingDifference, Finding};
use serde_json::{Value, json};

use super::Judged;
use super::verdict::{Tally, Verdict};
use crate::arguments::DiffArguments;

/// All that was found; identical files are only counted.
pub(super) fn report(arguments: &DiffArguments, judged: &[Judged], tally: &Tally) -> Value {
    let files: Vec<Value> = judged
        .iter()
        .filter(|judged| !matches!(judged.verdict, Verdict::Identical))
        .map(file)
        .collect();
    json!({
        "schema": "bytekiln-diff/1",
        "left": arguments.left.display().to_string(),
        "right": arguments.right.display().to_string(),
        "summary": {
            "identical": tally.identical,
            "equivalent": tally.equivalent,
            "different": tally.different,
            "only_left": tally.only_left,
            "only_right": tally.only_right,
            "unreadable": tally.unreadable,
        },
        "files": files,
    })
}

fn file(judged: &Judged) -> Value {
    let mut value = json!({
        "path": judged.pair.path,
        "kind": if judged.pair.is_pyc { "pyc" } else { "other" },
        "status": judged.verdict.word(),
    });
    let (name, detail) = match &judged.verdict {
        Verdict::Equivalent(how) => ("encoding", json!(encodings(how))),
        Verdict::Different(found) => ("difference", difference(found)),
        Verdict::OtherBytes { digests, detail } => {
            let digests = digests.map(|all| all.map(|one: Digest| one.to_hex()));
            let [left, right] = digests.map_or([None, None], |all| all.map(Some));
            ("bytes", json!({"detail": detail, "left_sha256": left, "right_sha256": right}))
        }
        Verdict::Unreadable(message) => ("error", json!(message)),
        Verdict::Identical | Verdict::Only(_) => return value,
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), detail);
    }
    value
}

fn encodings(all: &[EncodingDifference]) -> Vec<Value> {
    let one = |difference: &EncodingDifference| {
        let sides = difference.sides();
        let [left, right] = sides.map_or([None, None], |sides| sides.map(Some));
        json!({"name": difference.name(), "left": left, "right": right})
    };
    all.iter().map(one).collect()
}

fn difference(difference: &Difference) -> Value {
    json!({
        "total": difference.total,
        "code_objects": difference.code_objects,
        "complete": difference.complete,
        "fields": difference.fields,
        "only_compiler_dependent": difference.is_only_compiler_dependent(),
        "header": encodings(&difference.header),
        "findings": difference.findings().map(finding).collect::<Vec<Value>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "text": finding.to_string(),
        "kind": finding.kind.as_str(),
        "code_object": finding.code_object,
        "code_path": finding.code_path,
        "place": finding.place,
        "index": finding.index,
        "offset": finding.offset,
        "line": finding.line,
        "left": finding.left,
        "right": finding.right,
        "identity": finding.identity,
    })
}
