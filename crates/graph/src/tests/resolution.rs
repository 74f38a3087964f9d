//! What imports find: as CPython's import system does.

use expect_test::expect;

use super::check;

#[test]
fn packages_run_before_what_is_in_them() {
    check(
        "
        //- /a/__init__.py
        //- /a/b/__init__.py
        //- /a/b/c.py
        //- /main.py
        import a.b.c
        import a.b as d, a.missing
        import a.b.c.deeper
        import os.path, xml.etree.ElementTree, nothing.at_all
        ",
        expect![[r#"
            main.py:1 -> a/b/c.py
            main.py:2 -> a/b/__init__.py
            main.py:2 -> unresolved a.missing (no-submodule)
            main.py:3 -> unresolved a.b.c.deeper (not-a-package)
            main.py:4 -> standard-library os
            main.py:4 -> standard-library xml.etree.ElementTree
            main.py:4 -> unresolved nothing.at_all (not-found)
        "#]],
    );
}

#[test]
fn name_or_submodule() {
    check(
        "
        //- /pkg/__init__.py
        from . import own
        from .core import core
        import pkg.absolute
        value = 1
        def clash(): pass
        //- /pkg/own.py
        //- /pkg/core.py
        //- /pkg/absolute.py
        //- /pkg/clash.py
        //- /pkg/plain.py
        //- /user.py
        from pkg import own, core, absolute, value, clash, plain, unknown
        from plainmodule import anything
        from email import message, message_from_string
        //- /plainmodule.py
        ",
        expect![[r#"
            pkg/__init__.py:1 -> pkg/own.py [relative]
            pkg/__init__.py:2 -> pkg/core.py [name, unbound, relative]
            pkg/__init__.py:3 -> pkg/absolute.py
            user.py:1 -> pkg/__init__.py [name]
            user.py:1 -> pkg/__init__.py [name, unbound]
            user.py:1 -> pkg/absolute.py
            user.py:1 -> pkg/own.py
            user.py:1 -> pkg/plain.py
            user.py:2 -> plainmodule.py [name, unbound]
            user.py:3 -> standard-library email [name]
            user.py:3 -> standard-library email.message
            NameAndModule: pkg/__init__.py, not pkg/clash.py
        "#]],
    );
}

#[test]
fn relative_by_level() {
    check(
        "
        //- /pkg/__init__.py
        from .sub import mod
        from .. import outside
        //- /pkg/sub/__init__.py
        from . import mod
        //- /pkg/sub/mod.py
        from . import other
        from .. import sub
        from ..sub.other import name
        from ... import beyond
        from .nothing import x
        //- /pkg/sub/other.py
        //- /top.py
        from . import sibling
        from .sibling import name
        //- /sibling.py
        ",
        expect![[r#"
            pkg/__init__.py:1 -> pkg/sub/mod.py [relative]
            pkg/__init__.py:2 -> unresolved .. (beyond-top-level) [relative]
            pkg/sub/__init__.py:1 -> pkg/sub/mod.py [relative]
            pkg/sub/mod.py:1 -> pkg/sub/other.py [relative]
            pkg/sub/mod.py:2 -> pkg/sub/__init__.py [relative]
            pkg/sub/mod.py:3 -> pkg/sub/other.py [name, unbound, relative]
            pkg/sub/mod.py:4 -> unresolved ... (beyond-top-level) [relative]
            pkg/sub/mod.py:5 -> unresolved pkg.sub.nothing (no-submodule) [relative]
            top.py:1 -> unresolved . (no-package) [relative]
            top.py:2 -> unresolved .sibling (no-package) [relative]
        "#]],
    );
}

#[test]
fn stars() {
    check(
        "
        //- /pkg/__init__.py
        __all__ = ['one', 'two', 'here']
        here = 1
        //- /pkg/one.py
        //- /pkg/two.py
        //- /pkg/three.py
        //- /user.py
        from pkg import *
        from pkg.one import *
        ",
        expect![[r#"
            user.py:1 -> pkg/__init__.py [star]
            user.py:1 -> pkg/one.py [star]
            user.py:1 -> pkg/two.py [star]
            user.py:2 -> pkg/one.py [star]
        "#]],
    );
}

#[test]
fn namespaces_join_across_roots() {
    check(
        "
        owner one member = one, two, std
        owner two member = two, one, std
        //- /one/company/billing/__init__.py
        //- /two/company/shop.py
        from company import billing, nothing
        import company.billing, company.gone
        from . import shop
        from .billing import x
        //- /one/main.py
        import company
        from company import shop
        ",
        expect![[r#"
            one/main.py:1 -> namespace company
            one/main.py:2 -> two/company/shop.py
            two/company/shop.py:1 -> one/company/billing/__init__.py
            two/company/shop.py:1 -> unresolved company.nothing (no-submodule)
            two/company/shop.py:2 -> one/company/billing/__init__.py
            two/company/shop.py:2 -> unresolved company.gone (no-submodule)
            two/company/shop.py:3 -> two/company/shop.py [relative]
            two/company/shop.py:4 -> one/company/billing/__init__.py [name, unbound, relative]
        "#]],
    );
}

#[test]
fn a_regular_package_hides_namespaces() {
    check(
        "
        owner one member = one, two, three, std
        //- /one/company/billing.py
        //- /two/company/__init__.py
        //- /two/company/shop.py
        //- /three/company/tax.py
        //- /one/main.py
        from company import shop, billing, tax
        import company.billing
        ",
        expect![[r#"
            one/main.py:1 -> two/company/__init__.py [name, unbound]
            one/main.py:1 -> two/company/shop.py
            one/main.py:2 -> unresolved company.billing (no-submodule)
        "#]],
    );
}

#[test]
fn kinds_of_files_in_one_folder() {
    check(
        "
        //- /a/__init__.py
        //- /a.py
        //- /b.py
        //- /b.abi3.so
        //- /c/x.py
        //- /c.py
        //- /d.pyi
        //- /e.py
        //- /e.pyi
        import d, e
        //- /f.pyi
        import e, b
        //- /main.py
        import a, b, c, c.x, d, e
        ",
        expect![[r#"
            e.pyi:1 -> d.pyi [type-checking]
            e.pyi:1 -> e.pyi [type-checking]
            f.pyi:1 -> b.abi3.so [type-checking]
            f.pyi:1 -> e.pyi [type-checking]
            main.py:1 -> a/__init__.py
            main.py:1 -> b.abi3.so
            main.py:1 -> c.py
            main.py:1 -> d.pyi
            main.py:1 -> e.py
            main.py:1 -> unresolved c.x (not-a-package)
            SameFolder: a/__init__.py, not a.py
            SameFolder: b.abi3.so, not b.py
        "#]],
    );
}

#[test]
fn when_imports_run() {
    check(
        "
        python 15
        //- /a.py
        import sys
        from typing import TYPE_CHECKING
        __lazy_modules__ = ['json', 'pkg']
        import json
        from pkg import sub
        lazy import csv
        if TYPE_CHECKING:
            import decimal
        def f():
            import json.decoder
        try:
            import fast
        except ImportError:
            import slow as fast
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli
        if sys.platform == 'win32':
            import winreg
        if sys.argv:
            import shlex
        if __name__ == '__main__':
            import pkg.sub
        if 0:
            import never
        //- /pkg/__init__.py
        //- /pkg/sub.py
        ",
        expect![[r#"
            a.py:1 -> standard-library sys
            a.py:2 -> standard-library typing [name]
            a.py:4 -> standard-library json [lazy]
            a.py:5 -> pkg/sub.py [lazy]
            a.py:6 -> standard-library csv [lazy]
            a.py:8 -> standard-library decimal [type-checking]
            a.py:10 -> standard-library json.decoder [function]
            a.py:12 -> unresolved fast (not-found) [optional]
            a.py:14 -> unresolved slow (not-found) [conditional, fallback]
            a.py:16 -> standard-library tomllib
            a.py:18 -> unresolved tomli (not-found) [conditional, never]
            a.py:20 -> standard-library winreg [conditional, never]
            a.py:22 -> standard-library shlex [conditional]
            a.py:24 -> pkg/sub.py [main]
            a.py:26 -> unresolved never (not-found) [never]
        "#]],
    );
}

#[test]
fn lazy_modules_are_eager_before_3_15() {
    check(
        "
        python 14
        //- /a.py
        __lazy_modules__ = ['json']
        import json
        ",
        expect![[r#"
            a.py:2 -> standard-library json
        "#]],
    );
}

#[test]
fn dynamic() {
    check(
        "
        strings on
        //- /pkg/__init__.py
        import importlib, runpy, pytest
        importlib.import_module('pkg.a')
        importlib.import_module('.b', __package__)
        importlib.import_module('.b', package='pkg')
        importlib.import_module('.b', __name__)
        importlib.import_module('.b')
        importlib.import_module('...b', 'pkg')
        importlib.import_module(name)
        __import__('pkg.a')
        runpy.run_module('tool')
        pytest.importorskip('numpy')
        APPS = ['pkg.a', 'pkg.b.Config', 'not.there', 'pkg.nothing']
        //- /pkg/a.py
        //- /pkg/b.py
        //- /tool/__init__.py
        //- /tool/__main__.py
        ",
        expect![[r#"
            pkg/__init__.py:1 -> standard-library importlib
            pkg/__init__.py:1 -> standard-library runpy
            pkg/__init__.py:1 -> unresolved pytest (not-found)
            pkg/__init__.py:2 -> pkg/a.py [string]
            pkg/__init__.py:2 -> pkg/a.py [dynamic]
            pkg/__init__.py:3 -> pkg/b.py [dynamic, relative]
            pkg/__init__.py:4 -> pkg/b.py [dynamic, relative]
            pkg/__init__.py:5 -> pkg/b.py [dynamic, relative]
            pkg/__init__.py:6 -> unresolved .b (no-package) [dynamic]
            pkg/__init__.py:7 -> unresolved ...b (beyond-top-level) [dynamic, relative]
            pkg/__init__.py:8 -> unresolved  (computed) [dynamic, relative]
            pkg/__init__.py:9 -> pkg/a.py [string]
            pkg/__init__.py:9 -> pkg/a.py [dynamic]
            pkg/__init__.py:10 -> tool/__init__.py [dynamic]
            pkg/__init__.py:10 -> tool/__main__.py [dynamic]
            pkg/__init__.py:11 -> unresolved numpy (not-found) [optional, dynamic]
            pkg/__init__.py:12 -> pkg/a.py [string]
            pkg/__init__.py:12 -> pkg/b.py [string]
        "#]],
    );
}

#[test]
fn what_has_no_file() {
    check(
        "
        owner main member = ., std
        owner dist-storage distribution =
        owner dist-numpy distribution =
        external google.cloud.storage dist-storage
        external numpy dist-numpy
        generated app._version
        generated six.moves.*
        //- /app/__init__.py
        from app import _version
        from . import _version
        from ._version import version
        import google.cloud.storage.blob
        import google.cloud
        import google.auth
        from numpy import linalg
        import numpy.linalg
        from six.moves import urllib
        import six.moves.urllib.parse
        import pandas
        ",
        expect![[r#"
            app/__init__.py:1 -> generated app._version
            app/__init__.py:2 -> generated app._version [relative]
            app/__init__.py:3 -> generated app._version [relative]
            app/__init__.py:4 -> external google.cloud.storage (dist-storage)
            app/__init__.py:5 -> external google.cloud (dist-storage)
            app/__init__.py:6 -> unresolved google.auth (not-found)
            app/__init__.py:7 -> external numpy (dist-numpy)
            app/__init__.py:8 -> external numpy (dist-numpy)
            app/__init__.py:9 -> generated six.moves
            app/__init__.py:10 -> generated six.moves.urllib.parse
            app/__init__.py:11 -> unresolved pandas (not-found)
        "#]],
    );
}

#[test]
fn built_in_modules_cannot_be_hidden() {
    check(
        "
        owner main member = ., std
        //- /sys.py
        //- /time.py
        //- /random.py
        //- /a.py
        import sys, time, random
        ",
        expect![[r#"
            a.py:1 -> random.py
            a.py:1 -> standard-library sys
            a.py:1 -> standard-library time
            Shadowed: random.py, not standard-library random
        "#]],
    );
}

#[test]
fn files_of_the_standard_library() {
    check(
        "
        owner main member = app, lib, std
        owner lib standard = lib, std
        //- /app/main.py
        import os.path, json.decoder, sys, _json, tomllib
        //- /lib/os.py
        import posixpath as path
        //- /lib/json/__init__.py
        //- /lib/json/decoder.py
        from json import scanner
        //- /lib/json/scanner.py
        //- /lib/posixpath.py
        ",
        expect![[r#"
            app/main.py:1 -> lib/json/decoder.py
            app/main.py:1 -> lib/os.py
            app/main.py:1 -> standard-library _json
            app/main.py:1 -> standard-library sys
            app/main.py:1 -> standard-library tomllib
            lib/json/decoder.py:1 -> lib/json/scanner.py
            lib/os.py:1 -> lib/posixpath.py
        "#]],
    );
}

#[test]
fn hostile_names() {
    let mut source = String::from("import ");
    source.push_str(&"a.".repeat(50_000));
    source.push_str("a\n");
    for number in 0..10_000 {
        source.push_str(&format!("from {}x import y{number}\n", ".".repeat(number % 40)));
    }
    let text = format!("//- /p/q/m.py\n{source}//- /p/x.py\n");
    let graph = super::Workspace::new(&text).graph();
    // Three modules in packages, and 250 imports that run `p.q` before they fail.
    assert_eq!(graph.edge_count(), 10_001 + 3 + 250);
}

/// As `wcwidth` does it: the module is imported before a name of the same spelling is bound.
#[test]
fn an_init_sees_what_it_bound_before() {
    check(
        "
        //- /pkg/__init__.py
        from . import one as _module
        from ._one import one
        from . import one as function
        def late():
            from . import two
        two = 2
        from . import two
        //- /pkg/one.py
        //- /pkg/_one.py
        //- /pkg/two.py
        ",
        expect![[r#"
            pkg/__init__.py:1 -> pkg/one.py [relative]
            pkg/__init__.py:2 -> pkg/_one.py [name, unbound, relative]
            pkg/__init__.py:3 -> pkg/__init__.py [name, relative]
            pkg/__init__.py:5 -> pkg/two.py [function, relative]
            pkg/__init__.py:7 -> pkg/__init__.py [name, relative]
            NameAndModule: pkg/__init__.py, not pkg/one.py
            NameAndModule: pkg/__init__.py, not pkg/two.py
        "#]],
    );
}

/// A package that another of its name hides still imports its own modules relatively.
#[test]
fn hidden_packages_keep_their_own() {
    check(
        "
        owner one member = one, two, std
        owner two member = one, two, std
        //- /one/app/__init__.py
        //- /one/app/a.py
        //- /two/app/__init__.py
        from . import a
        from .a import x
        from .gone import y
        import app.a
        //- /two/app/a.py
        ",
        expect![[r#"
            two/app/__init__.py:1 -> two/app/a.py [relative]
            two/app/__init__.py:2 -> two/app/a.py [name, unbound, relative]
            two/app/__init__.py:3 -> unresolved app.gone (no-submodule) [relative]
            two/app/__init__.py:4 -> one/app/a.py
            Shadowed: one/app/__init__.py, not two/app/__init__.py
        "#]],
    );
}

/// `six` and others put modules without files into `sys.modules`: told as generated, not as missing,
/// if the package is there.
#[test]
fn modules_made_at_run_time() {
    check(
        "
        owner main member = ., std, site
        //- /app.py
        from six.moves import urllib, range
        import six.moves.urllib.parse, six.other
        from pip._vendor.six.moves.urllib import parse
        import requests.packages.urllib3.exceptions
        import py.path, py.other
        //- /pip/__init__.py
        //- /pip/_vendor/__init__.py
        from .six.moves import configparser
        //- /pip/_vendor/six.py
        //- /site/six.py
        //- /site/requests/__init__.py
        //- /site/requests/packages.py
        //- /site/py.py
        ",
        expect![[r#"
            app.py:1 -> generated six.moves
            app.py:2 -> generated six.moves.urllib.parse
            app.py:2 -> unresolved six.other (not-a-package)
            app.py:3 -> generated pip._vendor.six.moves.urllib
            app.py:4 -> generated requests.packages.urllib3.exceptions
            app.py:5 -> generated py.path
            app.py:5 -> unresolved py.other (not-a-package)
            pip/_vendor/__init__.py:1 -> generated pip._vendor.six.moves [relative]
        "#]],
    );
    check(
        "
        //- /app.py
        import six.moves.urllib
        from py.path import local
        ",
        expect![[r#"
            app.py:1 -> unresolved six.moves.urllib (not-found)
            app.py:2 -> unresolved py.path (not-found)
        "#]],
    );
}

/// `pkgutil.extend_path` and `pkg_resources.declare_namespace`: one package, several folders. The
/// first `__init__` on the path is the one that runs.
#[test]
fn packages_of_several_folders() {
    let text = "
        owner one member = one, two, three, std
        owner two member = two, one, three, std
        //- /one/ns/__init__.py
        __path__ = __import__('pkgutil').extend_path(__path__, __name__)
        //- /one/ns/a.py
        from . import b, c, gone
        from .b import x
        //- /one/main.py
        import ns.c.deep
        from ns import a, b
        //- /two/ns/__init__.py
        try:
            import pkg_resources
            pkg_resources.declare_namespace(__name__)
        except ImportError:
            import pkgutil
            __path__ = pkgutil.extend_path(__path__, __name__)
        //- /two/ns/b.py
        from . import a
        import ns.missing
        //- /three/ns/c/__init__.py
        //- /three/ns/c/deep.py
        //- /two/plain/__init__.py
        //- /two/plain/x.py
        //- /three/plain/y.py
        //- /two/main.py
        import plain.y
        ";
    check(
        text,
        expect![[r#"
            one/main.py:1 -> three/ns/c/deep.py
            one/main.py:2 -> one/ns/a.py
            one/main.py:2 -> two/ns/b.py
            one/ns/__init__.py:1 -> standard-library pkgutil [dynamic]
            one/ns/a.py:1 -> one/ns/__init__.py [name, unbound, relative]
            one/ns/a.py:1 -> three/ns/c/__init__.py [relative]
            one/ns/a.py:1 -> two/ns/b.py [relative]
            one/ns/a.py:2 -> two/ns/b.py [name, unbound, relative]
            two/main.py:1 -> unresolved plain.y (no-submodule)
            two/ns/__init__.py:2 -> unresolved pkg_resources (not-found) [optional]
            two/ns/__init__.py:5 -> standard-library pkgutil [conditional, fallback]
            two/ns/b.py:1 -> one/ns/a.py [relative]
            two/ns/b.py:2 -> unresolved ns.missing (no-submodule)
        "#]],
    );
    let graph = super::Workspace::new(text).graph();
    let closure = |name: &str| {
        let file = bytekiln_action::RepoPath::new(name.as_bytes()).unwrap();
        let entry = graph.find_file(0, &file).unwrap();
        super::fixture::list(&graph, &graph.closure(&[entry], crate::Which::Eager))
    };
    expect![[r#"
        one/main.py
        one/ns/__init__.py
        one/ns/a.py
        three/ns/c/__init__.py
        three/ns/c/deep.py
        two/ns/__init__.py
        two/ns/b.py
        standard-library pkgutil
        unresolved pkg_resources (not-found)
        unresolved ns.missing (no-submodule)
    "#]]
    .assert_eq(&closure("one/main.py"));
    expect![[r#"
        one/ns/__init__.py
        one/ns/a.py
        three/ns/c/__init__.py
        two/ns/__init__.py
        two/ns/b.py
        standard-library pkgutil
        unresolved pkg_resources (not-found)
        unresolved ns.missing (no-submodule)
    "#]]
    .assert_eq(&closure("two/ns/b.py"));
}
