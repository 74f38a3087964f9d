//! Fingerprints: a digest over a module and all that it imports, so that whatever is made of it can be
//! keyed on that. A Merkle tree over components of mutual imports: each component's digest covers its
//! own files and the digests of the components that it imports. Knows nothing of what is keyed.

use bytekiln_action::Digest;

use crate::cycles::components;
use crate::graph::{Graph, Node};
use crate::kinds::Which;

/// Raised when the meaning of a fingerprint changes.
const HEAD: &[u8] = b"bytekiln import fingerprint 1\n";

impl Graph {
    /// The fingerprint of each node, in order of ids: of modules that import each other the same one.
    /// Files without a digest count by their path alone.
    #[must_use]
    pub fn fingerprints(&self, which: Which) -> Vec<Digest> {
        let components = components(self, |kinds| which.follows(kinds));
        let mut digests: Vec<Digest> = Vec::with_capacity(components.groups().len());
        let mut text = Vec::new();
        for (number, group) in components.groups().enumerate() {
            text.clear();
            text.extend_from_slice(HEAD);
            let mut nodes: Vec<Vec<u8>> = Vec::with_capacity(group.len());
            let mut below: Vec<[u8; 32]> = Vec::new();
            for id in group {
                nodes.extend(self.node(*id).map(|node| self.describe(node)));
                for (_, edge) in self.imports(*id).filter(|(_, edge)| which.follows(edge.kinds)) {
                    let of = components.of.get(edge.to.0 as usize).map(|of| *of as usize);
                    // Components come after those that they import.
                    let digest = of.filter(|of| *of != number).and_then(|of| digests.get(of));
                    below.extend(digest.map(|digest| digest.hash));
                }
            }
            nodes.sort_unstable();
            below.sort_unstable();
            below.dedup();
            for node in nodes {
                text.extend_from_slice(&node);
            }
            for hash in below {
                text.extend_from_slice(b"imports ");
                text.extend_from_slice(&hash);
                text.push(b'\n');
            }
            digests.push(Digest::of(&text));
        }
        let of = components.of.iter().map(|of| digests.get(*of as usize).copied());
        of.map(|digest| digest.unwrap_or_else(|| Digest::of(HEAD))).collect()
    }

    /// One digest for each owner that has files, by its index: over the fingerprints of all its
    /// modules.
    #[must_use]
    pub fn owner_fingerprints(&self, which: Which) -> Vec<(u32, Digest)> {
        let fingerprints = self.fingerprints(which);
        let mut lists: Vec<(u32, [u8; 32])> = self
            .nodes()
            .zip(&fingerprints)
            .filter(|((_, node), _)| node.file.is_some())
            .filter_map(|((_, node), digest)| Some((node.owner?, digest.hash)))
            .collect();
        lists.sort_unstable();
        let groups = lists.chunk_by(|a, b| a.0 == b.0);
        groups
            .filter_map(|group| {
                let mut text = HEAD.to_vec();
                for (_, hash) in group {
                    text.extend_from_slice(hash);
                }
                Some((group.first()?.0, Digest::of(&text)))
            })
            .collect()
    }

    /// What a node is by itself, unambiguously: no part can hold the zero byte that ends it.
    fn describe(&self, node: &Node) -> Vec<u8> {
        let mut text = Vec::new();
        let owner = node.owner.and_then(|owner| self.owners.get(owner as usize));
        let path = node.file.as_ref().map(|(_, path)| path.as_bytes()).unwrap_or_default();
        let digest = node.digest.as_ref().map(|digest| digest.to_string()).unwrap_or_default();
        let owner = owner.map(|owner| owner.name.as_bytes()).unwrap_or_default();
        let kind = node.kind.word().as_bytes();
        for part in [kind, node.name.as_bytes(), owner, path, digest.as_bytes()] {
            text.extend(part.iter().filter(|byte| **byte != 0));
            text.push(0);
        }
        text.push(b'\n');
        text
    }
}
