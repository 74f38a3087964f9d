//! What is listed of real files.

use std::fmt::Write as _;

use bytekiln_proof::{ListOptions, Listing, ReadError, is_canonical, list};
use expect_test::{Expect, expect};

use crate::process::compile;

const SOURCE: &str = "\
class Point:
    def scale(self, x, /, y, *rest, z, **more):
        try:
            return x + y if rest else z
        except ValueError as error:
            return lambda: (self, error)
";

fn shown(listing: &Listing) -> String {
    let mut out = String::new();
    for (index, code) in listing.code_objects.iter().enumerate() {
        writeln!(out, "{index} in {:?}: {}", code.parent, code.qualname).expect("a string");
        writeln!(out, "  flags {:?}", code.flags).expect("a string");
        let mut constants: Vec<&str> =
            code.constants.iter().map(|constant| constant.text.as_str()).collect();
        if constants.is_empty() {
            constants.push("none");
        }
        writeln!(out, "  constants: {}", constants.join(" | ")).expect("a string");
        let mut variables: Vec<String> = code
            .variables
            .iter()
            .map(|variable| format!("{} {}", variable.name, variable.kinds.join("+")))
            .collect();
        if variables.is_empty() {
            variables.push("none".to_owned());
        }
        writeln!(out, "  variables: {}", variables.join(" | ")).expect("a string");
        for found in &code.instructions {
            let mark = match (found.is_jump_target, found.is_handler) {
                (_, true) => "!>",
                (true, false) => ">>",
                (false, false) => "  ",
            };
            let line = found.location.and_then(|location| location.line);
            let line = line.filter(|_| found.starts_line).map(|line| line.to_string());
            let line = line.unwrap_or_default();
            let argument = found.argument.map(|number| number.to_string()).unwrap_or_default();
            let meaning = found.meaning.as_deref().unwrap_or_default();
            let text = format!(
                "  {line:>3} {:>3} {mark} {} {argument} {meaning}",
                found.offset, found.name
            );
            writeln!(out, "{}", text.trim_end()).expect("a string");
        }
        for row in code.handlers.as_ref().expect("a table") {
            writeln!(out, "  {} to {} -> {}", row.start, row.end, row.target).expect("a string");
        }
    }
    out
}

fn check(minor: u8, expect: Expect) {
    let Some(pyc) = compile(minor, SOURCE) else { return };
    let listing = list(&pyc, &ListOptions::default()).expect("a file");
    assert!(listing.complete);
    expect.assert_eq(&shown(&listing));
}

#[test]
fn python_3_8() {
    check(
        8,
        expect![[r#"
            0 in None: <module>
              flags ["NOFREE"]
              constants: <code object Point, line 1> | 'Point' | None
              variables: none
                1   0    LOAD_BUILD_CLASS
                    2    LOAD_CONST 0 <code object Point, line 1>
                    4    LOAD_CONST 1 'Point'
                    6    MAKE_FUNCTION 0
                    8    LOAD_CONST 1 'Point'
                   10    CALL_FUNCTION 2
                   12    STORE_NAME 0 Point
                   14    LOAD_CONST 2 None
                   16    RETURN_VALUE
            1 in Some(0): Point
              flags ["NOFREE"]
              constants: 'Point' | <code object scale, line 2> | 'Point.scale' | None
              variables: none
                1   0    LOAD_NAME 0 __name__
                    2    STORE_NAME 1 __module__
                    4    LOAD_CONST 0 'Point'
                    6    STORE_NAME 2 __qualname__
                2   8    LOAD_CONST 1 <code object scale, line 2>
                   10    LOAD_CONST 2 'Point.scale'
                   12    MAKE_FUNCTION 0
                   14    STORE_NAME 3 scale
                   16    LOAD_CONST 3 None
                   18    RETURN_VALUE
            2 in Some(1): Point.scale
              flags ["OPTIMIZED", "NEWLOCALS", "VARARGS", "VARKEYWORDS"]
              constants: None | <code object <lambda>, line 6> | 'Point.scale.<locals>.<lambda>'
              variables: self local | x local | y local | z local | rest local | more local | error cell | self cell
                3   0    SETUP_FINALLY 18 to 20
                4   2    LOAD_FAST 4 rest
                    4    POP_JUMP_IF_FALSE 14 to 14
                    6    LOAD_FAST 1 x
                    8    LOAD_FAST 2 y
                   10    BINARY_ADD
                   12    JUMP_FORWARD 2 to 16
                   14 >> LOAD_FAST 3 z
                   16 >> POP_BLOCK
                   18    RETURN_VALUE
                5  20 >> DUP_TOP
                   22    LOAD_GLOBAL 0 ValueError
                   24    COMPARE_OP 10 exception match
                   26    POP_JUMP_IF_FALSE 70 to 70
                   28    POP_TOP
                   30    STORE_DEREF 0 error
                   32    POP_TOP
                   34    SETUP_FINALLY 22 to 58
                6  36    LOAD_CLOSURE 0 error
                   38    LOAD_CLOSURE 1 self
                   40    BUILD_TUPLE 2
                   42    LOAD_CONST 1 <code object <lambda>, line 6>
                   44    LOAD_CONST 2 'Point.scale.<locals>.<lambda>'
                   46    MAKE_FUNCTION 8 closure
                   48    ROT_FOUR
                   50    POP_BLOCK
                   52    POP_EXCEPT
                   54    CALL_FINALLY 2 to 58
                   56    RETURN_VALUE
                   58 >> LOAD_CONST 0 None
                   60    STORE_DEREF 0 error
                   62    DELETE_DEREF 0 error
                   64    END_FINALLY
                   66    POP_EXCEPT
                   68    JUMP_FORWARD 2 to 72
                   70 >> END_FINALLY
                   72 >> LOAD_CONST 0 None
                   74    RETURN_VALUE
            3 in Some(2): Point.scale.<locals>.<lambda>
              flags ["OPTIMIZED", "NEWLOCALS", "NESTED"]
              constants: None
              variables: error free | self free
                6   0    LOAD_DEREF 1 self
                    2    LOAD_DEREF 0 error
                    4    BUILD_TUPLE 2
                    6    RETURN_VALUE
        "#]],
    );
}

#[test]
fn python_3_13() {
    check(
        13,
        expect![[r#"
            0 in None: <module>
              flags []
              constants: <code object Point, line 1> | 'Point' | None
              variables: none
                0   0    RESUME 0
                1   2    LOAD_BUILD_CLASS
                    4    PUSH_NULL
                    6    LOAD_CONST 0 <code object Point, line 1>
                    8    MAKE_FUNCTION
                   10    LOAD_CONST 1 'Point'
                   12    CALL 2
                   20    STORE_NAME 0 Point
                   22    RETURN_CONST 2 None
            1 in Some(0): Point
              flags []
              constants: 'Point' | 1 | <code object Point.scale, line 2> | () | None
              variables: none
                1   0    RESUME 0
                    2    LOAD_NAME 0 __name__
                    4    STORE_NAME 1 __module__
                    6    LOAD_CONST 0 'Point'
                    8    STORE_NAME 2 __qualname__
                   10    LOAD_CONST 1 1
                   12    STORE_NAME 3 __firstlineno__
                2  14    LOAD_CONST 2 <code object Point.scale, line 2>
                   16    MAKE_FUNCTION
                   18    STORE_NAME 4 scale
                   20    LOAD_CONST 3 ()
                   22    STORE_NAME 5 __static_attributes__
                   24    RETURN_CONST 4 None
            2 in Some(1): Point.scale
              flags ["OPTIMIZED", "NEWLOCALS", "VARARGS", "VARKEYWORDS"]
              constants: None | <code object Point.scale.<locals>.<lambda>, line 6>
              variables: self local+cell | x local | y local | z local | rest local | more local | error cell
                    0    MAKE_CELL 0 self
                    2    MAKE_CELL 6 error
                2   4    RESUME 0
                3   6    NOP
                4   8    LOAD_FAST 4 rest
                   10    TO_BOOL
                   18    POP_JUMP_IF_FALSE 4 to 30
                   22    LOAD_FAST_LOAD_FAST 18 x, y
                   24    BINARY_OP 0 +
                   28    RETURN_VALUE
                   30 >> LOAD_FAST 3 z
                   32    RETURN_VALUE
                   34 !> PUSH_EXC_INFO
                5  36    LOAD_GLOBAL 0 ValueError
                   46    CHECK_EXC_MATCH
                   48    POP_JUMP_IF_FALSE 17 to 86
                   52    STORE_DEREF 6 error
                6  54    LOAD_FAST 6 error
                   56    LOAD_FAST 0 self
                   58    BUILD_TUPLE 2
                   60    LOAD_CONST 1 <code object Point.scale.<locals>.<lambda>, line 6>
                   62    MAKE_FUNCTION
                   64    SET_FUNCTION_ATTRIBUTE 8 closure
                   66    SWAP 2
                   68    POP_EXCEPT
                   70    LOAD_CONST 0 None
                   72    STORE_DEREF 6 error
                   74    DELETE_DEREF 6 error
                   76    RETURN_VALUE
                   78 !> LOAD_CONST 0 None
                   80    STORE_DEREF 6 error
                   82    DELETE_DEREF 6 error
                   84    RERAISE 1
                5  86 >> RERAISE 0
                   88 !> COPY 3
                   90    POP_EXCEPT
                   92    RERAISE 1
              8 to 28 -> 34
              30 to 32 -> 34
              34 to 54 -> 88
              54 to 66 -> 78
              66 to 68 -> 88
              78 to 88 -> 88
            3 in Some(2): Point.scale.<locals>.<lambda>
              flags ["OPTIMIZED", "NEWLOCALS", "NESTED"]
              constants: None
              variables: error free | self free
                    0    COPY_FREE_VARS 2
                6   2    RESUME 0
                    4    LOAD_DEREF 1 self
                    6    LOAD_DEREF 0 error
                    8    BUILD_TUPLE 2
                   10    RETURN_VALUE
        "#]],
    );
}

#[test]
fn constants_as_python_shows_them() {
    let source = "x = (-1, 10**11, 1.5, 1e16, 1e-5, -0.0, 2j, 1+2j, b'\\0\\'a', 'a\\n\\'\"', 'größe', \
                  '\\ud800', '\\u202e', ..., (1,), ((),))\ny = x in {1}";
    let Some(pyc) = compile(12, source) else { return };
    let listing = list(&pyc, &ListOptions::default()).expect("a file");
    let module = listing.code_objects.first().expect("the module");
    let texts: Vec<&str> = module.constants.iter().map(|constant| constant.text.as_str()).collect();
    expect![[r#"
        (-1, 100000000000, 1.5, 1e+16, 1e-05, -0.0, 2j, (1+2j), b'\x00\'a', 'a\n\'"', 'größe', '\ud800', '\u202e', Ellipsis, (1,), ((),))
        frozenset({1})
        None"#]].assert_eq(&texts.join("\n"));
}

#[test]
fn what_cannot_be_listed() {
    let error =
        |bytes: &[u8]| list(bytes, &ListOptions::default()).expect_err("no file").to_string();
    expect!["header of 16 bytes expected, 3 found"].assert_eq(&error(b"abc"));
    expect!["magic number 1 of no final CPython from 3.8 to 3.15"]
        .assert_eq(&error(b"\x01\0\r\n\0\0\0\0\0\0\0\0\0\0\0\0N"));
    expect!["payload is not a code object"]
        .assert_eq(&error(b"\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0N"));
    let canonical = is_canonical(b"\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0N", &Default::default());
    assert_eq!(canonical, Err(ReadError::NotCode));
}
