//! Image layouts: a folder whose files are in layers. Knows nothing of what is in a layer.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::CommandFailure;

/// The layers of an OCI image layout, lowest first, as paths like the one that was typed; any other path
/// stays. Of several images the layers of all.
pub(super) fn layers(typed: &Path, start: &Path) -> Result<Vec<PathBuf>, CommandFailure> {
    let folder = start.join(typed);
    if !folder.join("oci-layout").is_file() {
        return Ok(vec![typed.to_owned()]);
    }
    let read = |below: &str| -> Result<Value, CommandFailure> {
        let path = folder.join(below);
        let broken = |what: &dyn std::fmt::Display| {
            CommandFailure::failure(format!("`{}` is no whole image: {what}", typed.display()))
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| broken(&format_args!("`{below}`: {error}")))?;
        serde_json::from_str(&text).map_err(|error| broken(&format_args!("`{below}`: {error}")))
    };
    let mut found = Vec::new();
    for manifest in digests(&read("index.json")?, "/manifests") {
        let manifest = read(&format!("blobs/sha256/{manifest}"))?;
        for layer in digests(&manifest, "/layers") {
            let path = typed.join("blobs/sha256").join(layer);
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(CommandFailure::failure(format!("`{}` has no layers", typed.display())));
    }
    Ok(found)
}

/// SHA-256 of each descriptor of a list, in hexadecimal.
fn digests(value: &Value, list: &str) -> Vec<String> {
    let all = value.pointer(list).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| one.get("digest")?.as_str()?.strip_prefix("sha256:"))
        .filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(str::to_owned)
        .collect()
}
