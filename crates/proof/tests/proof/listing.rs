//! What is listed of real files.

use std::fmt::Write as _;

use bytekiln_proof::{ListOptions, Listing, ReadError, is_canonical, list};
use expect_test::{Expect, expect};

use crate::process::compile;

const SOURCE: &str = "\
class Point:
    def scale(self, x, /, y=1, *rest, z, **more):
        try:
            return [x + part for part in rest]
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
              constants: 'Point' | 1 | <code object scale, line 2> | 'Point.scale' | None | (1,)
              variables: none
                1   0    LOAD_NAME 0 __name__
                    2    STORE_NAME 1 __module__
                    4    LOAD_CONST 0 'Point'
                    6    STORE_NAME 2 __qualname__
                2   8    LOAD_CONST 5 (1,)
                   10    LOAD_CONST 2 <code object scale, line 2>
                   12    LOAD_CONST 3 'Point.scale'
                   14    MAKE_FUNCTION 1 defaults
                   16    STORE_NAME 3 scale
                   18    LOAD_CONST 4 None
                   20    RETURN_VALUE
            2 in Some(1): Point.scale
              flags ["OPTIMIZED", "NEWLOCALS", "VARARGS", "VARKEYWORDS"]
              constants: None | <code object <listcomp>, line 4> | 'Point.scale.<locals>.<listcomp>' | <code object <lambda>, line 6> | 'Point.scale.<locals>.<lambda>'
              variables: self local | x local | y local | z local | rest local | more local | error cell | self cell | x cell
                3   0    SETUP_FINALLY 20 to 22
                4   2    LOAD_CLOSURE 2 x
                    4    BUILD_TUPLE 1
                    6    LOAD_CONST 1 <code object <listcomp>, line 4>
                    8    LOAD_CONST 2 'Point.scale.<locals>.<listcomp>'
                   10    MAKE_FUNCTION 8 closure
                   12    LOAD_FAST 4 rest
                   14    GET_ITER
                   16    CALL_FUNCTION 1
                   18    POP_BLOCK
                   20    RETURN_VALUE
                5  22 >> DUP_TOP
                   24    LOAD_GLOBAL 0 ValueError
                   26    COMPARE_OP 10 exception match
                   28    POP_JUMP_IF_FALSE 72 to 72
                   30    POP_TOP
                   32    STORE_DEREF 0 error
                   34    POP_TOP
                   36    SETUP_FINALLY 22 to 60
                6  38    LOAD_CLOSURE 0 error
                   40    LOAD_CLOSURE 1 self
                   42    BUILD_TUPLE 2
                   44    LOAD_CONST 3 <code object <lambda>, line 6>
                   46    LOAD_CONST 4 'Point.scale.<locals>.<lambda>'
                   48    MAKE_FUNCTION 8 closure
                   50    ROT_FOUR
                   52    POP_BLOCK
                   54    POP_EXCEPT
                   56    CALL_FINALLY 2 to 60
                   58    RETURN_VALUE
                   60 >> LOAD_CONST 0 None
                   62    STORE_DEREF 0 error
                   64    DELETE_DEREF 0 error
                   66    END_FINALLY
                   68    POP_EXCEPT
                   70    JUMP_FORWARD 2 to 74
                   72 >> END_FINALLY
                   74 >> LOAD_CONST 0 None
                   76    RETURN_VALUE
            3 in Some(2): Point.scale.<locals>.<listcomp>
              flags ["OPTIMIZED", "NEWLOCALS", "NESTED"]
              constants: none
              variables: .0 local | part local | x free
                4   0    BUILD_LIST 0
                    2    LOAD_FAST 0 .0
                    4 >> FOR_ITER 12 to 18
                    6    STORE_FAST 1 part
                    8    LOAD_DEREF 0 x
                   10    LOAD_FAST 1 part
                   12    BINARY_ADD
                   14    LIST_APPEND 2
                   16    JUMP_ABSOLUTE 4 to 4
                   18 >> RETURN_VALUE
            4 in Some(2): Point.scale.<locals>.<lambda>
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
              constants: 'Point' | 1 | <code object Point.scale, line 2> | () | None | (1,)
              variables: none
                1   0    RESUME 0
                    2    LOAD_NAME 0 __name__
                    4    STORE_NAME 1 __module__
                    6    LOAD_CONST 0 'Point'
                    8    STORE_NAME 2 __qualname__
                   10    LOAD_CONST 1 1
                   12    STORE_NAME 3 __firstlineno__
                2  14    LOAD_CONST 5 (1,)
                   16    LOAD_CONST 2 <code object Point.scale, line 2>
                   18    MAKE_FUNCTION
                   20    SET_FUNCTION_ATTRIBUTE 1 defaults
                   22    STORE_NAME 4 scale
                   24    LOAD_CONST 3 ()
                   26    STORE_NAME 5 __static_attributes__
                   28    RETURN_CONST 4 None
            2 in Some(1): Point.scale
              flags ["OPTIMIZED", "NEWLOCALS", "VARARGS", "VARKEYWORDS"]
              constants: None | <code object Point.scale.<locals>.<lambda>, line 6>
              variables: self local+cell | x local | y local | z local | rest local | more local | part local | error cell
                    0    MAKE_CELL 0 self
                    2    MAKE_CELL 7 error
                2   4    RESUME 0
                3   6    NOP
                4   8    LOAD_FAST 4 rest
                   10    GET_ITER
                   12    LOAD_FAST_AND_CLEAR 6 part
                   14    SWAP 2
                   16    BUILD_LIST 0
                   18    SWAP 2
                   20    GET_ITER
                   22 >> FOR_ITER 7 to 40
                   26    STORE_FAST_LOAD_FAST 97 part, x
                   28    LOAD_FAST 6 part
                   30    BINARY_OP 0 +
                   34    LIST_APPEND 2
                   36    JUMP_BACKWARD 9 to 22
                   40 >> END_FOR
                   42    POP_TOP
                   44    SWAP 2
                   46    STORE_FAST 6 part
                   48    RETURN_VALUE
                   50 !> SWAP 2
                   52    POP_TOP
                   54    SWAP 2
                   56    STORE_FAST 6 part
                   58    RERAISE 0
                   60 !> PUSH_EXC_INFO
                5  62    LOAD_GLOBAL 0 ValueError
                   72    CHECK_EXC_MATCH
                   74    POP_JUMP_IF_FALSE 17 to 112
                   78    STORE_DEREF 7 error
                6  80    LOAD_FAST 7 error
                   82    LOAD_FAST 0 self
                   84    BUILD_TUPLE 2
                   86    LOAD_CONST 1 <code object Point.scale.<locals>.<lambda>, line 6>
                   88    MAKE_FUNCTION
                   90    SET_FUNCTION_ATTRIBUTE 8 closure
                   92    SWAP 2
                   94    POP_EXCEPT
                   96    LOAD_CONST 0 None
                   98    STORE_DEREF 7 error
                  100    DELETE_DEREF 7 error
                  102    RETURN_VALUE
                  104 !> LOAD_CONST 0 None
                  106    STORE_DEREF 7 error
                  108    DELETE_DEREF 7 error
                  110    RERAISE 1
                5 112 >> RERAISE 0
                  114 !> COPY 3
                  116    POP_EXCEPT
                  118    RERAISE 1
              8 to 16 -> 60
              16 to 44 -> 50
              44 to 48 -> 60
              50 to 60 -> 60
              60 to 80 -> 114
              80 to 92 -> 104
              92 to 94 -> 114
              104 to 114 -> 114
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
