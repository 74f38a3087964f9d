//! Where an artifact came from, as an in-toto statement (v1) with a SLSA provenance predicate (v1). A
//! function of what was packed: no time, no machine, no user is in it, so that the same artifact has the
//! same statement. It is not signed; what signs it takes it as it is. `docs/provenance.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_project::ArtifactRule;
use serde_json::{Value, json};

use super::target::Target;

/// Of the statement.
pub(crate) const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// Of the predicate.
pub(crate) const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// What was done; `docs/provenance.md` describes it.
pub(crate) const BUILD_TYPE: &str = "https://bytekiln.dev/pack/v1";
/// Who did it.
pub(crate) const BUILDER: &str = "https://bytekiln.dev/bytekiln";

/// What the statement is about, and how it is known.
pub(super) enum Subject {
    /// A file.
    File { name: String, digest: Digest },
    /// A folder: the digest of its list of files.
    Folder { name: String, digest: Digest },
    /// An image: its manifest, and its layers.
    Image { name: String, manifest: Digest, layers: Vec<Digest> },
}

/// A source of what is in it: where it came from, and its path there.
pub(super) struct Material {
    pub(super) origin: &'static str,
    /// Of a dependency: its folder, below the workspace.
    pub(super) folder: Option<String>,
    pub(super) name: String,
    pub(super) digest: Digest,
}

/// Beside the artifact: `NAME.intoto.json`.
pub(super) fn path_of(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(bytekiln_project::STATEMENT_SUFFIX);
    out.with_file_name(name)
}

/// The `dirHash` of in-toto: SHA-256 over a line for each file, `HEX  PATH`, sorted by path, which is what
/// `sha256sum` prints.
pub(crate) fn folder_digest<'a>(
    files: impl IntoIterator<Item = (&'a RepoPath, &'a Digest)>,
) -> Digest {
    let files: BTreeMap<&RepoPath, &Digest> = files.into_iter().collect();
    let mut lines = Vec::with_capacity(files.len() * 100);
    for (path, digest) in files {
        lines.extend_from_slice(hex(digest).as_bytes());
        lines.extend_from_slice(b"  ");
        lines.extend_from_slice(path.as_bytes());
        lines.push(b'\n');
    }
    Digest::of(&lines)
}

/// SHA-256 in hexadecimal, without the size.
pub(crate) fn hex(digest: &Digest) -> String {
    digest.hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The statement, one document.
pub(super) fn statement(
    subject: &Subject,
    rule: &ArtifactRule,
    targets: &[Target],
    modified: i64,
    materials: &[Material],
) -> String {
    let subjects = match subject {
        Subject::File { name, digest } => {
            vec![json!({"name": name, "digest": {"sha256": hex(digest)}})]
        }
        Subject::Folder { name, digest } => {
            vec![json!({"name": name, "digest": {"dirHash": hex(digest)}})]
        }
        Subject::Image { name, manifest, layers } => {
            let mut all = vec![json!({"name": name, "digest": {"sha256": hex(manifest)}})];
            all.extend(layers.iter().enumerate().map(|(number, layer)| {
                json!({"name": format!("{name}#layer{number}"), "digest": {"sha256": hex(layer)}})
            }));
            all
        }
    };
    let mut dependencies: Vec<Value> = targets.iter().map(interpreter).collect();
    dependencies.extend(materials.iter().map(|material| {
        let annotations = match &material.folder {
            Some(folder) => json!({"origin": material.origin, "folder": folder}),
            None => json!({"origin": material.origin}),
        };
        let digest = json!({"sha256": hex(&material.digest)});
        json!({"name": material.name, "digest": digest, "annotations": annotations})
    }));
    let value = json!({
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters(rule, targets),
                "internalParameters": {
                    "canonicalForm": bytekiln_codec::CANONICAL_FORM_VERSION,
                    "sourceDateEpoch": modified,
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"bytekiln": env!("CARGO_PKG_VERSION")}},
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
    text.push('\n');
    text
}

fn interpreter(target: &Target) -> Value {
    let toolchain = &target.compiler.toolchain;
    json!({
        "name": format!("{} {}", toolchain.implementation, toolchain.version),
        "digest": {"sha256": toolchain.digest().0.iter().map(|b| format!("{b:02x}")).collect::<String>()},
        "annotations": {
            "origin": "interpreter",
            "build": toolchain.build,
            "cacheTag": toolchain.cache_tag,
            "platform": toolchain.platform,
            "optimization": target.level.as_u8(),
        },
    })
}

/// What a user has said: the keys of the artifact, as they are written, and what profile and default add.
fn parameters(rule: &ArtifactRule, targets: &[Target]) -> Value {
    let mode = targets.first().map(|one| one.mode.as_str()).unwrap_or_default();
    json!({
        "artifact": rule.written,
        "profile": rule.target.profile,
        "mode": mode,
    })
}
