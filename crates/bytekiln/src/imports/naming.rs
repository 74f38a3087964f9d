//! Names of modules and places of imports, for people. Knows nothing of what is asked about them.

use bytekiln_graph::{EdgeId, NodeId, NodeKind};

use super::OpenGraph;

impl OpenGraph {
    /// The dotted name of a module, else its path.
    pub(crate) fn name(&self, id: NodeId) -> String {
        let Some(node) = self.graph().node(id) else { return String::new() };
        match node.kind {
            NodeKind::Unresolved(_) if node.name.is_empty() => "(computed)".to_owned(),
            _ => node.name.to_string(),
        }
    }

    /// Where a module's file is: below the workspace, else absolute.
    pub(crate) fn path(&self, id: NodeId) -> Option<String> {
        let (tree, path) = self.graph().node(id)?.file.as_ref()?;
        let folder = &self.loaded.trees.get(*tree as usize)?.folder;
        if *tree == 0 {
            return Some(path.to_string());
        }
        let folder = folder.strip_prefix(&self.workspace.root).unwrap_or(folder);
        Some(format!("{}/{path}", folder.display()))
    }

    /// `src/app/main.py:12`: where an import is written.
    pub(crate) fn place(&self, id: EdgeId) -> String {
        let Some(edge) = self.graph().edge(id) else { return String::new() };
        let file = self.path(edge.from).unwrap_or_else(|| self.name(edge.from));
        if edge.line == 0 { file } else { format!("{file}:{}", edge.line) }
    }

    /// To whom a module belongs, by name.
    pub(crate) fn owner(&self, id: NodeId) -> Option<&str> {
        let owner = self.graph().node(id)?.owner?;
        self.graph().owners().get(owner as usize).map(|owner| owner.name.as_str())
    }
}
