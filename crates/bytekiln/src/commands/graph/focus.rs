//! Which modules were asked for: `--from`, `--to`, `--around`, `--internal`. Knows nothing of how they
//! are shown.

use bytekiln_graph::{Direction, Graph, NodeId, OwnerKind, Which};

use crate::arguments::GraphArguments;
use crate::failure::CommandFailure;
use crate::imports::OpenGraph;
use crate::report::terminal::Terminal;

/// What was typed after one option, and which modules it means.
pub(super) struct Asked<'a> {
    pub(super) option: &'static str,
    pub(super) text: &'a str,
    pub(super) nodes: Vec<NodeId>,
}

/// Which modules are in, by node; and what was asked.
///
/// Words after one option add to each other; options narrow each other, so that `--from a --to b` is
/// what lies on the ways from `a` to `b`.
pub(super) fn focus<'a>(
    open: &OpenGraph,
    arguments: &'a GraphArguments,
    terminal: &Terminal,
) -> Result<(Vec<bool>, Vec<Asked<'a>>), CommandFailure> {
    let graph = open.graph();
    let which = open.imports.unwrap_or(Which::Runtime);
    let mut inside = vec![true; graph.len()];
    let mut asked = Vec::new();
    for option in ["from", "to", "around"] {
        let (texts, directions, distance) = match option {
            "from" => (&arguments.from, &[Direction::Dependencies][..], arguments.distance),
            "to" => (&arguments.to, &[Direction::Dependents][..], arguments.distance),
            _ => (
                &arguments.around,
                &[Direction::Dependencies, Direction::Dependents][..],
                Some(arguments.distance.unwrap_or(1)),
            ),
        };
        if texts.is_empty() {
            continue;
        }
        let mut starts = Vec::new();
        for text in texts {
            let nodes = open.select(text)?;
            if let Some(several) = open.several(text, &nodes) {
                terminal.warning(several);
            }
            starts.extend_from_slice(&nodes);
            asked.push(Asked { option, text, nodes });
        }
        let mut reached = vec![false; graph.len()];
        for direction in directions {
            match distance {
                None => mark(&mut reached, &graph.reach(&starts, *direction, which)),
                Some(limit) => within(graph, &starts, *direction, which, limit, &mut reached),
            }
        }
        for (inside, reached) in inside.iter_mut().zip(reached) {
            *inside &= reached;
        }
    }
    if arguments.internal {
        for ((_, node), inside) in graph.nodes().zip(&mut inside) {
            let owner = node.owner.and_then(|owner| graph.owners().get(owner as usize));
            *inside &= owner.is_some_and(|owner| owner.kind == OwnerKind::Member);
        }
    }
    Ok((inside, asked))
}

fn mark(set: &mut [bool], nodes: &[NodeId]) {
    for node in nodes {
        if let Some(place) = set.get_mut(node.number() as usize) {
            *place = true;
        }
    }
}

/// Marks what is at most so many imports away. The package around a module is none away.
fn within(
    graph: &Graph,
    starts: &[NodeId],
    direction: Direction,
    which: Which,
    limit: usize,
    reached: &mut [bool],
) {
    let mut seen = vec![false; graph.len()];
    mark(&mut seen, starts);
    let mut ring = starts.to_vec();
    for _ in 0..limit {
        let mut next = Vec::new();
        for node in ring.drain(..) {
            for other in graph.neighbours(node, direction, which) {
                if let Some(place @ false) = seen.get_mut(other.number() as usize) {
                    *place = true;
                    next.push(other);
                }
            }
        }
        if next.is_empty() {
            break;
        }
        ring = next;
    }
    for (reached, seen) in reached.iter_mut().zip(seen) {
        *reached |= seen;
    }
}
