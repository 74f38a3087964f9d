//! A whole graph as bytes, so that it need not be made again while nothing changes: a magic, a
//! version, counts, then one flat array after the other, copied in bulk. Of broken bytes every index
//! is checked, so that no question can panic or run away. Knows nothing of files, nor of what a graph
//! is kept for.

mod layout;
#[cfg(test)]
mod tests;

use bytekiln_action::{Digest, RepoPath};

use super::back::Back;
use super::{Ambiguity, Edge, Graph, Node, NodeId, NodeKind};
use crate::kinds::Kinds;
use crate::record::{DecodeError, NONE};
use crate::resolution::{AmbiguityKind, Reason};
use crate::sources::{Owner, OwnerKind, PathEntry};
use layout::{Reader, Writer};

const MAGIC: &[u8; 4] = b"BKgr";
/// Raised whenever the layout, or what a graph of the same sources holds, changes.
const VERSION: u32 = 3;

/// The code of a kind is its place here.
const KINDS: [NodeKind; 16] = [
    NodeKind::Module,
    NodeKind::Package,
    NodeKind::Unimportable,
    NodeKind::Stub,
    NodeKind::Extension,
    NodeKind::Deleted,
    NodeKind::Namespace,
    NodeKind::StandardLibrary,
    NodeKind::External,
    NodeKind::Generated,
    NodeKind::Unresolved(Reason::NotFound),
    NodeKind::Unresolved(Reason::NoSubmodule),
    NodeKind::Unresolved(Reason::NotAPackage),
    NodeKind::Unresolved(Reason::BeyondTopLevel),
    NodeKind::Unresolved(Reason::NoPackage),
    NodeKind::Unresolved(Reason::Computed),
];
const OWNERS: [OwnerKind; 3] =
    [OwnerKind::Member, OwnerKind::Distribution, OwnerKind::StandardLibrary];
const AMBIGUITIES: [AmbiguityKind; 3] =
    [AmbiguityKind::SameFolder, AmbiguityKind::Shadowed, AmbiguityKind::NameAndModule];

impl Graph {
    /// The graph as bytes, about 10 an import and its names once a module; equal graphs give equal
    /// bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_into(&mut |block| bytes.extend_from_slice(block));
        bytes
    }

    /// As [`Graph::encode`], block by block: of a large graph the whole is tens of megabytes.
    pub fn encode_into(&self, sink: &mut dyn FnMut(&[u8])) {
        let mut out = Writer::new(sink);
        out.bytes(MAGIC);
        out.number(VERSION);
        for count in [self.nodes.len(), self.files, self.edges.len()] {
            out.count(count);
        }
        self.encode_nodes(&mut out);
        self.encode_owners(&mut out);
        out.count(self.ambiguities.len());
        for found in &self.ambiguities {
            out.number(found.chosen.0);
            out.number(found.hidden.0);
            out.bytes(&[code(&AMBIGUITIES, found.kind)]);
        }
        out.count(self.offsets.len());
        out.numbers(&self.offsets);
        for list in self.edges.lists() {
            out.all(list, |edge| edge.to.0.to_le_bytes());
        }
        out.narrow(self.edges.lists(), |edge| edge.line);
        out.narrow(self.edges.lists(), |edge| edge.column);
        for list in self.edges.lists() {
            out.all(list, |edge| edge.kinds.bits().to_le_bytes());
        }
        out.finish();
    }

    fn encode_nodes(&self, out: &mut Writer<'_>) {
        out.texts(self.nodes.iter().map(|node| node.name.as_bytes()));
        let files = self.nodes.get(..self.files).unwrap_or_default();
        out.texts(files.iter().map(|node| match &node.file {
            Some((_, path)) => path.as_bytes(),
            None => b"",
        }));
        for node in files {
            out.number(node.file.as_ref().map_or(NONE, |(tree, _)| *tree));
        }
        for node in &self.nodes {
            out.bytes(&[code(&KINDS, node.kind)]);
        }
        for node in &self.nodes {
            out.number(node.owner.unwrap_or(NONE));
        }
        for node in files {
            out.bytes(&[u8::from(node.digest.is_some())]);
        }
        for digest in files.iter().filter_map(|node| node.digest.as_ref()) {
            out.bytes(&digest.hash);
            out.bytes(&digest.size.to_le_bytes());
        }
    }

    fn encode_owners(&self, out: &mut Writer<'_>) {
        out.count(self.owners.len());
        out.texts(self.owners.iter().map(|owner| owner.name.as_bytes()));
        for owner in &self.owners {
            out.bytes(&[code(&OWNERS, owner.kind)]);
            out.count(owner.path.len());
            for entry in &owner.path {
                out.number(match entry {
                    PathEntry::Root(root) => *root,
                    PathEntry::StandardLibrary => NONE,
                });
            }
        }
    }

    /// What [`Graph::encode`] gave.
    ///
    /// # Errors
    /// If the bytes are no such graph, or one that another version wrote.
    pub fn decode(bytes: &[u8]) -> Result<Graph, DecodeError> {
        decode(&mut Reader::new(bytes)).ok_or(DecodeError)
    }
}

fn code<T: PartialEq>(all: &[T], item: T) -> u8 {
    all.iter().position(|other| *other == item).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

fn decode(input: &mut Reader<'_>) -> Option<Graph> {
    if input.take(MAGIC.len())? != MAGIC || input.number()? != VERSION {
        return None;
    }
    let (count, files, edges) = (input.count()?, input.count()?, input.count()?);
    if files > count {
        return None;
    }
    let nodes = decode_nodes(input, count, files)?;
    let owners = decode_owners(input)?;
    let known = |owner: u32| (owner as usize) < owners.len();
    if !nodes.iter().all(|node| node.owner.is_none_or(known)) {
        return None;
    }
    let ambiguities = decode_ambiguities(input, count)?;
    let offsets = decode_offsets(input, count, edges)?;
    let to = decode_below(input, edges, count)?;
    let lines = input.narrow(edges)?;
    let columns = input.narrow(edges)?;
    let bits = input.bits(edges)?;
    if !bits.iter().all(|bits| Kinds::from_bits(*bits).bits() == *bits) {
        return None;
    }
    let places = lines.into_iter().zip(columns).zip(bits);
    let ends = importers(&offsets).map(NodeId).zip(to);
    let edge = |((from, to), ((line, column), bits))| Edge {
        from,
        to: NodeId(to),
        line,
        column,
        kinds: Kinds::from_bits(bits),
    };
    let edges = ends.zip(places).map(edge).collect();
    let graph = Graph { nodes, owners, ambiguities, files, offsets, edges, back: Back::default() };
    input.is_empty().then_some(graph)
}

fn decode_nodes(input: &mut Reader<'_>, count: usize, files: usize) -> Option<Vec<Node>> {
    let names = input.texts(count)?;
    let all_names = std::str::from_utf8(names.bytes).ok()?;
    let paths = input.texts(files)?;
    let trees = input.numbers(files)?;
    let kinds = input.take(count)?;
    let owners = input.numbers(count)?;
    let flags = input.take(files)?;
    let mut nodes: Vec<Node> = Vec::with_capacity(count);
    for (at, (kind, owner)) in kinds.iter().zip(&owners).enumerate() {
        let file = match trees.get(at) {
            Some(tree) => Some((*tree, RepoPath::new(paths.get(at)?)?)),
            None => None,
        };
        let digest = match flags.get(at) {
            None | Some(0) => None,
            Some(1) => {
                let hash = *input.take(32)?.first_chunk::<32>()?;
                let size = u64::from_le_bytes(*input.take(8)?.first_chunk::<8>()?);
                Some(Box::new(Digest { hash, size }))
            }
            Some(_) => return None,
        };
        nodes.push(Node {
            kind: *KINDS.get(usize::from(*kind))?,
            name: all_names.get(names.range(at)?)?.into(),
            owner: (*owner != NONE).then_some(*owner),
            file,
            digest,
        });
    }
    Some(nodes)
}

fn decode_owners(input: &mut Reader<'_>) -> Option<Vec<Owner>> {
    let count = input.count()?;
    let names = input.texts(count)?;
    let mut owners = Vec::with_capacity(count);
    for at in 0..count {
        let kind = *OWNERS.get(usize::from(*input.take(1)?.first()?))?;
        let entries = input.count()?;
        let path = input.numbers(entries)?.into_iter().map(|root| match root {
            NONE => PathEntry::StandardLibrary,
            root => PathEntry::Root(root),
        });
        let name = std::str::from_utf8(names.get(at)?).ok()?.to_owned();
        owners.push(Owner { name, kind, path: path.collect() });
    }
    Some(owners)
}

fn decode_ambiguities(input: &mut Reader<'_>, nodes: usize) -> Option<Vec<Ambiguity>> {
    let count = input.count()?;
    // Nine bytes each: no room for a lie about their number.
    let mut bytes = Reader::new(input.take(count.checked_mul(9)?)?);
    let mut ambiguities = Vec::with_capacity(count);
    for _ in 0..count {
        let (chosen, hidden) = (bytes.number()?, bytes.number()?);
        let kind = *AMBIGUITIES.get(usize::from(*bytes.take(1)?.first()?))?;
        if chosen as usize >= nodes || hidden as usize >= nodes {
            return None;
        }
        ambiguities.push(Ambiguity { chosen: NodeId(chosen), hidden: NodeId(hidden), kind });
    }
    Some(ambiguities)
}

/// Where the edges of each node start: never decreasing, from nothing to all.
fn decode_offsets(input: &mut Reader<'_>, nodes: usize, edges: usize) -> Option<Vec<u32>> {
    let count = input.count()?;
    // `Graph::default` is without even an end.
    if count != nodes.checked_add(1)? && (count, nodes) != (0, 0) {
        return None;
    }
    let offsets = input.numbers(count)?;
    let whole = match (offsets.first(), offsets.last()) {
        (Some(first), Some(last)) => *first == 0 && *last as usize == edges,
        _ => edges == 0,
    };
    (whole && offsets.is_sorted()).then_some(offsets)
}

/// Numbers that are all below a limit.
fn decode_below(input: &mut Reader<'_>, count: usize, limit: usize) -> Option<Vec<u32>> {
    let numbers = input.numbers(count)?;
    let most = numbers.iter().copied().max();
    most.is_none_or(|most| (most as usize) < limit).then_some(numbers)
}

/// Who imports, by edge.
fn importers(offsets: &[u32]) -> impl Iterator<Item = u32> {
    (0_u32..).zip(offsets.windows(2)).flat_map(|(node, ends)| {
        let count = ends.last().zip(ends.first()).map_or(0, |(end, start)| end - start);
        std::iter::repeat_n(node, count as usize)
    })
}
