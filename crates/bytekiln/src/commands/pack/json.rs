//! What was packed as JSON: the schema of `docs/pack.md`.

use bytekiln_project::ArtifactKind;
use serde_json::{Value, json};

use super::human::why;
use super::outcome::Packed;
use super::provenance::hex;

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-pack/1";

/// All of it, one document.
pub(super) fn render(all: &[Packed]) -> String {
    let artifacts: Vec<Value> = all.iter().map(artifact).collect();
    format!("{}\n", json!({"schema": SCHEMA, "artifacts": artifacts}))
}

fn artifact(packed: &Packed) -> Value {
    let layers = packed.image.as_ref().map(|image| {
        let layers = image.layers.iter().map(|layer| {
            json!({
                "digest": format!("sha256:{}", hex(&layer.digest)),
                "diff_id": format!("sha256:{}", hex(&layer.diff_id)),
                "bytes": layer.digest.size,
            })
        });
        layers.collect::<Vec<Value>>()
    });
    let selection = packed.spent.map(|spent| {
        json!({
            "budget": spent.budget,
            "modules": spent.modules.0,
            "of_modules": spent.modules.1,
            "all_modules": spent.all_modules,
            "bytes": spent.bytes.0,
            "of_bytes": spent.bytes.1,
            "cost": spent.cost.0,
            "of_cost": spent.cost.1,
        })
    });
    let kept: Vec<Value> = packed
        .kept
        .iter()
        .map(|(place, kept)| json!({"path": place.to_string(), "why": why(kept)}))
        .collect();
    let inspecting: Vec<Value> = packed
        .inspecting
        .iter()
        .map(|(place, line, what)| json!({"path": place.to_string(), "line": line, "calls": what}))
        .collect();
    let rejected: Vec<String> = packed.rejected.iter().map(ToString::to_string).collect();
    json!({
        "name": packed.name,
        "kind": packed.kind.as_str(),
        "path": packed.path.display().to_string(),
        "sha256": (packed.kind != ArtifactKind::Site).then(|| hex(&packed.digest)),
        "targets": packed.targets,
        "files": {
            "sources": packed.sources,
            "caches": packed.caches,
            "others": packed.others,
            "bytes": packed.bytes,
            "cache_bytes": packed.cache_bytes,
        },
        "left_out": packed.left_out,
        "kept_sources": kept,
        "inspecting": inspecting,
        "not_compiled": rejected,
        "selection": selection,
        "imports_simulated": packed.simulated,
        "layers": layers,
        "provenance": packed.provenance.as_ref().map(|path| path.display().to_string()),
        "warnings": packed.warnings,
        "fresh": packed.unchanged,
    })
}
