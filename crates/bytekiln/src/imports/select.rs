//! From what users type to modules: a dotted name, a path, a member, a distribution. Knows nothing of
//! what is asked about them.

use std::path::Path;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Graph, NodeId, NodeKind, OwnerKind};

use super::OpenGraph;
use crate::failure::CommandFailure;

impl OpenGraph {
    /// The modules that a word means, never none: `a.b` (several if two members have one, or a stub
    /// is beside it), `a.b.*` for it and all below, a file, a folder for all below, `member:NAME`,
    /// `dist:NAME`; and the name of a member or distribution where no module has it.
    pub(crate) fn select(&self, text: &str) -> Result<Vec<NodeId>, CommandFailure> {
        let graph = self.graph();
        let kinds = [("member:", OwnerKind::Member), ("dist:", OwnerKind::Distribution)];
        for (prefix, kind) in kinds {
            if let Some(name) = text.strip_prefix(prefix) {
                return self.owned(name, kind).ok_or_else(|| self.no_owner(prefix, name, kind));
            }
        }
        let found = match text.strip_suffix(".*") {
            Some(package) => below(graph, package),
            None => graph.find(text),
        };
        if !found.is_empty() {
            return Ok(found);
        }
        self.by_path(text)
            .or_else(|| self.owned(text, OwnerKind::Member))
            .or_else(|| self.owned(text, OwnerKind::Distribution))
            .ok_or_else(|| self.no_module(text))
    }

    /// Says that a dotted name is more than one module, which they are, and how to name one.
    pub(crate) fn several(&self, text: &str, nodes: &[NodeId]) -> Option<String> {
        let graph = self.graph();
        let files: Vec<NodeId> = nodes
            .iter()
            .copied()
            .filter(|id| {
                graph
                    .node(*id)
                    .is_some_and(|node| &*node.name == text && node.kind != NodeKind::Stub)
            })
            .collect();
        if files.len() < 2 {
            return None;
        }
        let paths: Vec<String> = files.iter().filter_map(|id| self.path(*id)).take(3).collect();
        let more = if files.len() > paths.len() { " …" } else { "" };
        Some(format!(
            "`{text}` is {} modules: `{}`{more}; all are meant, a path names one",
            files.len(),
            paths.join("`, `")
        ))
    }

    /// Names of distributions are compared as PyPI does (PEP 503).
    fn owned(&self, name: &str, kind: OwnerKind) -> Option<Vec<NodeId>> {
        let graph = self.graph();
        let of = |owner: &bytekiln_graph::Owner| {
            owner.kind == kind
                && (owner.name == name || normalized(&owner.name) == normalized(name))
        };
        let owner = (0_u32..).zip(graph.owners()).find(|(_, owner)| of(owner))?.0;
        Some(graph.nodes_of(owner)).filter(|nodes| !nodes.is_empty())
    }

    fn by_path(&self, text: &str) -> Option<Vec<NodeId>> {
        let graph = self.graph();
        let path = self.start.join(text);
        let real = path.canonicalize().ok();
        for path in [Some(lexical(&path)), real].into_iter().flatten() {
            for (tree, folder) in (0_u32..).zip(&self.loaded.trees) {
                let Ok(below) = path.strip_prefix(&folder.folder) else { continue };
                let Some(path) = RepoPath::new(below.as_os_str().as_encoded_bytes()) else {
                    continue;
                };
                if let Some(node) = graph.find_file(tree, &path) {
                    return Some(vec![node]);
                }
                let inside: Vec<NodeId> = graph
                    .nodes()
                    .filter(|(_, node)| {
                        node.file.as_ref().is_some_and(|(at, file)| {
                            *at == tree && file.strip_prefix(&path).is_some()
                        })
                    })
                    .map(|(id, _)| id)
                    .collect();
                if !inside.is_empty() {
                    return Some(inside);
                }
            }
        }
        None
    }

    fn no_owner(&self, prefix: &str, name: &str, kind: OwnerKind) -> CommandFailure {
        let owners = self.graph().owners().iter().filter(|owner| owner.kind == kind);
        let what = if kind == OwnerKind::Member { "member" } else { "distribution" };
        let mut names: Vec<&str> = owners.map(|owner| owner.name.as_str()).collect();
        if names.contains(&name) {
            return CommandFailure::usage(format!("{what} `{name}` has no modules"));
        }
        let failure = CommandFailure::usage(format!("there is no {what} `{name}`"));
        if let Some(near) = nearest(name, names.iter().copied()) {
            return failure.hint(format!("did you mean `{prefix}{near}`?"));
        }
        names.sort_unstable();
        match names.len() {
            0 if kind == OwnerKind::Distribution => {
                failure.hint("no virtual environment was found; name one with `--venv`")
            }
            0 => failure,
            1..=10 => failure.hint(format!("there are `{}`", names.join("`, `"))),
            _ => failure,
        }
    }

    fn no_module(&self, text: &str) -> CommandFailure {
        let graph = self.graph();
        let failure = if self.start.join(text).exists() {
            let failure = format!("`{text}` holds no module of this workspace");
            return CommandFailure::usage(failure).hint(
                "only sources of members are looked at, less what `exclude` names; `bytekiln graph` \
                 lists the members",
            );
        } else {
            CommandFailure::usage(format!("there is no module `{text}`"))
        };
        let name = text.strip_suffix(".*").unwrap_or(text);
        let mut around = name;
        while let Some((package, _)) = around.rsplit_once('.') {
            around = package;
            let outside = graph.find(package).into_iter().find_map(|id| {
                let kind = graph.node(id)?.kind;
                matches!(kind, NodeKind::External | NodeKind::StandardLibrary).then_some(kind)
            });
            if let Some(kind) = outside {
                let follow = if kind == NodeKind::External { "installed" } else { "all" };
                return failure.hint(format!(
                    "of `{package}` only what is imported is known; `--follow {follow}` reads it all"
                ));
            }
        }
        let members = graph.owners().iter().filter(|owner| owner.kind == OwnerKind::Member);
        let names = graph
            .nodes()
            .filter(|(_, node)| !matches!(node.kind, NodeKind::Unresolved(_)))
            .map(|(_, node)| &*node.name)
            .chain(members.map(|owner| owner.name.as_str()));
        match nearest(name, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(
                "name it as an import does (`a.b`, `a.b.*`), by its path, or as `member:NAME` or \
                 `dist:NAME`",
            ),
        }
    }
}

/// A package and all below it.
fn below(graph: &Graph, package: &str) -> Vec<NodeId> {
    let inside = |name: &str| {
        name.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let there = |kind: NodeKind| !matches!(kind, NodeKind::Unresolved(_));
    let nodes = graph.nodes().filter(|(_, node)| there(node.kind) && inside(&node.name));
    nodes.map(|(id, _)| id).collect()
}

/// Without `.` and `..`, and without asking the disk: what is deleted has a path too.
fn lexical(path: &Path) -> std::path::PathBuf {
    use std::path::Component;
    let mut out = std::path::PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            _ => out.push(component),
        }
    }
    out
}

fn normalized(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<String>>().join("-")
}

/// The word that was probably meant; those of a quite different length are not even looked at.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let like = |candidate: &&str| candidate.len().abs_diff(word.len()) <= word.len().max(3) / 2;
    bytekiln_project::nearest(word, candidates.filter(like))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let names = ["shop.tax", "shop.basket", "x"];
        assert_eq!(nearest("shop.taxes", names.into_iter()), Some("shop.tax"));
        assert_eq!(nearest("shop.baskte", names.into_iter()), Some("shop.basket"));
        assert_eq!(nearest("django.db", names.into_iter()), None);
        assert_eq!(nearest("y", names.into_iter()), None);
    }

    #[test]
    fn names_of_distributions() {
        assert_eq!(normalized("Zope.Interface"), normalized("zope_interface"));
        assert_eq!(normalized("a--b"), "a-b");
    }

    #[test]
    fn paths_need_not_exist() {
        assert_eq!(lexical(Path::new("/w/a/../b/./c.py")), Path::new("/w/b/c.py"));
    }
}
