//! Graphs as bytes: what comes back, and what broken bytes do.

use bytekiln_action::Digest;
use proptest::prelude::*;

use super::*;
use crate::tests::Workspace;
use crate::{Change, Direction, Which};

const TEXT: &str = "
    owner one member = one, shared, std, site
    owner two member = two, shared, std
    owner site distribution = std, site
    external numpy two
    generated one.made.*
    script one/run.py
    deleted two/gone.py
    //- /one/company/a.py
    from company import b, x
    import numpy, missing, two.nothing, one.made.up
    import_module = __import__(name)
    //- /one/run.py
    import company.a, json, helper, os.path
    if TYPE_CHECKING:
        from . import nothing
    //- /one/helper.py
    //- /two/company/b.py
    from .c import d
    from ....far import away
    import helper, gone
    def f(): import company.a.deep
    //- /two/helper.py
    //- /two/gone.py
    //- /shared/company/c.py
    import company.b, typing, lib
    //- /shared/helper.py
    //- /shared/helper.pyi
    //- /shared/mod.v1.py
    import helper
    //- /site/lib/__init__.py
    from .fast import x
    //- /site/lib/fast.so
    ";

/// Asks everything that could go wrong with indices that lie.
fn question(graph: &Graph) {
    let every: Vec<NodeId> = graph.nodes().map(|(id, _)| id).collect();
    let _ = graph.closure(&every, Which::All);
    let _ = graph.reach(&every, Direction::Dependents, Which::Eager);
    let _ = graph.cycles(Which::All);
    let _ = graph.why(&every, &every, Which::All);
    let _ = graph.fingerprints(Which::All);
    let _ = graph.owner_fingerprints(Which::All);
    let _ = graph.most_imported(Which::All);
    let _ = graph.owner_imports(Which::All);
    for (_, node) in graph.nodes() {
        if let Some((tree, path)) = &node.file {
            let change = Change { tree: *tree, path: path.clone(), modules: every.clone() };
            let _ = graph.affected(&[change], Which::All);
        }
    }
}

#[test]
fn graphs_round_trip() {
    let graph = Workspace::new(TEXT).graph();
    assert!(graph.len() > 20 && graph.edge_count() > 20 && !graph.ambiguities().is_empty());
    let bytes = graph.encode();
    assert_eq!(Graph::decode(&bytes), Ok(graph));
    for length in 0..bytes.len() {
        assert!(Graph::decode(&bytes[..length]).is_err(), "{length}");
    }
    assert!(Graph::decode(&[&bytes[..], b"\0"].concat()).is_err());
}

#[test]
fn the_graph_of_nothing_round_trips() {
    let made = Workspace::new("owner main member = ., std\n").graph();
    for graph in [Graph::default(), made] {
        assert_eq!(Graph::decode(&graph.encode()), Ok(graph));
    }
}

#[test]
fn far_lines_and_columns_round_trip() {
    let text = format!(
        "//- /a.py\n{}x = 1; {}import a\nimport b\n",
        "\n".repeat(70_000),
        " ".repeat(70_000)
    );
    let graph = Workspace::new(&text).graph();
    let edges: Vec<_> = graph.nodes().flat_map(|(id, _)| graph.imports(id)).collect();
    assert_eq!((edges[0].1.line, edges[0].1.column), (70_001, 70_008));
    assert_eq!(Graph::decode(&graph.encode()), Ok(graph));
}

/// A count that the bytes do not hold must not be allocated.
#[test]
fn lies_about_counts_are_found() {
    let bytes = Workspace::new(TEXT).graph().encode();
    for at in (8..20).step_by(4) {
        for lie in [u32::MAX, 1 << 31, 1 << 28] {
            let mut bytes = bytes.clone();
            bytes[at..at + 4].copy_from_slice(&lie.to_le_bytes());
            assert_eq!(Graph::decode(&bytes), Err(DecodeError));
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_a_sound_graph() {
    let bytes = Workspace::new(TEXT).graph().encode();
    let mut sound = 0;
    for at in 0..bytes.len() {
        for bit in [1, 0x10, 0x80] {
            let mut bytes = bytes.clone();
            bytes[at] ^= bit;
            if let Ok(graph) = Graph::decode(&bytes) {
                question(&graph);
                assert_eq!(graph.encode(), bytes, "byte {at}");
                sound += 1;
            }
        }
    }
    assert!(sound > 100, "only {sound}: the questions were hardly asked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_numbers_decode_or_not(numbers in proptest::collection::vec(prop_oneof![0_u32..4, any::<u32>()], 0..60)) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        if let Ok(graph) = Graph::decode(&bytes) {
            question(&graph);
            prop_assert_eq!(graph.encode(), bytes);
        }
    }

    #[test]
    fn made_up_graphs_round_trip(
        names in proptest::collection::vec("[a-z.é]{0,12}", 1..20),
        edges in proptest::collection::vec((0_usize..20, 0_u32..20, any::<u32>(), any::<u32>(), 0_u16..1 << 14), 0..60),
        digests in proptest::collection::vec(proptest::option::of(any::<u64>()), 20),
    ) {
        let count = names.len();
        let mut graph = Graph { files: count / 2, ..Graph::default() };
        for (at, name) in names.iter().enumerate() {
            let is_file = at < graph.files;
            graph.nodes.push(Node {
                kind: KINDS[at % KINDS.len()],
                name: name.as_str().into(),
                owner: None,
                file: is_file.then(|| (at as u32, RepoPath::new(format!("f{at}").as_bytes()).unwrap())),
                digest: digests[at].filter(|_| is_file).map(|size| Box::new(Digest { size, ..Digest::of(name.as_bytes()) })),
            });
        }
        let mut edges = edges;
        edges.iter_mut().for_each(|edge| (edge.0, edge.1) = (edge.0 % count, edge.1 % count as u32));
        edges.sort_unstable();
        graph.offsets = (0..=count).map(|node| edges.partition_point(|edge| edge.0 < node) as u32).collect();
        graph.edges = edges
            .iter()
            .map(|edge| Edge {
                from: NodeId(edge.0 as u32),
                to: NodeId(edge.1),
                line: edge.2,
                column: edge.3,
                kinds: Kinds::from_bits(edge.4),
            })
            .collect();
        prop_assert_eq!(Graph::decode(&graph.encode()), Ok(graph));
    }
}
