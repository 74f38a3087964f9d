//! Packages or members as a graph of their own, so that the questions that modules can be put to can be
//! put to groups. Knows nothing of cycles.

use std::collections::BTreeMap;

use bytekiln_graph::{EdgeId, Graph, NodeId, NodeKind};

use crate::arguments::CyclesBy;

pub(super) struct Groups {
    pub(super) graph: Graph,
    /// The import that each edge stands for.
    imports: Vec<EdgeId>,
}

/// No group.
const NONE: u32 = u32::MAX;

impl Groups {
    /// Groups and what they import of each other; `None` if each module is its own.
    pub(super) fn new(graph: &Graph, by: CyclesBy) -> Option<Groups> {
        let (names, group_of) = match by {
            CyclesBy::Module => return None,
            CyclesBy::Package => packages(graph),
            CyclesBy::Member => owners(graph),
        };
        let (graph, imports) = graph.merged(&names, &group_of);
        Some(Groups { graph, imports })
    }

    /// The import that an edge between groups stands for.
    pub(super) fn import(&self, edge: EdgeId) -> Option<EdgeId> {
        self.imports.get(edge.number() as usize).copied()
    }
}

/// Numbers groups in the order of their keys, and says for each module which one it is in.
fn numbered(
    graph: &Graph,
    key: impl Fn(NodeId) -> Option<(String, u32)>,
) -> (Vec<String>, Vec<u32>) {
    let keys: Vec<Option<(String, u32)>> = graph.nodes().map(|(id, _)| key(id)).collect();
    let mut numbers: BTreeMap<(String, u32), u32> = BTreeMap::new();
    for key in keys.iter().flatten() {
        numbers.entry(key.clone()).or_default();
    }
    for (number, place) in (0_u32..).zip(numbers.values_mut()) {
        *place = number;
    }
    let number = |key: &Option<_>| key.as_ref().and_then(|key| numbers.get(key)).copied();
    let group_of = keys.iter().map(|key| number(key).unwrap_or(NONE)).collect();
    (numbers.into_keys().map(|(name, _)| name).collect(), group_of)
}

/// Members, distributions, and the standard library where its files are known.
fn owners(graph: &Graph) -> (Vec<String>, Vec<u32>) {
    numbered(graph, |id| {
        let owner = graph.node(id)?.owner?;
        Some((graph.owners().get(owner as usize)?.name.clone(), owner))
    })
}

/// Packages with the modules right in them; a module that is in none is one of its own. Members may have
/// packages of one name.
fn packages(graph: &Graph) -> (Vec<String>, Vec<u32>) {
    numbered(graph, |id| {
        let node = graph.node(id)?;
        let (_, path) = node.file.as_ref()?;
        let init = path.as_bytes().rsplit(|byte| *byte == b'/').next()?.starts_with(b"__init__.");
        let own = init || matches!(node.kind, NodeKind::Package | NodeKind::Unimportable);
        let parent = node.name.rsplit_once('.').map(|(parent, _)| parent).filter(|_| !own);
        Some((parent.unwrap_or(&node.name).to_owned(), node.owner.unwrap_or(NONE)))
    })
}
