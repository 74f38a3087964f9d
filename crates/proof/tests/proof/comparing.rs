//! What is said of two files.

use bytekiln_proof::{CompareOptions, Comparison, compare};
use expect_test::{Expect, expect};

use crate::process::{compile, written};

/// All that comes of comparing two files.
pub(crate) fn told(left: &[u8], right: &[u8]) -> String {
    match compare(left, right, &CompareOptions::default()) {
        Ok(Comparison::Identical) => "identical\n".to_owned(),
        Ok(Comparison::Equivalent(how)) => {
            how.iter().map(|how| format!("equivalent: {how}\n")).collect()
        }
        Ok(Comparison::Different(difference)) => {
            let found = difference.findings().map(|finding| format!("{finding}\n"));
            let found = found.chain(difference.header.iter().map(|how| format!("also {how}\n")));
            let mut all: String = found.collect();
            if difference.is_only_compiler_dependent() {
                all.push_str("of the compiler\n");
            }
            all
        }
        Err(error) => format!("error: {error}\n"),
    }
}

fn check(minor: u8, left: &str, right: &str, expect: Expect) {
    let (Some(left), Some(right)) = (compile(minor, left), compile(minor, right)) else { return };
    expect.assert_eq(&told(&left, &right));
}

#[test]
fn a_constant() {
    let shape = |pi: &str| {
        format!(
            "class Shape:\n    def area(self, r):\n        return (r * r * {pi}, 'é', 10**30)\n"
        )
    };
    check(
        13,
        &shape("3.14159"),
        &shape("3.0"),
        expect![[r#"
            constant 1 of `Shape.area` is 3.14159 on the left, 3.0 on the right
            place of instruction 1 (offset 2) of `<module>` is 1:0-3:46 on the left, 1:0-3:42 on the right
            place of instruction 7 (offset 14) of `Shape` is 2:4-3:46 on the left, 2:4-3:42 on the right
            place of instruction 3 (offset 8) of `Shape.area` is 3:24-3:31 on the left, 3:24-3:27 on the right
        "#]],
    );
    check(
        9,
        &shape("3.14159"),
        &shape("3.0"),
        expect![[r#"
        constant 1 of `Shape.area` is 3.14159 on the left, 3.0 on the right
    "#]],
    );
}

#[test]
fn constants_that_look_alike() {
    check(
        12,
        "x = 0.0",
        "x = -0.0",
        expect![[r#"
        constant 0 of `<module>` is 0.0 on the left, -0.0 on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:7 on the left, 1:4-1:8 on the right
    "#]],
    );
    check(
        12,
        "x = 1",
        "x = True",
        expect![[r#"
        constant 0 of `<module>` is 1 on the left, True on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:5 on the left, 1:4-1:8 on the right
    "#]],
    );
    check(
        12,
        "x = 'a'",
        "x = b'a'",
        expect![[r#"
        constant 0 of `<module>` is 'a' on the left, b'a' on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:7 on the left, 1:4-1:8 on the right
    "#]],
    );
    check(
        12,
        "x = 1e999 - 1e999",
        "x = -(1e999 - 1e999)",
        expect![[r#"
        constant 0 of `<module>` is -nan on the left, nan on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:17 on the left, 1:4-1:20 on the right
    "#]],
    );
}

#[test]
fn long_constants_are_shown_where_they_differ() {
    let text = |end: &str| format!("x = '{}{end}{}'", "a".repeat(300), "b".repeat(300));
    check(
        12,
        &text("left"),
        &text("right"),
        expect![[r#"
        constant 0 of `<module>` is …'aaaaaaaaaaaaaaaaaaaaleftbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…' on the left, …'aaaaaaaaaaaaaaaaaaaarightbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…' on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:610 on the left, 1:4-1:611 on the right
    "#]],
    );
    let set = |end: &str| format!("def f(x):\n    return x in {{'one', 'two', '{end}'}}");
    check(
        12,
        &set("three"),
        &set("four"),
        expect![[r#"
            constant 1 of `f` is a frozenset with 'three' on the left, a frozenset with 'four' on the right
            place of instruction 1 (offset 2) of `<module>` is 1:0-2:39 on the left, 1:0-2:38 on the right
            place of instruction 2 (offset 4) of `f` is 2:16-2:39 on the left, 2:16-2:38 on the right
        "#]],
    );
}

#[test]
fn parts_of_constants() {
    check(
        12,
        "x = (1, (2, 'a'))",
        "x = (1, (2, 'b'))",
        expect![[r#"
        element [1][1] of constant 0 of `<module>` is 'a' on the left, 'b' on the right
    "#]],
    );
    check(
        12,
        "x = (1, 2)",
        "x = (1, 2, 3)",
        expect![[r#"
        element [2] of constant 0 of `<module>` is missing on the left, 3 on the right
        place of instruction 1 (offset 2) of `<module>` is 1:4-1:10 on the left, 1:4-1:13 on the right
    "#]],
    );
}

#[test]
fn names_and_variables() {
    check(
        13,
        "def f(a):\n    return len(a)",
        "def f(a):\n    return max(a)",
        expect![[r#"
        name 0 of `f` is 'len' on the left, 'max' on the right
    "#]],
    );
    check(
        13,
        "def f(a): return a",
        "def f(b): return b",
        expect![[r#"
        variable 0 of `f` is 'a' on the left, 'b' on the right
    "#]],
    );
    check(
        13,
        "def f(a): return a",
        "def g(a): return a",
        expect![[r#"
        name 0 of `<module>` is 'f' on the left, 'g' on the right
        `co_name` of `f` is 'f' on the left, 'g' on the right
        `co_qualname` of `f` is 'f' on the left, 'g' on the right
    "#]],
    );
    check(
        13,
        "def f(a): pass",
        "def f(a, /): pass",
        expect![[r#"
            `co_posonlyargcount` of `f` is 0 on the left, 1 on the right
            place of instruction 1 (offset 2) of `<module>` is 1:0-1:14 on the left, 1:0-1:17 on the right
            place of instruction 1 (offset 2) of `f` is 1:10-1:14 on the left, 1:13-1:17 on the right
        "#]],
    );
    check(
        13,
        "def f(a): return lambda: 1",
        "def f(a): return lambda: a",
        expect![[r#"
            kind of variable 0 (`a`) of `f` is local on the left, local cell on the right
            constant 1 of `f.<locals>.<lambda>` is 1 on the left, missing on the right
            variable 0 of `f.<locals>.<lambda>` is missing on the left, 'a' on the right
            kind of variable 0 (`a`) of `f.<locals>.<lambda>` is missing on the left, free on the right
            instruction 0 (offset 0, line 1) of `f` is `RESUME 0` on the left, `MAKE_CELL 0 (a)` on the right
            `co_stacksize` of `f` is 1 on the left, 2 on the right
            instruction 0 (offset 0, line 1) of `f.<locals>.<lambda>` is `RESUME 0` on the left, `COPY_FREE_VARS 1` on the right
            line of instruction 0 (offset 0) of `f` is 1 on the left, no line on the right
            line of instruction 0 (offset 0) of `f.<locals>.<lambda>` is 1 on the left, no line on the right
        "#]],
    );
}

#[test]
fn instructions_and_tables() {
    check(
        13,
        "def f(a, b):\n    return a + b",
        "def f(a, b):\n    return a - b",
        expect![[r#"
        instruction 2 (offset 4, line 2) of `f` is `BINARY_OP 0 (+)` on the left, `BINARY_OP 10 (-)` on the right
        of the compiler
    "#]],
    );
    check(
        8,
        "def f(a, b):\n    return a + b",
        "def f(a, b):\n    return a - b",
        expect![[r#"
        instruction 2 (offset 4, line 2) of `f` is `BINARY_ADD` on the left, `BINARY_SUBTRACT` on the right
        of the compiler
    "#]],
    );
    check(
        14,
        "x = 1",
        "x = 2",
        expect![[r#"
        constant 0 of `<module>` is 1 on the left, 2 on the right
        instruction 1 (offset 2, line 1) of `<module>` is `LOAD_SMALL_INT 1` on the left, `LOAD_SMALL_INT 2` on the right
    "#]],
    );
    check(
        13,
        "x = 1\ny = 2",
        "x = 1\n\ny = 2",
        expect![[r#"
        line of instruction 3 (offset 6) of `<module>` is 2 on the left, 3 on the right
        of the compiler
    "#]],
    );
    check(
        13,
        "x = 1\ny = 2",
        "x = 1\ny  = 2",
        expect![[r#"
        place of instruction 3 (offset 6) of `<module>` is 2:4-2:5 on the left, 2:5-2:6 on the right
        of the compiler
    "#]],
    );
    check(
        10,
        "def f():\n    x = 1\n    y = 2",
        "def f():\n    x = 1\n\n    y = 2",
        expect![[r#"
        line of instruction 2 (offset 4) of `f` is 3 on the left, 4 on the right
        of the compiler
    "#]],
    );
}

#[test]
fn functions_that_were_added_do_not_hide_the_others() {
    let left = "def f(): return 'f'\ndef g(): return 'g'\n";
    let right = "def e(): return 'e'\ndef f(): return 'f'\ndef g(): return 'other'\n";
    check(
        12,
        left,
        right,
        expect![[r#"
            constant 0 of `<module>` is <code object f, line 1> on the left, <code object e, line 1> on the right
            constant 1 of `<module>` is <code object g, line 2> on the left, <code object f, line 2> on the right
            constant 2 of `<module>` is None on the left, <code object g, line 3> on the right
            constant 3 of `<module>` is missing on the left, None on the right
            name 0 of `<module>` is 'f' on the left, 'e' on the right
            name 1 of `<module>` is 'g' on the left, 'f' on the right
            name 2 of `<module>` is missing on the left, 'g' on the right
            constant 1 of `g` is 'g' on the left, 'other' on the right
            instruction 7 (offset 14, line 2) of `<module>` is `RETURN_CONST 2 (None)` on the left, `LOAD_CONST 2 (<code object g, line 3>)` on the right
            line of instruction 7 (offset 14) of `<module>` is 2 on the left, 3 on the right
            `co_firstlineno` of `f` is 1 on the left, 2 on the right
            `co_firstlineno` of `g` is 2 on the left, 3 on the right
            line of instruction 0 (offset 0) of `g` is 2 on the left, 3 on the right
        "#]],
    );
}

#[test]
fn other_encodings() {
    let source = "def f(x):\n    return x in {'a', 'b'} or (1, 'name')\ng = lambda: (1, 'name')\n";
    let check = |minor, payload: &str, expect: Expect| {
        let Some(left) = compile(minor, source) else { return };
        let Some(right) = written(minor, source, payload) else { return };
        expect.assert_eq(&told(&left, &right));
    };
    check(
        11,
        "marshal.dumps(code)",
        expect![[r#"
        identical
    "#]],
    );
    check(
        11,
        "marshal.dumps(code, 2)",
        expect![[r#"
        equivalent: reference flags
        equivalent: sharing
        equivalent: interning
        equivalent: type codes
    "#]],
    );
    check(
        11,
        "marshal.dumps(marshal.loads(marshal.dumps(code)))",
        expect![[r#"
        equivalent: reference flags
    "#]],
    );
    check(
        12,
        "marshal.dumps(code.replace(co_filename='elsewhere/m.py'))",
        expect![[r#"
            recorded path of `f` is 'm.py' on the left, 'm.py' (not the module's) on the right
            recorded path of `<lambda>` is 'm.py' on the left, 'm.py' (not the module's) on the right
        "#]],
    );
    let moved = "marshal.dumps(compile(source, 'elsewhere/m.py', 'exec'))";
    check(
        13,
        moved,
        expect![[r#"
        equivalent: reference flags
        equivalent: recorded path m.py on the left, elsewhere/m.py on the right
    "#]],
    );
}

#[test]
fn headers() {
    let Some(left) = compile(12, "x = 1") else { return };
    let with = |at: usize, byte: u8| {
        let mut right = left.clone();
        right[at] = byte;
        right
    };
    expect![[r#"
        equivalent: mtime 0 on the left, 1 on the right
    "#]]
    .assert_eq(&told(&left, &with(8, 1)));
    expect![[r#"
        equivalent: source size 0 on the left, 1 on the right
    "#]]
    .assert_eq(&told(&left, &with(12, 1)));
    expect![[r#"
        equivalent: mode timestamp on the left, checked-hash on the right
    "#]]
    .assert_eq(&told(&left, &with(4, 3)));
    expect![[r#"
        equivalent: mode unchecked-hash on the left, checked-hash on the right
    "#]]
    .assert_eq(&told(&with(4, 1), &with(4, 3)));
    expect![[r#"
        error: right file: unknown header flags 0x4
    "#]]
    .assert_eq(&told(&left, &with(4, 4)));
    expect![[r#"
        error: right file: payload ends too early at byte 95 of the marshal payload
    "#]]
    .assert_eq(&told(&left, &left[..left.len() - 1]));
    expect![[r#"
        error: left file: header of 16 bytes expected, 10 found
    "#]]
    .assert_eq(&told(&left[..10], &left));
    expect![[r#"
        identical
    "#]]
    .assert_eq(&told(b"the same", b"the same"));
    if let Some(other) = compile(11, "x = 1") {
        expect![[r#"
            the release is CPython 3.12 (magic number 3531) on the left, CPython 3.11 (magic number 3495) on the right
        "#]].assert_eq(&told(&left, &other));
    }
}

#[test]
fn recorded_paths_may_count() {
    let Some(left) = compile(12, "x = 1") else { return };
    let moved = "marshal.dumps(code.replace(co_filename='elsewhere/m.py'))";
    let Some(right) = written(12, "x = 1", moved) else { return };
    let options = CompareOptions { recorded_paths: true, ..CompareOptions::default() };
    let Ok(Comparison::Different(found)) = compare(&left, &right, &options) else {
        panic!("another recorded path is a difference")
    };
    expect!["recorded path of `<module>` is 'm.py' on the left, 'elsewhere/m.py' on the right"]
        .assert_eq(&found.to_string());
    assert_eq!(found.fields, ["co_filename"]);
    assert!(!found.is_only_compiler_dependent());
}

/// Stack sizes and instructions differ between patch releases; constants do not.
#[test]
fn what_only_the_compiler_decides() {
    let source = "def f(a, b):\n    return a + b\n";
    let Some(left) = compile(12, source) else { return };
    let deeper = |field: &str| {
        format!(
            "marshal.dumps(code.replace(co_consts=(code.co_consts[0].replace({field}),) + code.co_consts[1:]))"
        )
    };
    for (field, expect) in [
        ("co_stacksize=9", true),
        ("co_linetable=b''", true),
        ("co_code=b'\\x97\\0' * 5", true),
        ("co_flags=0", false),
        ("co_name='other'", false),
        ("co_consts=(1, None)", false),
    ] {
        let Some(right) = written(12, source, &deeper(field)) else { return };
        let Ok(Comparison::Different(found)) = compare(&left, &right, &CompareOptions::default())
        else {
            panic!("{field} is a difference")
        };
        assert_eq!(found.is_only_compiler_dependent(), expect, "{field}: {found}");
        assert_eq!(found.first.code_object, "f", "{field}");
        assert_eq!(found.first.code_path, [[0, 0]], "{field}");
    }
}
