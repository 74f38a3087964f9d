//! Fingerprints of members: digests of their sources and of all that these import, for whoever keys
//! artifacts on them.

use std::collections::BTreeMap;

use bytekiln_action::Digest;
use bytekiln_graph::{OwnerKind, Which};
use bytekiln_python::Release;

use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::imports::open_with_digests;
use crate::part::selection;
use crate::report::terminal::Terminal;
use crate::settings::Settings;

/// By name of the member, those that have a source. Imports that can run count, of every release that
/// is compiled for: which these are depends on it.
pub(crate) fn fingerprints(
    settings: &Settings,
    releases: &[Release],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<BTreeMap<String, String>, CommandFailure> {
    let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for release in releases {
        let (workspace, start) = (settings.workspace.clone(), settings.start.clone());
        let selection = selection(settings, *release);
        let open = open_with_digests(workspace, start, &selection, environment, terminal)?;
        for (owner, digest) in open.graph().owner_fingerprints(Which::Runtime) {
            let Some(owner) = open.graph().owners().get(owner as usize) else { continue };
            if owner.kind == OwnerKind::Member {
                let text = texts.entry(owner.name.clone()).or_default();
                text.push(release.minor());
                text.extend_from_slice(&digest.hash);
            }
        }
    }
    let digest = |text: Vec<u8>| Digest::of(&text).to_hex();
    Ok(texts.into_iter().map(|(name, text)| (name, digest(text))).collect())
}
