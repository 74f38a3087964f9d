//! What the scanner finds in small sources, and that no bytes break it.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::extraction::{Argument, Import, What};
use crate::guard::{Catches, Guard};

fn describe(extraction: &Extraction<'_>, import: &Import<'_>) -> String {
    let what = match &import.what {
        What::Module { module } => module.to_string(),
        What::Name { level, module, name } => {
            format!("{}{module}:{name}", ".".repeat(*level as usize))
        }
        What::Star { level, module } => format!("{}{module}:*", ".".repeat(*level as usize)),
        What::Call { function, argument } => match argument {
            Argument::Constant { name, package } => {
                format!("{}({name:?}, {package:?})", function.name())
            }
            Argument::Unknown => format!("{}(?)", function.name()),
        },
    };
    let mut text = format!("{}:{} {what}", import.line, import.column);
    if let Some(alias) = &import.alias {
        text += &format!(" as {alias}");
    }
    if import.lazy {
        text += " lazy";
    }
    for guard in extraction.guards.chain(import.guard) {
        text += &match guard {
            Guard::If { test, holds } => format!(" < if {test:?} is {holds}"),
            Guard::Try(Catches { import_error, everything }) => {
                format!(" < try {import_error} {everything}")
            }
            other => format!(" < {other:?}"),
        };
    }
    text
}

#[track_caller]
fn check_bytes(source: &[u8], expected: &Expect) {
    let extraction = imports(source);
    let mut text = String::new();
    for import in &extraction.imports {
        text += &describe(&extraction, import);
        text.push('\n');
    }
    for problem in &extraction.problems {
        text += &format!("{}: {}\n", problem.line, problem.kind);
    }
    expected.assert_eq(&text);
}

#[expect(clippy::needless_pass_by_value, reason = "as `expect!` is written")]
#[track_caller]
fn check(source: &str, expected: Expect) {
    check_bytes(source.as_bytes(), &expected);
}

#[test]
fn statements() {
    check(
        "import a . b as c, d\n",
        expect![[r#"
        1:1 a.b as c
        1:1 d
    "#]],
    );
    check(
        "from .. import x\nfrom ...p.q import (  # why\n  y as z,\n  w,\n)\n",
        expect![[r#"
        1:1 ..:x
        2:1 ...p.q:y as z
        2:1 ...p.q:w
    "#]],
    );
    check(
        "from a import *; import b;import c # d\n",
        expect![[r#"
        1:1 a:*
        1:18 b
        1:27 c
    "#]],
    );
    check(
        "from \\\n  a \\\r\n import \\\n b\n",
        expect![[r#"
        1:1 a:b
    "#]],
    );
    check(
        "from.a import(b)\nfrom . . a.b import c",
        expect![[r#"
        1:1 .a:b
        2:1 ..a.b:c
    "#]],
    );
    check(
        "\u{feff}import a\rimport b\r\n\tx\x0cimport c",
        expect![[r#"
            1:1 a
            2:1 b
            3: malformed import statement
        "#]],
    );
    check(
        "é = 1; import é.ü as ö",
        expect![[r#"
        1:8 é.ü as ö
    "#]],
    );
}

#[test]
fn spans() {
    let source = "x = 1; from a.b import (c as d, e) # f";
    let extraction = imports(source.as_bytes());
    let texts: Vec<_> = extraction
        .imports
        .iter()
        .flat_map(|import| [import.statement, import.name])
        .map(|span| &source[span.start as usize..span.end as usize])
        .collect();
    let statement = "from a.b import (c as d, e)";
    assert_eq!(texts, [statement, "c", statement, "e"]);
}

#[test]
fn not_code() {
    check("'import a'; \"import b\"; f'import c'; # import d\n", expect![[""]]);
    check(
        "'''\nimport a\n'''; r'\\'; import b\n\"\"\"\\\"\"\"\nimport c\"\"\"\n",
        expect![[r#"
        3: string is not terminated
    "#]],
    );
    check("x.import_module('a')\nimportlib = reimport\n", expect![[""]]);
    check(
        "f'{x[\"import a\"]:{y}}' f\"{'}'}\"; import b\n",
        expect![[r#"
        1:34 b
    "#]],
    );
    check(
        "f'{{'; f'\\N{DASH} {x!r}'; f'''\n{f\"{f'{1}'}\"}\nimport a'''; import b\n",
        expect![[r#"
            3:14 b
        "#]],
    );
    check(
        "# comment \\\nimport a\n'a' \\\n'import b'\n",
        expect![[r#"
        2:1 a
    "#]],
    );
}

#[test]
fn blocks() {
    check(
        "def f():\n  import a\nimport b\n",
        expect![[r#"
        2:3 a < Function
        3:1 b
    "#]],
    );
    check(
        "class A:\n  import a\n  async def f(self, x=[\n1, 2\n]):\n    import b\n",
        expect![[r#"
            2:3 a < Class
            6:5 b < Function < Class
        "#]],
    );
    check(
        "def f():\n  x = [y for y in z\nif y]\n  import a\n",
        expect![[r#"
        4:3 a < Function
    "#]],
    );
    check(
        "x = [\n   1]; import a\nif (a and\n   b): c; import d\n",
        expect![[r#"
        2:8 a
        4:11 d < if Other is true
    "#]],
    );
    check(
        "for x in y: import a\nelse:\n  import b\nwhile 1:\n with x:\n\timport c\n",
        expect![[r#"
            1:13 a < Loop
            3:3 b < Loop
            6:2 c < With < Loop
        "#]],
    );
    check(
        "match x:\n case 1:\n  import a\n case _: import b\nmatch = 1; import c\n",
        expect![[r#"
            3:3 a < Match
            4:10 b < Match
            5:12 c
        "#]],
    );
}

#[test]
fn tries() {
    check(
        "try:\n  import a\nexcept (OSError, ImportError):\n  import b\nelse:\n  import c\n\
         finally:\n  import d\n",
        expect![[r#"
            2:3 a < try true false
            4:3 b < Handler(Catches { import_error: true, everything: false })
            6:3 c < TryElse
            8:3 d < Finally
        "#]],
    );
    check(
        "try: import a\nexcept: pass\n",
        expect![[r#"
        1:6 a < try false true
    "#]],
    );
    check(
        "try:\n  import a\nfinally:\n  pass\nimport b\n",
        expect![[r#"
        2:3 a < try false false
        5:1 b
    "#]],
    );
    check(
        "try:\n  import a\nexcept A:\n  pass\nexcept b.ModuleNotFoundError: pass\n",
        expect![[r#"
            2:3 a < try true false
        "#]],
    );
}

#[test]
fn conditions() {
    check(
        "from typing import TYPE_CHECKING as T\nif T:\n  import a\nelse:\n  import b\n",
        expect![[r#"
            1:1 typing:TYPE_CHECKING as T
            3:3 a < if TypeChecking is true
            5:3 b < if TypeChecking is false
        "#]],
    );
    check(
        "if not typing.TYPE_CHECKING and x: import a\n",
        expect![[r#"
        1:36 a < if Other is true < if TypeChecking is false
    "#]],
    );
    check(
        "if sys.version_info[:2] >= (3, 11):\n  import a\nelif sys.platform in ('w', \"x\"):\n  \
         import b\nelse:\n  import c\n",
        expect![[r#"
            2:3 a < if Version(Version { subject: First(2), operator: GreaterEqual, numbers: [3, 11] }) is true
            4:3 b < if Platform { subject: SysPlatform, operator: In, values: ["w", "x"] } is true < if Version(Version { subject: First(2), operator: GreaterEqual, numbers: [3, 11] }) is false
            6:3 c < if Platform { subject: SysPlatform, operator: In, values: ["w", "x"] } is false < if Version(Version { subject: First(2), operator: GreaterEqual, numbers: [3, 11] }) is false
        "#]],
    );
    check(
        "if __name__ == '__main__': import a\nif 0: import b\n",
        expect![[r#"
        1:28 a < if Main is true
        2:7 b < if Always is false
    "#]],
    );
    check(
        "if not (a or TYPE_CHECKING): import b\n",
        expect![[r#"
        1:30 b < if TypeChecking is false < if Other is false
    "#]],
    );
    check(
        "if a if b else c: import d\nif lambda: x: import e\n",
        expect![[r#"
        1:19 d < if Other is true
        2:15 e < if Other is true
    "#]],
    );
    check(
        "import sys as s\nif s.version_info < (3,) or six.PY2: pass\nelse: import b\n",
        expect![[r#"
            1:1 sys as s
            3:7 b < if Version(Version { subject: Whole, operator: Less, numbers: [3] }) is false
        "#]],
    );
}

#[test]
fn calls() {
    check(
        "import importlib.util, importlib as il\nil.import_module('.a', __package__)\n\
         importlib.import_module(name)\nx = lambda: [__import__('b.c'), 1]\n",
        expect![[r#"
            1:1 importlib.util
            1:1 importlib as il
            2:1 import_module(".a", OwnPackage)
            3:1 import_module(?)
            4:14 __import__("b.c", None) < Function
        "#]],
    );
    check(
        "from importlib import import_module as load\ndef f(): load(\n  'a', package='p')\n",
        expect![[r#"
            1:1 importlib:import_module as load
            2:10 import_module("a", Constant("p")) < Function
        "#]],
    );
    check(
        "import runpy\nrunpy.run_module('a', alter_sys=True)\n",
        expect![[r#"
        1:1 runpy
        2:1 run_module("a", None)
    "#]],
    );
    check(
        "__import__('a', globals(), level=1)\n__import__('a' + b)\n__import__('c', {}, {}, ['d'], 0)\n",
        expect![[r#"
            1:1 __import__("a", Unknown)
            2:1 __import__(?)
            3:1 __import__("c", None)
        "#]],
    );
    check(
        "if __import__('a'):\n  f'{__import__(\"b\")}'\ndef __import__(x): pass\n",
        expect![[r#"
            1:4 __import__("a", None)
            2:6 __import__("b", None) < if Other is true
        "#]],
    );
    check(
        "f(lambda x=__import__('a'): __import__('b'), __import__('c'))\n",
        expect![[r#"
        1:12 __import__("a", None)
        1:29 __import__("b", None) < Function
        1:46 __import__("c", None)
    "#]],
    );
}

#[test]
fn lazy() {
    check(
        "lazy import a\nlazy from b import c\nlazy = 1\nlazy.d\nimport e",
        expect![[r#"
        1:1 a lazy
        2:1 b:c lazy
        5:1 e
    "#]],
    );
    let source = "__lazy_modules__ = ['a', \"b.c\"]\nimport a\nfrom b.c import d\nimport b\n\
                  try:\n  import a\nfinally: 0\n";
    let extraction = imports(source.as_bytes());
    let lazy: Vec<bool> = extraction
        .imports
        .iter()
        .map(|import| match &import.what {
            What::Module { module } | What::Name { module, .. } => {
                extraction.is_lazy(import, module)
            }
            _ => false,
        })
        .collect();
    assert_eq!(lazy, [true, true, false, false]);
    assert!(extraction.lazy_modules.is_some_and(|list| list.complete));
}

#[test]
fn bad_input() {
    check(
        "import\nimport a.\nimport b as\nfrom c import\nfrom d import (e\nimport f\n",
        expect![[r#"
            5:1 d:e
            6:1 f
            1: malformed import statement
            2: malformed import statement
            3: malformed import statement
            4: malformed import statement
            5: malformed import statement
        "#]],
    );
    check(
        "x = (1,\ndef f():\n  import a\nimport b\n",
        expect![[r#"
        3:3 a < Function
        4:1 b
        1: brackets do not match
    "#]],
    );
    check(
        "import a\n\"\"\"\nimport b\n'''\nimport c\n",
        expect![[r#"
        1:1 a
        3:1 b
        5:1 c
        2: string is not terminated
        4: string is not terminated
    "#]],
    );
    check(
        "x = 'abc\nimport a\ny = f\"{\nimport b\n",
        expect![[r#"
        2:1 a
        4:1 b
        1: string is not terminated
        3: string is not terminated
    "#]],
    );
    check(
        "a b import c\nfrom a b import c\nimport d)\nimport e\n",
        expect![[r#"
        3:1 d
        4:1 e
        1: malformed import statement
        2: malformed import statement
        3: malformed import statement
        3: brackets do not match
    "#]],
    );
    check_bytes(
        b"# coding: latin-1\nimport \xe9\n'\xff'; import a",
        &expect![[r#"
        2:1 é
        3:6 a
    "#]],
    );
    check_bytes(
        b"import \xe9, a\n",
        &expect![[r#"
        1:1 �
        1:1 a
        1: imported name is not text in the encoding of the file
    "#]],
    );
    check_bytes(
        b"\xff\xfei\0m\0",
        &expect![[r#"
        1: not a text in an encoding that contains ASCII
    "#]],
    );
    check_bytes(
        b"# coding: utf-7\nimport a\n",
        &expect![[r#"
        2:1 a
        1: encoding `utf-7` does not contain ASCII unchanged
    "#]],
    );
}

#[test]
fn names() {
    let source = "import a.b\ndef f(): pass\nasync def g():\n  x = 1\nclass C:\n  y = 1\n\
                  h = i = 1\nj, (k, *l) = z\nm: int = 1\nn: int\no.p = 1\nfor q in r: pass\n\
                  with s as t, u as v: pass\nif w:\n  x = 1\ntype X[T] = int\ny == 1\nz(a=1)\n\
                  if TYPE_CHECKING: import nothing\n__all__ = ['f',\n  \"g\"]\n__all__ += ['C']\n";
    let extraction = extract(source.as_bytes(), &Options { names: true, strings: None });
    let names = extraction.names.expect("asked for");
    let bound: Vec<&str> = names.bound.iter().map(|binding| &*binding.name).collect();
    expect!["a f g C h i j k l m q t v x X __all__"].assert_eq(&bound.join(" "));
    expect![[r#"Some(All { names: ["f", "g", "C"], complete: true })"#]]
        .assert_eq(&format!("{:?}", names.all));
}

#[test]
fn packages_of_several_folders() {
    for (source, expected) in [
        ("__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n", true),
        ("import pkgutil\n__path__ = pkgutil . extend_path(\n  __path__, __name__)\n", true),
        ("from pkgutil import *\n__path__: list = extend_path(__path__, __name__)  # x\n", true),
        (
            "try:\n    __import__( \"pkg_resources\" ).declare_namespace(__name__)\nexcept E: pass\n",
            true,
        ),
        ("import pkg_resources\npkg_resources.declare_namespace(__name__)\n", true),
        ("def f():\n    __path__ = extend_path(__path__, __name__)\n", false),
        ("# __path__ = extend_path(__path__, __name__)\n", false),
        ("__path__ = []\n__path__.append(extend_path)\nx = declare_namespace\n", false),
        ("__path__ = __import__(name).extend_path(__path__, __name__)\n", false),
        ("__import__", false),
        ("__path__ = __import__('x').", false),
        ("__path__ =", false),
    ] {
        let extraction = extract(source.as_bytes(), &Options { names: true, strings: None });
        assert_eq!(extraction.names.map(|names| names.extends_path), Some(expected), "{source}");
    }
}

#[test]
fn strings() {
    let source =
        "import x\nA = ['a.b.c', 'a.b', \"d.e.F\", f'a.b.c', 'a b.c.d', 'a..b', '1.2.3']\n";
    let extraction = extract(source.as_bytes(), &Options { names: false, strings: Some(2) });
    let found: Vec<&str> = extraction.strings.iter().map(|constant| constant.text).collect();
    assert_eq!(found, ["a.b.c", "d.e.F"]);
}

/// Texts that are more like Python than arbitrary bytes are.
fn fragments() -> impl Strategy<Value = String> {
    const FRAGMENTS: &[&str] = &[
        "import ",
        "from ",
        "lazy ",
        "as ",
        "a",
        "b.c",
        ".",
        ",",
        ";",
        ":",
        "\n",
        "\r",
        " ",
        "\t",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        "'''",
        "\"\"\"",
        "f'",
        "rf\"",
        "\\",
        "#",
        "if ",
        "else",
        "elif ",
        "try",
        "except ",
        "finally",
        "def f()",
        "class C",
        "match ",
        "case ",
        "lambda",
        "__import__",
        "import_module",
        "importlib",
        "sys.version_info",
        ">=",
        "not ",
        "and ",
        "or ",
        "3",
        "é",
        "*",
        "=",
        "__lazy_modules__",
        "__all__",
        "TYPE_CHECKING",
        "async ",
    ];
    proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..60)
        .prop_map(|parts| parts.concat())
}

fn everything() -> Options {
    Options { names: true, strings: Some(1) }
}

fn check_sound(source: &[u8]) {
    for options in [Options::default(), everything()] {
        let extraction = extract(source, &options);
        for import in &extraction.imports {
            assert!(import.statement.start <= import.statement.end);
            assert!(import.statement.end as usize <= source.len());
            assert!(import.name.end as usize <= source.len());
            assert!(import.line > 0 && import.column > 0);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(source in proptest::collection::vec(any::<u8>(), 0..300)) {
        check_sound(&source);
    }

    #[test]
    fn any_fragments(source in fragments()) {
        check_sound(source.as_bytes());
    }

    /// What follows complete lines does not change what was found in them.
    #[test]
    fn a_prefix_of_lines_gives_a_prefix_of_imports(lines in 0_usize..12) {
        let source = "import a\nif x:\n  from b import c\ndef f():\n  import d\n  f'''{\n   1}'''\n\
                      import e\nx = [\n 1]; import g\nclass C: import h\n";
        let complete: String = source.split_inclusive('\n').take(lines).collect();
        let (part, whole) = (imports(complete.as_bytes()), imports(source.as_bytes()));
        for (one, other) in part.imports.iter().zip(&whole.imports) {
            prop_assert_eq!(describe(&part, one), describe(&whole, other));
        }
    }

    /// Reading to the end finds the same imports as stopping at the last.
    #[test]
    fn options_do_not_change_imports(source in fragments()) {
        let (short, long) = (imports(source.as_bytes()), extract(source.as_bytes(), &everything()));
        let describe_all = |extraction: &Extraction<'_>| -> Vec<String> {
            extraction.imports.iter().map(|import| describe(extraction, import)).collect()
        };
        prop_assert_eq!(describe_all(&short), describe_all(&long));
    }

    /// Alignment to the blocks of the masks does not matter.
    #[test]
    fn shifted_sources_give_the_same(source in fragments(), shift in 0_usize..130) {
        let source = format!("\n{source}");
        let shifted = format!("#{}{source}", "x".repeat(shift));
        let (one, other) = (imports(source.as_bytes()), imports(shifted.as_bytes()));
        prop_assert_eq!(one.problems.len(), other.problems.len());
        for (one_import, other_import) in one.imports.iter().zip(&other.imports) {
            prop_assert_eq!(describe(&one, one_import), describe(&other, other_import));
        }
        prop_assert_eq!(one.imports.len(), other.imports.len());
    }
}

/// Sources that would take minutes if anything were read again and again.
#[test]
fn linear() {
    let many = |text: &str| text.repeat(200_000 / text.len());
    for source in [
        many("f\"{"),
        many("\\\"\"\""),
        many("'''\"\"\""),
        many("f'{f\"{"),
        many("[__import__('a'),\n"),
        many("a.import.a "),
        many("lambda x: (__import__"),
        many("if a:\n import b\nelif "),
        many("if x: import a\nelif y: import b\n"),
        many("import a\rimport b\n"),
        many("from importlib import import_module as aa;"),
        many("try:\n import a\n"),
        many("x;import a)\n"),
        format!("f'{}'", many("{__import__(a)}")),
        many("if ((((((((((("),
        many("x = (\nimport a\n"),
        format!("{}\nimport a", many("(")),
        format!("import a{}", many(", a")),
    ] {
        check_sound(source.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]
    /// Lines of which nothing is wanted may be passed over at once: with strings wanted none is, and names
    /// and problems are the same.
    #[test]
    fn passing_over_lines_misses_nothing(lines in proptest::collection::vec(0..LINES.len(), 0..24)) {
        let source: String = lines.iter().filter_map(|at| LINES.get(*at)).copied().collect();
        let extract = |strings| extract(source.as_bytes(), &Options { names: true, strings });
        let (fast, slow) = (extract(None), extract(Some(9)));
        prop_assert_eq!(fast.names, slow.names, "{:?}", source);
        prop_assert_eq!(fast.problems, slow.problems, "{:?}", source);
        prop_assert_eq!(fast.imports, slow.imports, "{:?}", source);
    }
}

const LINES: [&str; 30] = [
    "import a\n",
    "    import b\n",
    "def f():\n",
    "class C:\n",
    "    def g(self): pass\n",
    "async def h(\n",
    "    x = 1\n",
    "y = 2\n",
    "\n",
    "   \n",
    "\t\n",
    "\tz = 3\n",
    "# comment (\n",
    "    # comment '''\n",
    "    call(\n",
    "    )\n",
    ")\n",
    "b]\n",
    "    s = '''\n",
    "'''\n",
    "    t = \"it's\"\n",
    "    u = 'open\n",
    "    v = f'{w(\n",
    "    a = b \\\n",
    "\x0c    p = 1\n",
    "    \x0cq = 1\n",
    "r = 1\r\n",
    "    m = 1\r",
    "if x:\n",
    "    n: int = (1, [2, {3: 4}])  # ]\n",
];
