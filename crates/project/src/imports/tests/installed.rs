//! What lies beside a workspace.

use expect_test::{Expect, expect};

use super::{Follow, Tree, render};

const SITE: &str = "
    //- /mine/app.py
    import flat, google.cloud.storage, google.cloud.other, loose, typing, flat.sub
    import linked, old
    //- /site/flat/__init__.py
    import loose
    //- /site/flat/sub.py
    //- /site/Flat-1.0.dist-info/METADATA
    Name: Flat
    //- /site/Flat-1.0.dist-info/RECORD
    flat/__init__.py,sha256=x,1
    flat/sub.py,,
    ../../bin/flat,,
    //- /site/google/cloud/storage/__init__.py
    import google.cloud.other
    //- /site/google_cloud_storage-2.0.dist-info/METADATA
    Name: google-cloud-storage
    //- /site/google_cloud_storage-2.0.dist-info/RECORD
    google/cloud/storage/__init__.py,,
    //- /site/google/cloud/other.py
    //- /site/google_cloud_other-2.0.dist-info/METADATA
    Name: google-cloud-other
    //- /site/google_cloud_other-2.0.dist-info/RECORD
    google/cloud/other.py,,
    //- /site/old/__init__.py
    //- /site/old-1.0-py3.14.egg-info/PKG-INFO
    Name: Old
    //- /site/old-1.0-py3.14.egg-info/top_level.txt
    old
    //- /site/loose.py
    //- /site/paths.pth
    # a comment
    import sys; sys.path.append('/nowhere')
    ../beside
    missing
    //- /beside/linked.py
    import flat
    //- /lib/typing.py
    import sys, _thing
    //- /lib/lib-dynload/_thing.cpython-314-x86_64-linux-gnu.so
    //- /lib/site-packages/no.py
    //- /lib/test/__init__.py
    ";

fn check(follow: Follow, expected: &Expect) {
    let mut tree = Tree::new(SITE);
    tree.environment.site = vec![tree.base().join("site")];
    tree.environment.standard_library = Some(tree.base().join("lib"));
    tree.follow = follow;
    let loaded = tree.load();
    expected.assert_eq(&render(&loaded.graph));
    tree.age();
    tree.load();
    let kept = tree.load();
    assert!(kept.kept);
    assert_eq!((kept.graph, kept.trees), (loaded.graph, loaded.trees));
}

#[test]
fn names_of_what_is_installed() {
    check(
        Follow::Workspace,
        &expect![[r#"
        module app tree → typing:1 → flat:1 → google.cloud.other:1 → google.cloud.storage:1 → loose:1 → linked:2 → old:2
        standard-library typing -
        external flat Flat
        external google.cloud.other google-cloud-other
        external google.cloud.storage google-cloud-storage
        external linked linked
        external loose loose
        external old Old
    "#]],
    );
}

#[test]
fn sources_of_what_is_installed() {
    check(
        Follow::Installed,
        &expect![[r#"
        module app tree → flat@1:1 → flat.sub@1:1 → google.cloud.other@1:1 → google.cloud.storage@1:1 → loose@1:1 → typing:1 → old@1:2 → linked@2:2
        package flat Flat → loose@1:1
        module flat.sub Flat
        module google.cloud.other google-cloud-other
        package google.cloud.storage google-cloud-storage → google.cloud.other@1:1
        module loose loose
        package old Old
        module linked linked → flat@1:1
        namespace google -
        namespace google.cloud -
        standard-library typing -
    "#]],
    );
}

#[test]
fn sources_of_the_standard_library() {
    check(
        Follow::All,
        &expect![[r#"
        module app tree → flat@1:1 → flat.sub@1:1 → google.cloud.other@1:1 → google.cloud.storage@1:1 → loose@1:1 → typing@3:1 → old@1:2 → linked@2:2
        package flat Flat → loose@1:1
        module flat.sub Flat
        module google.cloud.other google-cloud-other
        package google.cloud.storage google-cloud-storage → google.cloud.other@1:1
        module loose loose
        package old Old
        module linked linked → flat@1:1
        extension _thing standard library
        package test standard library
        module typing standard library → _thing@3:1 → sys:1
        namespace google -
        namespace google.cloud -
        standard-library sys -
    "#]],
    );
}

#[test]
fn an_editable_installation_of_a_member_is_the_member() {
    let mut tree = Tree::new(
        "
        //- /mine/lib/src/lib/__init__.py
        //- /mine/app.py
        import lib, lib.missing
        //- /site/lib-1.dist-info/METADATA
        Name: lib
        //- /site/lib-1.dist-info/top_level.txt
        lib
        //- /site/lib-1.dist-info/direct_url.json
        {\"url\": \"file://WORK/lib\", \"dir_info\": {\"editable\": true}}
        //- /site/__editable__.lib.pth
        WORK/lib/src
        ",
    );
    for file in ["lib-1.dist-info/direct_url.json", "__editable__.lib.pth"] {
        let file = tree.base().join("site").join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        let work = tree.workspace.root.to_str().unwrap();
        std::fs::write(&file, text.replace("WORK", work)).unwrap();
    }
    tree.environment.site = vec![tree.base().join("site")];
    expect![[r#"
        module app tree → lib@0:1 → lib@0:1 → lib.missing:1
        package lib tree
        unresolved lib.missing -
    "#]]
    .assert_eq(&render(&tree.load().graph));
}

#[test]
fn a_change_of_what_is_installed_is_seen() {
    let mut tree = Tree::new(
        "
        //- /mine/app.py
        import extra
        //- /site/flat.py
        ",
    );
    tree.environment.site = vec![tree.base().join("site")];
    tree.age();
    tree.load();
    assert!(tree.load().kept);
    super::write(&tree.base().join("site/extra.py"), "");
    let loaded = tree.load();
    assert!(!loaded.kept);
    assert!(render(&loaded.graph).contains("external extra extra"));
}
