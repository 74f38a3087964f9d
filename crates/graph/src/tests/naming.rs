//! Names of files: packages, namespaces, roots in roots, scripts.

use expect_test::expect;

use super::Workspace;

#[track_caller]
fn check(text: &str, expected: expect_test::Expect) {
    let graph = Workspace::new(text).graph();
    let mut shown = String::new();
    for (_, node) in graph.nodes().filter(|(_, node)| node.file.is_some()) {
        let (_, path) = node.file.as_ref().unwrap();
        shown.push_str(&format!("{path} {} {}\n", node.kind.word(), node.name));
    }
    expected.assert_eq(&shown);
}

#[test]
fn nearest_root_names_a_file() {
    check(
        "
        owner main member = ., lib/src, std
        //- /tool.py
        //- /mod.v1.py
        //- /lib/src/pkg/__init__.py
        //- /lib/src/pkg/__main__.py
        //- /lib/src/pkg/sub/deep.py
        //- /lib/src/pkg/_speed.cpython-313-x86_64-linux-gnu.so
        //- /lib/src/pkg/_speed.pyi
        //- /lib/tests/test_pkg.py
        //- /a.b/c.py
        //- /data/empty
        ",
        expect![[r#"
            a.b/c.py unimportable a.b/c.py
            data/empty namespace data.empty
            lib/src/pkg/__init__.py package pkg
            lib/src/pkg/__main__.py module pkg.__main__
            lib/src/pkg/_speed.cpython-313-x86_64-linux-gnu.so extension pkg._speed
            lib/src/pkg/_speed.pyi stub pkg._speed
            lib/src/pkg/sub/deep.py module pkg.sub.deep
            lib/tests/test_pkg.py module lib.tests.test_pkg
            mod.v1.py unimportable mod.v1.py
            tool.py module tool
        "#]],
    );
}

#[test]
fn files_below_no_root() {
    check(
        "
        owner main member = src, std
        script /tools/run.py
        script tools/run.py
        //- /src/app.py
        //- /tools/run.py
        //- /tools/helper.py
        //- /elsewhere/x.py
        ",
        expect![[r#"
            elsewhere/x.py unimportable elsewhere/x.py
            src/app.py module app
            tools/helper.py module helper
            tools/run.py module run
        "#]],
    );
}
