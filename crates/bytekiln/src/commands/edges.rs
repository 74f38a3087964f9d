//! Modules and imports in words and as JSON, as `deps`, `why` and `cycles` show them. Knows nothing of
//! what was asked.

use bytekiln_graph::{EdgeId, Kinds, NodeId, NodeKind, OwnerKind, Reason, Which};
use serde_json::{Value, json};

use crate::imports::OpenGraph;

/// From the fewest imports to all.
pub(crate) const LEVELS: [Which; 4] = [Which::Eager, Which::WithLazy, Which::Runtime, Which::All];

/// The least choice of `--imports` that follows an import.
pub(crate) fn level(kinds: Kinds) -> Which {
    LEVELS.into_iter().find(|which| which.follows(kinds)).unwrap_or(Which::All)
}

/// As `--imports` and JSON name it.
pub(crate) fn level_word(which: Which) -> &'static str {
    match which {
        Which::Eager => "eager",
        Which::WithLazy => "lazy",
        Which::Runtime => "runtime",
        Which::All => "all",
    }
}

/// Where a module comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Workspace,
    ThirdParty,
    StandardLibrary,
    Unresolved,
}

impl Origin {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Origin::Workspace => "workspace",
            Origin::ThirdParty => "third-party",
            Origin::StandardLibrary => "stdlib",
            Origin::Unresolved => "unresolved",
        }
    }
}

/// Where a module comes from. A namespace package is from where the first module in it is.
pub(crate) fn origin(open: &OpenGraph, id: NodeId) -> Origin {
    let graph = open.graph();
    let mut id = id;
    // As deep as names are; a bound keeps a fault of the graph from being a hang.
    for _ in 0..64 {
        let Some(node) = graph.node(id) else { return Origin::Unresolved };
        let owner = node.owner.and_then(|owner| graph.owners().get(owner as usize));
        match (node.kind, owner.map(|owner| owner.kind)) {
            (NodeKind::Unresolved(_), _) => return Origin::Unresolved,
            (NodeKind::StandardLibrary, _) | (_, Some(OwnerKind::StandardLibrary)) => {
                return Origin::StandardLibrary;
            }
            (NodeKind::External, _) | (_, Some(OwnerKind::Distribution)) => {
                return Origin::ThirdParty;
            }
            (NodeKind::Namespace, None) => {
                let mut inside = graph.importers(id).filter(|(_, edge)| is_package(edge.kinds));
                match inside.next() {
                    Some((_, edge)) if edge.from != id => id = edge.from,
                    _ => return Origin::Workspace,
                }
            }
            _ => return Origin::Workspace,
        }
    }
    Origin::Workspace
}

/// Whether an edge stands for no import of its target, but for that of a package around it.
pub(crate) fn is_package(kinds: Kinds) -> bool {
    kinds.any(Kinds::PACKAGE)
}

/// What is to be said of a module that is not of the workspace, or has no source there.
pub(crate) fn mark(open: &OpenGraph, id: NodeId) -> Option<String> {
    let kind = open.graph().node(id)?.kind;
    let reason = match kind {
        NodeKind::Unresolved(Reason::NotFound) => "not found",
        NodeKind::Unresolved(Reason::NoSubmodule) => "its package has no such module",
        NodeKind::Unresolved(Reason::NotAPackage) => "what it should be in is no package",
        NodeKind::Unresolved(Reason::BeyondTopLevel) => "more dots than packages",
        NodeKind::Unresolved(Reason::NoPackage) => "relative, but in no package",
        NodeKind::Unresolved(Reason::Computed) => "computed at run time",
        _ => "",
    };
    if !reason.is_empty() {
        return Some(format!("unresolved: {reason}"));
    }
    match origin(open, id) {
        Origin::StandardLibrary => Some("standard library".to_owned()),
        Origin::ThirdParty => Some(match open.owner(id) {
            Some(owner) => format!("distribution {owner}"),
            None => "third-party".to_owned(),
        }),
        Origin::Workspace | Origin::Unresolved => match kind {
            NodeKind::Generated => Some("generated".to_owned()),
            NodeKind::Namespace => Some("namespace package".to_owned()),
            NodeKind::Deleted => Some("deleted".to_owned()),
            NodeKind::Stub => Some("stub".to_owned()),
            _ => None,
        },
    }
}

/// How an import runs, in words; nothing for a plain one.
pub(crate) fn how(kinds: Kinds) -> Vec<&'static str> {
    let words = [
        (Kinds::LAZY, "lazy"),
        (Kinds::FUNCTION, "in a function"),
        (Kinds::MAIN, "under `__main__`"),
        (Kinds::TYPE_CHECKING, "for type checkers"),
        (Kinds::NEVER, "never runs"),
        (Kinds::CONDITIONAL, "conditional"),
        (Kinds::OPTIONAL, "optional"),
        (Kinds::FALLBACK, "fallback"),
        (Kinds::DYNAMIC, "by a call"),
        (Kinds::STRING, "named in a string"),
        (Kinds::STAR, "star"),
    ];
    words.into_iter().filter(|(kind, _)| kinds.any(*kind)).map(|(_, word)| word).collect()
}

/// A module as JSON.
pub(crate) fn module_json(open: &OpenGraph, id: NodeId) -> Value {
    let node = open.graph().node(id);
    let reason = match node.map(|node| node.kind) {
        Some(NodeKind::Unresolved(reason)) => Some(reason.word()),
        _ => None,
    };
    json!({
        "name": open.name(id),
        "kind": node.map(|node| node.kind.word()),
        "reason": reason,
        "origin": origin(open, id).word(),
        "owner": open.owner(id),
        "file": open.path(id),
    })
}

/// An import as JSON, without what is imported.
pub(crate) fn import_json(open: &OpenGraph, id: EdgeId) -> Value {
    let Some(edge) = open.graph().edge(id) else { return Value::Null };
    json!({
        "file": open.path(edge.from),
        "line": (edge.line > 0).then_some(edge.line),
        "column": (edge.column > 0).then_some(edge.column),
        "kinds": edge.kinds.words().collect::<Vec<_>>(),
        "imports": level_word(level(edge.kinds)),
    })
}
