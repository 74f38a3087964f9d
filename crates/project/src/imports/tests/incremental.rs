//! What is kept: it answers where nothing changed, and nowhere else.

use std::os::unix::fs::PermissionsExt as _;

use bytekiln_action::Digest;
use proptest::prelude::*;

use super::{Tree, problems, render};
use crate::index::{FileIndex, IndexEntry, IndexedKind};
use crate::scan::Stamp;

const SOURCES: &str = "
    //- /mine/a.py
    import b
    //- /mine/b.py
    import pkg.c
    //- /mine/pkg/__init__.py
    //- /mine/pkg/c.py
    import a, missing
    ";

#[test]
fn a_second_load_reads_nothing_and_a_third_not_even_lists() {
    let tree = Tree::new(SOURCES);
    tree.age();
    let first = tree.load();
    assert_eq!((first.sources, first.read, first.kept), (4, 4, false));
    let second = tree.load();
    assert_eq!((second.sources, second.read, second.kept), (4, 0, true));
    assert_eq!(second.graph, first.graph);
    // A change reads what changed, and nothing else.
    tree.write("a.py", "import pkg");
    tree.age();
    let third = tree.load();
    assert_eq!((third.read, third.kept), (1, false));
    assert_eq!(third.graph, tree.fresh().graph);
    // Going back reads the file, and takes its imports from the store.
    tree.write("a.py", "import b\n");
    tree.age();
    assert_eq!(tree.load().graph, first.graph);
    assert!(tree.load().kept);
}

#[test]
fn caches_beside_sources_are_no_change() {
    let tree = Tree::new(SOURCES);
    tree.age();
    tree.load();
    tree.write("pkg/__pycache__/c.cpython-314.pyc", "");
    tree.age();
    assert!(tree.load().kept);
    assert!(tree.load().kept);
    tree.write("pkg/new.py", "");
    assert!(!tree.load().kept);
}

/// The first load takes stamps where it reads, later ones where they list.
#[test]
fn whoever_takes_the_stamp_sees_what_can_be_run() {
    let tree = Tree::new(
        "
        //- /mine/tools/run.py
        #!/usr/bin/env python3
        import helper
        //- /mine/tools/helper.py
        ",
    );
    tree.age();
    let first = tree.load();
    assert!(tree.load().kept);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(tree.workspace.root.join("tools/run.py"), mode).unwrap();
    tree.age();
    let second = tree.load();
    assert!(!second.kept);
    assert_ne!(second.graph, first.graph);
    assert_eq!(second.graph, tree.fresh().graph);
}

#[test]
fn young_stamps_are_not_trusted() {
    let tree = Tree::new(SOURCES);
    tree.age();
    tree.load();
    // Written within the tick of the load or not: what was read last is what the graph says.
    for round in 0..20 {
        tree.write("a.py", if round % 2 == 0 { "import x1" } else { "import x2" });
        assert_eq!(tree.load().graph, tree.fresh().graph, "round {round}");
    }
}

#[test]
fn options_have_graphs_of_their_own_and_few_are_kept() {
    let mut tree = Tree::new(SOURCES);
    tree.age();
    for round in 0..9 {
        tree.workspace.graph.generated = vec![format!("name{round}")];
        assert!(!tree.load().kept);
        assert!(tree.load().kept);
    }
    let names = std::fs::read_dir(&tree.state_dir).unwrap().filter_map(Result::ok);
    let graphs = names.filter(|entry| entry.file_name().to_string_lossy().starts_with("graph-"));
    assert_eq!(graphs.count(), 6);
}

#[test]
fn damage_is_told_and_mended() {
    for name in ["seen", "imports", "graph-"] {
        let tree = Tree::new(SOURCES);
        tree.age();
        let first = tree.load();
        let entries = std::fs::read_dir(&tree.state_dir).unwrap().filter_map(Result::ok);
        let file = entries
            .map(|entry| entry.path())
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name))
            .unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        std::fs::write(&file, bytes).unwrap();
        if name != "graph-" {
            tree.write("new.py", "import a");
            tree.age();
        }
        let second = tree.load();
        assert!(!second.kept);
        assert!(problems(&second).contains("is ignored: it is damaged"), "{name}");
        assert_eq!(second.graph, tree.fresh().graph);
        assert!(name != "graph-" || second.graph == first.graph);
        let third = tree.load();
        assert_eq!(problems(&third), "");
        assert_eq!((third.graph, third.read), (second.graph, 0));
    }
}

/// Whatever the file index of a build says of a file that has changed since.
#[test]
fn digests_are_of_what_is_there() {
    let tree = Tree::new(SOURCES);
    tree.age();
    let check = || {
        for (_, node) in tree.load().graph.nodes() {
            let Some((_, path)) = &node.file else { continue };
            let file = crate::path::absolute(&tree.workspace.root, path);
            let digest = Digest::of(&std::fs::read(file).unwrap());
            assert_eq!(node.digest.as_deref(), Some(&digest), "{path}");
        }
    };
    check();
    let entries = ["a.py", "b.py"].map(|name| {
        let path = super::path(name);
        let stat = rustix::fs::stat(tree.workspace.root.join(name)).unwrap();
        // Tells where the digest came from.
        let digest = Digest::of(b"another");
        IndexEntry { path, stamp: Stamp::of(&stat), kind: IndexedKind::Source, digest }
    });
    FileIndex { entries: entries.into() }.write(&tree.state_dir.join("index")).unwrap();
    tree.write("a.py", "import pkg");
    tree.age();
    let loaded = tree.load();
    let digest = |name| {
        let id = loaded.graph.find_file(0, &super::path(name)).unwrap();
        loaded.graph.node(id).unwrap().digest.as_deref().copied()
    };
    assert_eq!(digest("a.py"), Some(Digest::of(b"import pkg")));
    assert_eq!(digest("b.py"), Some(Digest::of(b"another")));
}

/// A state folder that this load makes in the workspace changes the workspace's own folder.
#[test]
fn a_first_load_is_kept_though_it_makes_the_state_folder() {
    let mut tree = Tree::new(SOURCES);
    tree.state_dir = tree.workspace.root.join(".bytekiln");
    tree.age();
    assert!(!tree.load().kept);
    assert!(tree.load().kept);
    tree.write("new.py", "");
    assert!(!tree.load().kept);
}

#[test]
fn a_state_folder_that_cannot_be_made_is_said_and_costs_nothing_else() {
    let mut tree = Tree::new(SOURCES);
    tree.write("file", "");
    tree.state_dir = tree.workspace.root.join("file/state");
    let loaded = tree.load();
    assert!(loaded.state_trouble.is_some());
    assert_eq!(loaded.graph, tree.fresh().graph);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Whatever is written and removed between loads, kept state changes nothing.
    #[test]
    fn kept_is_fresh(edits in proptest::collection::vec((0..6_usize, 0..6_usize, any::<bool>()), 1..10)) {
        const FILES: [&str; 6] =
            ["a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "pkg/c.pyi", "pkg/d/e.py"];
        const CONTENTS: [&str; 6] =
            ["", "import a", "import b, pkg.c", "from pkg import c, d", "import pkg.d.e", "x = ("];
        let tree = Tree::new(SOURCES);
        for (file, content, age) in edits {
            let target = tree.workspace.root.join(FILES[file]);
            if content == 0 && target.exists() {
                std::fs::remove_file(target).unwrap();
            } else {
                tree.write(FILES[file], CONTENTS[content]);
            }
            if age {
                tree.age();
            }
            let (kept, fresh) = (tree.load(), tree.fresh());
            prop_assert_eq!(render(&kept.graph), render(&fresh.graph));
            prop_assert_eq!(kept.graph, fresh.graph);
            prop_assert_eq!(kept.problems, fresh.problems);
        }
    }
}
