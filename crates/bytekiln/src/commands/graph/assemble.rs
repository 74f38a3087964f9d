//! From a graph to the part of it that is shown. Knows nothing of forms.

use std::path::Path;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Graph, NodeId, Which};

use super::cyclic::Cycles;
use super::document::{AmbiguityRow, EdgeRow, Focus, GraphDocument, ModuleRow, OwnerRow, word};
use super::focus::focus;
use super::rows::EdgeRows;
use crate::arguments::{FollowChoice, GraphArguments};
use crate::failure::CommandFailure;
use crate::imports::OpenGraph;
use crate::report::terminal::Terminal;

/// Takes what was asked for, and numbers it.
pub(super) fn assemble<'a>(
    open: &'a OpenGraph,
    arguments: &'a GraphArguments,
    terminal: &Terminal,
) -> Result<GraphDocument<'a>, CommandFailure> {
    let graph = open.graph();
    let (inside, asked) = focus(open, arguments, terminal)?;
    let mut numbers = vec![None; graph.len()];
    let mut modules = Vec::new();
    for (((id, node), inside), number) in graph.nodes().zip(&inside).zip(&mut numbers) {
        if *inside {
            *number = u32::try_from(modules.len()).ok();
            modules.push(ModuleRow {
                node: id,
                name: &node.name,
                kind: node.kind,
                owner: node.owner,
                file: node.file.as_ref().map(|(tree, path)| (*tree, path)),
                group: None,
            });
        }
    }
    let number = |id: NodeId| numbers.get(id.number() as usize).copied().flatten();
    let which = open.imports.unwrap_or(Which::All);
    let edges = match which {
        Which::All if modules.len() == graph.len() => EdgeRows::Whole(graph),
        _ => EdgeRows::Picked(edges_of(graph, &modules, which, &number)),
    };
    let ambiguities = graph.ambiguities().iter().filter_map(|ambiguity| {
        Some(AmbiguityRow {
            chosen: number(ambiguity.chosen)?,
            hidden: number(ambiguity.hidden)?,
            kind: ambiguity.kind,
        })
    });
    let ambiguities = ambiguities.collect();
    let focus = asked
        .into_iter()
        .map(|asked| Focus {
            direction: asked.option,
            text: asked.text,
            modules: asked.nodes.into_iter().filter_map(number).collect(),
        })
        .collect();
    let owners = graph.owners().iter();
    let mut document = GraphDocument {
        python: open.target.release.to_string(),
        platform: open.target.platform.sys_platform.as_deref(),
        follow: match arguments.selection.follow {
            FollowChoice::Workspace => "workspace",
            FollowChoice::Installed => "installed",
            FollowChoice::All => "all",
        },
        imports: word(which),
        by: "module",
        focus,
        title: last(&open.workspace.root),
        trees: open
            .loaded
            .trees
            .iter()
            .map(|tree| shown(&open.workspace.root, &tree.folder))
            .collect(),
        owners: owners.map(|owner| OwnerRow { name: &owner.name, kind: owner.kind }).collect(),
        modules,
        edges,
        groups: Vec::new(),
        group_edges: Vec::new(),
        cycles: Cycles::of(graph, numbers),
        ambiguities,
        problems: &open.loaded.problems,
    };
    if let Some(by) = arguments.by {
        super::group::group(&mut document, by, arguments.depth);
    }
    Ok(document)
}

/// The imports that count, from and to modules that are shown.
fn edges_of(
    graph: &Graph,
    modules: &[ModuleRow<'_>],
    which: Which,
    number: &impl Fn(NodeId) -> Option<u32>,
) -> Vec<EdgeRow> {
    let mut edges = Vec::new();
    for (from, module) in (0_u32..).zip(modules) {
        for (_, edge) in graph.imports(module.node) {
            if which.follows(edge.kinds)
                && let Some(to) = number(edge.to)
            {
                edges.push(EdgeRow {
                    from,
                    to,
                    line: edge.line,
                    column: edge.column,
                    kinds: edge.kinds,
                });
            }
        }
    }
    edges
}

fn last(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

fn shown(root: &Path, folder: &Path) -> String {
    match folder.strip_prefix(root) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => RepoPath::new(below.as_os_str().as_encoded_bytes())
            .map_or_else(|| below.to_string_lossy().into_owned(), |path| path.to_string()),
        Err(_) => crate::schema::path_text(folder),
    }
}
