//! The same graph whatever the order of the input and the parts that it is resolved in.

use proptest::prelude::*;

use super::Workspace;
use super::fixture::render;
use crate::{Graph, Index, PathEntry, Which};

const TEXT: &str = "
    owner one member = one, shared, std
    owner two member = two, shared, std
    owner shared member = shared, std
    external numpy two
    script one/run.py
    //- /one/company/a.py
    from company import b, x
    import numpy, missing, two.nothing
    //- /one/run.py
    import company.a, json, helper
    //- /one/helper.py
    //- /two/company/b.py
    from .c import d
    import helper
    //- /two/helper.py
    //- /shared/company/c.py
    import company.b, typing
    //- /shared/helper.py
    //- /shared/mod.v1.py
    import helper
    ";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn order_and_parts_do_not_matter(
        files in Just((0..8usize).collect::<Vec<_>>()).prop_shuffle(),
        roots in Just((0..3usize).collect::<Vec<_>>()).prop_shuffle(),
        cuts in proptest::collection::vec(0..9usize, 0..4),
        turn in any::<bool>(),
    ) {
        let workspace = Workspace::new(TEXT);
        let plain = workspace.sources();
        let expected = Graph::build(&plain);
        let mut shuffled = plain.clone();
        shuffled.files = files.iter().map(|at| plain.files[*at].clone()).collect();
        shuffled.roots = roots.iter().map(|at| plain.roots[*at].clone()).collect();
        for owner in &mut shuffled.owners {
            for entry in &mut owner.path {
                if let PathEntry::Root(root) = entry {
                    let at = roots.iter().position(|old| *old == *root as usize).unwrap();
                    *root = u32::try_from(at).unwrap();
                }
            }
        }
        let index = Index::new(&shuffled);
        let mut cuts = cuts;
        cuts.extend([0, index.len()]);
        cuts.sort_unstable();
        let mut parts: Vec<_> = cuts.windows(2).map(|pair| index.resolve(pair[0]..pair[1])).collect();
        if turn {
            parts.reverse();
        }
        let mut found = Graph::new(&index, parts, |parts, settle| parts.iter_mut().rev().for_each(settle));
        prop_assert_eq!(render(&found), render(&expected));
        prop_assert_eq!(found.fingerprints(Which::All), expected.fingerprints(Which::All));
        found.owners.clone_from(&expected.owners); // they hold indices of roots
        prop_assert_eq!(found, expected);
    }
}
