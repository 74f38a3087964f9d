//! What `inspect` shows.

use std::fmt::Write;

use bytekiln_codec::{Limits, SummaryError, summary};
use expect_test::expect;

use crate::mutations::seeds;

fn show(minor: u8) -> String {
    let all = seeds();
    let (_, pyc) = all.iter().find(|(release, _)| release.minor() == minor).expect("a seed");
    let summary = summary(pyc, &Limits::default()).expect("a seed can be shown");
    let mut out = String::new();
    for (index, code) in summary.code_objects.iter().enumerate() {
        let qualname = code.qualname.as_deref().unwrap_or("-");
        let line = code.numbers.firstlineno;
        writeln!(out, "{index} in {:?}: {} {qualname} line {line}", code.parent, code.name)
            .expect("a string");
        writeln!(out, "  consts {}", code.consts.join(" | ")).expect("a string");
        writeln!(out, "  names {:?}", code.names.join(" ")).expect("a string");
        writeln!(out, "  locals {:?}", code.locals.join(" ")).expect("a string");
    }
    out
}

#[test]
fn python_3_8() {
    expect![[r#"
        0 in None: <module> - line 1
          consts 'Something of everything that a compiler puts into a code object.' | 0 | ('pi',) | (0, -1, 1099511627776, -0x400000000000000000, 1.5, -0.0, 2j, True, None, Ellipsis) | <code object 1> | 'Point' | <code object 5> | 'run' | None
          names "__doc__ math pi π NUMBERS Point run"
          locals ""
        1 in Some(0): Point - line 7
          consts 'Point' | ('x', 'y') | 0 | 1.0 | ('scale',) | <code object 2> | 'Point.__init__' | <code object 3> | 'Point.kind' | None | (0,)
          names "__name__ __module__ __qualname__ __slots__ __init__ kind"
          locals ""
        2 in Some(1): __init__ - line 10
          consts None
          names "x y"
          locals "self x y scale rest more"
        3 in Some(1): kind - line 13
          consts None | frozenset({('nested', 1), 'right', 'größe', b'bytes', '���', 'left'}) | <code object 4> | 'Point.kind.<locals>.<lambda>' | '>10' | 1 | -1 | 'no such kind, whatever it may be: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
          names "x y kind ValueError OSError KeyError"
          locals "self error"
        4 in Some(3): <lambda> - line 15
          consts None
          names "x"
          locals ""
        5 in Some(0): run - line 22
          consts None | 'left' | 'right'
          names "π"
          locals "points point"
    "#]].assert_eq(&show(8));
}

#[test]
fn python_3_11() {
    expect![[r#"
        0 in None: <module> <module> line 1
          consts 'Something of everything that a compiler puts into a code object.' | 0 | ('pi',) | (0, -1, 1099511627776, -0x400000000000000000, 1.5, -0.0, 2j, True, None, Ellipsis) | <code object 1> | 'Point' | <code object 5> | None
          names "__doc__ math pi π NUMBERS Point run"
          locals ""
        1 in Some(0): Point Point line 7
          consts 'Point' | ('x', 'y') | 0 | 1.0 | ('scale',) | <code object 2> | <code object 3> | None | (0,)
          names "__name__ __module__ __qualname__ __slots__ __init__ kind"
          locals ""
        2 in Some(1): __init__ Point.__init__ line 10
          consts None
          names "x y"
          locals "self x y scale rest more"
        3 in Some(1): kind Point.kind line 13
          consts None | frozenset({('nested', 1), b'bytes', '���', 'größe', 'left', 'right'}) | <code object 4> | '>10' | 1 | -1 | 'no such kind, whatever it may be: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'
          names "x y kind ValueError OSError KeyError"
          locals "self error"
        4 in Some(3): <lambda> Point.kind.<locals>.<lambda> line 15
          consts None
          names "x"
          locals "self"
        5 in Some(0): run run line 22
          consts None | 'left' | 'right'
          names "π"
          locals "points point"
    "#]].assert_eq(&show(11));
}

#[test]
fn what_cannot_be_shown() {
    let check = |bytes: &[u8], expect: &str| {
        let error: SummaryError = summary(bytes, &Limits::default()).expect_err("no cache");
        assert_eq!(error.to_string(), expect);
    };
    check(b"", "header of 16 bytes expected, 0 found");
    check(
        b"\xa6\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0N",
        "magic number 3494 of no final release from 3.8 to 3.15",
    );
    check(b"\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0N", "payload is not a code object");
    check(
        b"\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0)\x02N",
        "payload ends too early at byte 2 of the marshal payload",
    );
}
