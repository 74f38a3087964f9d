//! Which modules a selector of a contract means. Knows nothing of contracts.

use bytekiln_graph::{Graph, Node, NodeKind, Selector};

/// Whether the selector means the node.
pub(super) fn has(graph: &Graph, selector: &Selector, node: &Node) -> bool {
    match selector {
        Selector::Owner(name) => {
            let owner = node.owner.and_then(|owner| graph.owners().get(owner as usize));
            owner.is_some_and(|owner| owner.name == *name)
        }
        Selector::Module(module) => node
            .name
            .strip_prefix(module.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
    }
}

/// The selector that decides over a node: the longest name of a module, else a member.
pub(super) fn closest<'a>(
    graph: &Graph,
    selectors: impl IntoIterator<Item = &'a Selector>,
    node: &Node,
) -> Option<&'a Selector> {
    let weight = |selector: &Selector| match selector {
        Selector::Owner(_) => 0,
        Selector::Module(module) => module.len(),
    };
    let mut best: Option<&Selector> = None;
    for selector in selectors.into_iter().filter(|one| has(graph, one, node)) {
        if best.is_none_or(|best| weight(selector) > weight(best)) {
            best = Some(selector);
        }
    }
    best
}

/// Whether there is such a module at all; members have been looked up with the manifest.
pub(super) fn is_there(graph: &Graph, selector: &Selector) -> bool {
    let there = |node: &Node| !matches!(node.kind, NodeKind::Unresolved(_));
    matches!(selector, Selector::Owner(_))
        || graph.nodes().any(|(_, node)| there(node) && has(graph, selector, node))
}

/// Whether the first part of the name is a module of the workspace.
pub(super) fn is_of_workspace(graph: &Graph, module: &str) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    let first = Selector::Module(first.to_owned());
    graph.nodes().any(|(_, node)| {
        node.file.as_ref().is_some_and(|(tree, _)| *tree == 0) && has(graph, &first, node)
    })
}
