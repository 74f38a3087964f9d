//! Instructions around a difference.

use bytekiln_codec::{Limits, Side};
use bytekiln_proof::{CompareOptions, Comparison, ExcerptSide, compare, excerpt};
use expect_test::{Expect, expect};

use crate::process::compile;

fn check(minor: u8, left: &str, right: &str, context: usize, expect: Expect) {
    let (Some(left), Some(right)) = (compile(minor, left), compile(minor, right)) else { return };
    let Ok(Comparison::Different(found)) = compare(&left, &right, &CompareOptions::default())
    else {
        panic!("they differ")
    };
    let Some(shown) = excerpt(&left, &right, &found.first, context, &Limits::default()) else {
        return expect.assert_eq("none");
    };
    let mut out = String::new();
    for line in shown.lines {
        let mark = match line.side {
            ExcerptSide::Both => ' ',
            ExcerptSide::Only(Side::Left) => '-',
            ExcerptSide::Only(Side::Right) => '+',
            ExcerptSide::Gap => '~',
        };
        let number = line.line.map(|line| line.to_string()).unwrap_or_default();
        out.push_str(&format!("{mark}{number:>3} {:>3} {}\n", line.offset, line.text));
    }
    if shown.goes_on {
        out.push_str("...\n");
    }
    expect.assert_eq(&out);
}

#[test]
fn around_a_constant() {
    let source = |number: &str| {
        format!(
            "def f(x):\n    y = x\n    for part in x:\n        y += part * {number}\n    return y\n"
        )
    };
    check(
        13,
        &source("2.5"),
        &source("3.5"),
        1,
        expect![[r#"
           4  16 LOAD_FAST_LOAD_FAST 18 (y, part)
        -     18 LOAD_CONST 1 (2.5)
        +     18 LOAD_CONST 1 (3.5)
              20 BINARY_OP 5 (*)
    "#]],
    );
}

#[test]
fn around_a_line_more() {
    let left = "def f(x):\n    a(x)\n    b(x)\n    return x\n";
    let right = "def f(x):\n    a(x)\n    c(x, x)\n    b(x)\n    return x\n";
    check(
        13,
        left,
        right,
        0,
        expect![[r#"
            +  3  24 LOAD_GLOBAL 3 (c + NULL)
            +     34 LOAD_FAST_LOAD_FAST 0 (x, x)
            +     36 CALL 2
            +     44 POP_TOP
        "#]],
    );
}

/// Constants and names that are added shift the indices of all that follow; that is not shown.
#[test]
fn indices_are_no_changes() {
    let left = "def f(x):\n    a(x, 'one')\n    b(x, 'two')\n";
    let right = "def f(x):\n    c(x, 'new')\n    a(x, 'one')\n    b(x, 'two')\n";
    check(
        12,
        left,
        right,
        0,
        expect![[r#"
        +  2   2 LOAD_GLOBAL 1 (c + NULL)
        +     12 LOAD_FAST 0 (x)
        +     14 LOAD_CONST 1 ('new')
        +     16 CALL 2
        +     24 POP_TOP
    "#]],
    );
}

#[test]
fn none_where_instructions_agree() {
    check(13, "x = 1\ny = 2", "x = 1\n\ny = 2", 3, expect!["none"]);
}
