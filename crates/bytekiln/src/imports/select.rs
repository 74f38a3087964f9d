//! From what users type to modules: a dotted name, a path, or a member.

use bytekiln_action::RepoPath;
use bytekiln_graph::{NodeId, OwnerKind};

use super::OpenGraph;
use crate::failure::CommandFailure;

impl OpenGraph {
    /// The modules that a word means: `a.b` (several if two members have one), `src/a/b.py`, a
    /// folder (all below it), or `member:NAME`.
    pub(crate) fn select(&self, text: &str) -> Result<Vec<NodeId>, CommandFailure> {
        let graph = self.graph();
        if let Some(name) = text.strip_prefix("member:") {
            let owner = graph
                .owners()
                .iter()
                .position(|owner| owner.kind == OwnerKind::Member && owner.name == name)
                .ok_or_else(|| CommandFailure::usage(format!("there is no member `{name}`")))?;
            return Ok(graph.nodes_of(u32::try_from(owner).unwrap_or(u32::MAX)));
        }
        let found = graph.find(text);
        if !found.is_empty() {
            return Ok(found);
        }
        let path = self.start.join(text);
        let path = path.canonicalize().unwrap_or(path);
        if let Ok(below) = path.strip_prefix(&self.workspace.root)
            && let Some(path) = RepoPath::new(below.as_os_str().as_encoded_bytes())
        {
            if let Some(node) = graph.find_file(0, &path) {
                return Ok(vec![node]);
            }
            let inside = |id: &NodeId| {
                let file = graph.node(*id).and_then(|node| node.file.as_ref());
                file.is_some_and(|(tree, file)| *tree == 0 && file.strip_prefix(&path).is_some())
            };
            let below: Vec<NodeId> = graph.nodes().map(|(id, _)| id).filter(inside).collect();
            if !below.is_empty() {
                return Ok(below);
            }
        }
        Err(CommandFailure::usage(format!("there is no module `{text}`"))
            .hint("name it as an import does, by its path, or a member as `member:NAME`"))
    }
}
