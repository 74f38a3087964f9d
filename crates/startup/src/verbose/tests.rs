//! What interpreters say, and whatever else there may be.

use expect_test::{Expect, expect};

use super::*;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "written at the call")]
fn check(text: &str, expected: Expect) {
    let verbose = Verbose::parse(text.as_bytes());
    let mut out = String::new();
    for (name, Loaded { origin, file, zipped }) in &verbose.modules {
        let place = if *zipped { ", zipped" } else { "" };
        let file = file.as_deref().unwrap_or("-");
        out.push_str(&format!("{name}: {} {file}{place}\n", origin.word()));
    }
    for Loaded { origin, file, .. } in &verbose.others {
        out.push_str(&format!("({} {})\n", origin.word(), file.as_deref().unwrap_or("-")));
    }
    expected.assert_eq(&out);
}

#[test]
fn what_interpreters_say() {
    check(
        r#"
import _frozen_importlib # frozen
import _imp # builtin
import 'codecs' # <class '_frozen_importlib.FrozenImporter'>
# /t/lib/json/__pycache__/__init__.cpython-311.pyc matches /t/lib/json/__init__.py
# code object from '/t/lib/json/__pycache__/__init__.cpython-311.pyc'
# bytecode is stale for 'json.decoder'
# code object from /t/lib/json/decoder.py
# extension module '_json' loaded from '/t/lib-dynload/_json.so'
# extension module '_json' executed from '/t/lib-dynload/_json.so'
import '_json' # <_frozen_importlib_external.ExtensionFileLoader object at 0x7f>
import 'json.decoder' # <_frozen_importlib_external.SourceFileLoader object at 0x7f>
import 'json' # <_frozen_importlib_external.SourceFileLoader object at 0x7f>
import zm # loaded from Zip z/app.pyz/zm.py
import 'zn' # <zipimporter object "/t/z/app.pyz/">
# code object from '/t/only/__pycache__/m.cpython-311.pyc'
import 'm' # <_frozen_importlib_external.SourcelessFileLoader object at 0x1>
import 'ns' # <_frozen_importlib_external.NamespaceLoader object at 0x1>
import 'mine' # <__main__.MyLoader object at 0x1>
"#,
        expect![[r#"
                _frozen_importlib: frozen -
                _imp: built-in -
                _json: extension /t/lib-dynload/_json.so
                codecs: frozen -
                json: cache /t/lib/json/__init__.py
                json.decoder: stale /t/lib/json/decoder.py
                m: cache /t/only/__pycache__/m.cpython-311.pyc
                mine: other -
                ns: namespace -
                zm: compiled z/app.pyz/zm.py, zipped
                zn: zip /t/z/app.pyz, zipped
            "#]],
    );
}

/// A zip is looked through twice for each module; names of other folders and importers do not count.
#[test]
fn members_of_zips() {
    check(
        r#"
# trying /t/a.zip/a/__init__.pyc
# trying /t/a.zip/a/__init__.py
# trying /t/other/a/__init__.py
# trying /t/a.zip/a/b/__init__.pyc
# trying /t/a.zip/a/b/__init__.py
# trying /t/a.zip/a/b.pyc
import 'a.b' # <zipimporter object "/t/a.zip/a/">
import 'a' # <zipimporter object "/t/a.zip/">
# trying /t/a.zip/c/__init__.pyc
# trying /t/a.zip/c/__init__.py
# trying /t/a.zip/c.pyc
# bytecode is stale for 'c'
# trying /t/a.zip/c.py
import 'c' # <zipimporter object "/t/a.zip/">
# trying /t/a.zip/d.pyc
import d # loaded from Zip /t/a.zip/d.pyc
# trying /t/a.zip/e.pyc
# trying /t/lib/e.py
# code object from /t/lib/e.py
import 'e' # <_frozen_importlib_external.SourceFileLoader object at 0x7f>
import 'f' # <zipimporter object>
"#,
        expect![[r#"
            a: compiled /t/a.zip/a/__init__.py, zipped
            a.b: cache /t/a.zip/a/b.pyc, zipped
            c: stale /t/a.zip/c.py, zipped
            d: cache /t/a.zip/d.pyc, zipped
            e: compiled /t/lib/e.py
            f: zip -, zipped
        "#]],
    );
}

/// `bad` raises; the code of `-m app` is read for no import; a name with a quote.
#[test]
fn what_is_no_module() {
    check(
        "# code object from /w/bad.py\n# code object from /w/good.py\n\
             import 'good' # <_frozen_importlib_external.SourceFileLoader object at 0x1>\n\
             # code object from '/w/__pycache__/app.cpython-311.pyc'\n# code object from \"/it's.py\"\n\
             import nothing\nimport '\u{1b}' # x\n# cleanup[2] removing bad\n",
        expect![[r#"
                good: compiled /w/good.py
                (compiled /w/bad.py)
                (cache /w/__pycache__/app.cpython-311.pyc)
                (cache /it's.py)
            "#]],
    );
}

/// Two threads, and an interpreter that was started with the same options.
#[test]
fn lines_that_are_not_one_writers() {
    check(
        "import _frozen_importlib # frozen\n\
         # /t/__pycache__/a.cpython-313.pyc matches /t/a.py# code object from '/t/__pycache__/b.cpython-313.pyc'\n\
         \n# code object from /t/c.py# code object from '/t/__pycache__/a.cpython-313.pyc'\n\
         import 'a' # <_frozen_importlib_external.SourceFileLoader object at 0x1>import 'c' # <x.SourceFileLoader object>\n\
         import _frozen_importlib # frozen\n# code object from /t/d.py\nimport 'd' # <x.SourceFileLoader object>\n",
        expect![[r#"
            _frozen_importlib: frozen -
            a: cache /t/a.py
            c: compiled /t/c.py
            (cache /t/__pycache__/b.cpython-313.pyc)
        "#]],
    );
}

#[test]
fn paths_of_names() {
    for (path, name, expected) in [
        ("/a/b.py", "a.b", true),
        ("/a/b/__init__.py", "a.b", true),
        ("/a/b/__pycache__/__init__.cpython-311.pyc", "a.b", true),
        ("/a/b/__init__.py", "a.b.__init__", true),
        ("/a/bb.py", "a.b", false),
        ("/a/__init__.py", "a.b", false),
        ("", "a", false),
    ] {
        assert_eq!(belongs(path, name), expected, "{path} {name}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "(# code object from |# trying |import |# |'|a|\\.py| matches | # |\n|\\\\|[^a]){0,40}") {
        let verbose = Verbose::parse(text.as_bytes());
        let counted: usize = Origin::ALL.iter().map(|origin| verbose.count(*origin)).sum();
        proptest::prop_assert_eq!(counted, verbose.modules.len());
    }
}
