//! Decoding without interpreters: the same small function of each release as a snapshot, and
//! properties of any bytes.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod hostile;
mod samples;

use std::fmt::Write;

use bytekiln_bytecode::{Operand, handlers, instructions, locations};
use expect_test::{Expect, expect};
use samples::{FIRST_LINE, sample};

fn check(minor: u8, expect: Expect) {
    let sample = sample(minor);
    let mut text = String::new();
    let spans = locations(sample.release, &sample.locations, FIRST_LINE, sample.code.len())
        .expect("a table of locations");
    for one in instructions(sample.release, &sample.code) {
        let span = spans.iter().find(|span| one.offset < span.end).expect("a location");
        let line = span.line.map_or("-".to_owned(), |line| line.to_string());
        let columns = match (span.column, span.end_column) {
            (Some(from), Some(to)) => format!(":{from}-{to}"),
            _ => String::new(),
        };
        let name = one.name.expect("a known opcode");
        write!(text, "{:<3} {line}{columns} {name}", one.offset).expect("text");
        if one.operand != Operand::None {
            write!(text, " {:?}", one.operand).expect("text");
        }
        text.push('\n');
    }
    for row in handlers(&sample.handlers).expect("a table of handlers") {
        let lasti = if row.push_lasti { " lasti" } else { "" };
        let (start, end, target, depth) = (row.start, row.end, row.target, row.depth);
        writeln!(text, "{start} to {end}: {target}, depth {depth}{lasti}").expect("text");
    }
    expect.assert_eq(&text);
}

#[test]
fn python_3_8() {
    check(
        8,
        expect![[r#"
            0   3 LOAD_FAST Local(0)
            2   3 GET_ITER
            4   3 FOR_ITER Jump(Some(68))
            6   3 STORE_FAST Local(2)
            8   4 SETUP_FINALLY Jump(Some(46))
            10  5 LOAD_FAST Local(2)
            12  5 LOAD_FAST Local(1)
            14  5 COMPARE_OP Selected("is not")
            16  5 POP_JUMP_IF_FALSE Jump(Some(42))
            18  5 LOAD_GLOBAL Name(0, None)
            20  5 LOAD_FAST Local(2)
            22  5 CALL_FUNCTION Number(1)
            24  5 LOAD_CONST Const(1)
            26  5 COMPARE_OP Selected("<")
            28  5 POP_JUMP_IF_FALSE Jump(Some(42))
            30  6 LOAD_FAST Local(2)
            32  6 LOAD_ATTR Name(1, None)
            34  6 POP_BLOCK
            36  6 ROT_TWO
            38  6 POP_TOP
            40  6 RETURN_VALUE
            42  6 POP_BLOCK
            44  6 JUMP_ABSOLUTE Jump(Some(4))
            46  7 DUP_TOP
            48  7 LOAD_GLOBAL Name(2, None)
            50  7 COMPARE_OP Selected("exception match")
            52  7 POP_JUMP_IF_FALSE Jump(Some(64))
            54  7 POP_TOP
            56  7 POP_TOP
            58  7 POP_TOP
            60  8 POP_EXCEPT
            62  8 JUMP_ABSOLUTE Jump(Some(4))
            64  8 END_FINALLY
            66  8 JUMP_ABSOLUTE Jump(Some(4))
            68  9 LOAD_FAST Local(1)
            70  9 RETURN_VALUE
        "#]],
    );
}

#[test]
fn python_3_9() {
    check(
        9,
        expect![[r#"
            0   3 LOAD_FAST Local(0)
            2   3 GET_ITER
            4   3 FOR_ITER Jump(Some(66))
            6   3 STORE_FAST Local(2)
            8   4 SETUP_FINALLY Jump(Some(46))
            10  5 LOAD_FAST Local(2)
            12  5 LOAD_FAST Local(1)
            14  5 IS_OP Selected("is not")
            16  5 POP_JUMP_IF_FALSE Jump(Some(42))
            18  5 LOAD_GLOBAL Name(0, None)
            20  5 LOAD_FAST Local(2)
            22  5 CALL_FUNCTION Number(1)
            24  5 LOAD_CONST Const(1)
            26  5 COMPARE_OP Selected("<")
            28  5 POP_JUMP_IF_FALSE Jump(Some(42))
            30  6 LOAD_FAST Local(2)
            32  6 LOAD_ATTR Name(1, None)
            34  6 POP_BLOCK
            36  6 ROT_TWO
            38  6 POP_TOP
            40  6 RETURN_VALUE
            42  6 POP_BLOCK
            44  6 JUMP_ABSOLUTE Jump(Some(4))
            46  7 DUP_TOP
            48  7 LOAD_GLOBAL Name(2, None)
            50  7 JUMP_IF_NOT_EXC_MATCH Jump(Some(62))
            52  7 POP_TOP
            54  7 POP_TOP
            56  7 POP_TOP
            58  8 POP_EXCEPT
            60  8 JUMP_ABSOLUTE Jump(Some(4))
            62  8 RERAISE
            64  8 JUMP_ABSOLUTE Jump(Some(4))
            66  9 LOAD_FAST Local(1)
            68  9 RETURN_VALUE
        "#]],
    );
}

#[test]
fn python_3_10() {
    check(
        10,
        expect![[r#"
            0   3 LOAD_FAST Local(0)
            2   3 GET_ITER
            4   3 FOR_ITER Jump(Some(64))
            6   3 STORE_FAST Local(2)
            8   4 SETUP_FINALLY Jump(Some(46))
            10  5 LOAD_FAST Local(2)
            12  5 LOAD_FAST Local(1)
            14  5 IS_OP Selected("is not")
            16  5 POP_JUMP_IF_FALSE Jump(Some(42))
            18  5 LOAD_GLOBAL Name(0, None)
            20  5 LOAD_FAST Local(2)
            22  5 CALL_FUNCTION Number(1)
            24  5 LOAD_CONST Const(1)
            26  5 COMPARE_OP Selected("<")
            28  5 POP_JUMP_IF_FALSE Jump(Some(42))
            30  6 LOAD_FAST Local(2)
            32  6 LOAD_ATTR Name(1, None)
            34  6 POP_BLOCK
            36  6 ROT_TWO
            38  6 POP_TOP
            40  6 RETURN_VALUE
            42  - POP_BLOCK
            44  - JUMP_ABSOLUTE Jump(Some(4))
            46  7 DUP_TOP
            48  7 LOAD_GLOBAL Name(2, None)
            50  7 JUMP_IF_NOT_EXC_MATCH Jump(Some(62))
            52  7 POP_TOP
            54  7 POP_TOP
            56  7 POP_TOP
            58  8 POP_EXCEPT
            60  8 JUMP_ABSOLUTE Jump(Some(4))
            62  7 RERAISE Number(0)
            64  9 LOAD_FAST Local(1)
            66  9 RETURN_VALUE
        "#]],
    );
}

#[test]
fn python_3_11() {
    check(
        11,
        expect![[r#"
            0   2:0-0 RESUME Number(0)
            2   3:16-21 LOAD_FAST Local(0)
            4   3:4-16 GET_ITER
            6   3:4-16 FOR_ITER Jump(Some(110))
            8   3:8-12 STORE_FAST Local(2)
            10  4:8-16 NOP
            12  5:15-19 LOAD_FAST Local(2)
            14  5:27-34 LOAD_FAST Local(1)
            16  5:15-34 IS_OP Selected("is not")
            18  5:15-34 POP_JUMP_FORWARD_IF_FALSE Jump(Some(76))
            20  5:39-42 LOAD_GLOBAL Name(0, Some("NULL"))
            32  5:43-47 LOAD_FAST Local(2)
            34  5:39-48 PRECALL Number(1)
            38  5:39-48 CALL Number(1)
            48  5:51-52 LOAD_CONST Const(1)
            50  5:39-52 COMPARE_OP Selected("<")
            56  5:39-52 POP_JUMP_FORWARD_IF_FALSE Jump(Some(76))
            58  6:23-27 LOAD_FAST Local(2)
            60  6:23-32 LOAD_ATTR Name(1, None)
            70  6:16-32 SWAP Number(2)
            72  6:16-32 POP_TOP
            74  6:16-32 RETURN_VALUE
            76  - JUMP_BACKWARD Jump(Some(6))
            78  - PUSH_EXC_INFO
            80  7:15-24 LOAD_GLOBAL Name(2, None)
            92  7:8-16 CHECK_EXC_MATCH
            94  7:8-16 POP_JUMP_FORWARD_IF_FALSE Jump(Some(102))
            96  7:8-16 POP_TOP
            98  8:12-16 POP_EXCEPT
            100 8:12-16 JUMP_BACKWARD Jump(Some(6))
            102 7:8-16 RERAISE Number(0)
            104 - COPY Number(3)
            106 - POP_EXCEPT
            108 - RERAISE Number(1)
            110 9:11-18 LOAD_FAST Local(1)
            112 9:4-18 RETURN_VALUE
            12 to 70: 78, depth 1
            78 to 98: 104, depth 2 lasti
            102 to 104: 104, depth 2 lasti
        "#]],
    );
}

#[test]
fn python_3_12() {
    check(
        12,
        expect![[r#"
            0   2:0-0 RESUME Number(0)
            2   3:16-21 LOAD_FAST Local(0)
            4   3:4-16 GET_ITER
            6   3:4-16 FOR_ITER Jump(Some(80))
            10  3:8-12 STORE_FAST Local(2)
            12  4:8-16 NOP
            14  5:15-19 LOAD_FAST Local(2)
            16  5:27-34 LOAD_FAST Local(1)
            18  5:15-34 IS_OP Selected("is not")
            20  5:15-34 POP_JUMP_IF_FALSE Jump(Some(78))
            22  5:39-42 LOAD_GLOBAL Name(0, Some("NULL"))
            32  5:43-47 LOAD_FAST Local(2)
            34  5:39-48 CALL Number(1)
            42  5:51-52 LOAD_CONST Const(1)
            44  5:39-52 COMPARE_OP Selected("<")
            48  5:39-52 POP_JUMP_IF_FALSE Jump(Some(78))
            50  6:23-27 LOAD_FAST Local(2)
            52  6:23-32 LOAD_ATTR Name(1, None)
            72  6:16-32 SWAP Number(2)
            74  6:16-32 POP_TOP
            76  6:16-32 RETURN_VALUE
            78  - JUMP_BACKWARD Jump(Some(6))
            80  3:4-16 END_FOR
            82  9:11-18 LOAD_FAST Local(1)
            84  9:4-18 RETURN_VALUE
            86  - PUSH_EXC_INFO
            88  7:15-24 LOAD_GLOBAL Name(2, None)
            98  7:8-16 CHECK_EXC_MATCH
            100 7:8-16 POP_JUMP_IF_FALSE Jump(Some(108))
            102 7:8-16 POP_TOP
            104 8:12-16 POP_EXCEPT
            106 8:12-16 JUMP_BACKWARD Jump(Some(6))
            108 7:8-16 RERAISE Number(0)
            110 - COPY Number(3)
            112 - POP_EXCEPT
            114 - RERAISE Number(1)
            14 to 72: 86, depth 1
            86 to 104: 110, depth 2 lasti
            108 to 110: 110, depth 2 lasti
        "#]],
    );
}

#[test]
fn python_3_13() {
    check(
        13,
        expect![[r#"
            0   2:0-0 RESUME Number(0)
            2   3:16-21 LOAD_FAST Local(0)
            4   3:16-21 GET_ITER
            6   3:16-21 FOR_ITER Jump(Some(88))
            10  3:8-12 STORE_FAST Local(2)
            12  4:8-16 NOP
            14  5:15-19 LOAD_FAST_LOAD_FAST LocalPair(2, 1)
            16  5:15-34 IS_OP Selected("is not")
            18  5:15-34 POP_JUMP_IF_FALSE Jump(Some(84))
            22  5:39-42 LOAD_GLOBAL Name(0, Some("NULL"))
            32  5:43-47 LOAD_FAST Local(2)
            34  5:39-48 CALL Number(1)
            42  5:51-52 LOAD_CONST Const(1)
            44  5:39-52 COMPARE_OP Selected("bool(<)")
            48  5:39-52 POP_JUMP_IF_FALSE Jump(Some(80))
            52  6:23-27 LOAD_FAST Local(2)
            54  6:23-32 LOAD_ATTR Name(1, None)
            74  6:16-32 SWAP Number(2)
            76  6:16-32 POP_TOP
            78  6:16-32 RETURN_VALUE
            80  5:39-52 JUMP_BACKWARD Jump(Some(6))
            84  5:15-34 JUMP_BACKWARD Jump(Some(6))
            88  3:16-21 END_FOR
            90  3:16-21 POP_TOP
            92  9:11-18 LOAD_FAST Local(1)
            94  9:4-18 RETURN_VALUE
            96  - PUSH_EXC_INFO
            98  7:15-24 LOAD_GLOBAL Name(2, None)
            108 7:8-16 CHECK_EXC_MATCH
            110 7:8-16 POP_JUMP_IF_FALSE Jump(Some(122))
            114 7:8-16 POP_TOP
            116 8:12-16 POP_EXCEPT
            118 8:12-16 JUMP_BACKWARD Jump(Some(6))
            122 7:8-16 RERAISE Number(0)
            124 - COPY Number(3)
            126 - POP_EXCEPT
            128 - RERAISE Number(1)
            14 to 74: 96, depth 1
            96 to 116: 124, depth 2 lasti
            122 to 124: 124, depth 2 lasti
        "#]],
    );
}

#[test]
fn python_3_14() {
    check(
        14,
        expect![[r#"
            0   2:0-0 RESUME Number(0)
            2   3:16-21 LOAD_FAST_BORROW Local(0)
            4   3:16-21 GET_ITER
            6   3:16-21 FOR_ITER Jump(Some(92))
            10  3:8-12 STORE_FAST Local(2)
            12  4:8-16 NOP
            14  5:15-19 LOAD_FAST_BORROW_LOAD_FAST_BORROW LocalPair(2, 1)
            16  5:15-34 IS_OP Selected("is not")
            18  5:15-34 POP_JUMP_IF_FALSE Jump(Some(88))
            22  5:15-34 NOT_TAKEN
            24  5:39-42 LOAD_GLOBAL Name(0, Some("NULL"))
            34  5:43-47 LOAD_FAST_BORROW Local(2)
            36  5:39-48 CALL Number(1)
            44  5:51-52 LOAD_SMALL_INT SmallInt(3)
            46  5:39-52 COMPARE_OP Selected("bool(<)")
            50  5:39-52 POP_JUMP_IF_FALSE Jump(Some(84))
            54  5:39-52 NOT_TAKEN
            56  6:23-27 LOAD_FAST_BORROW Local(2)
            58  6:23-32 LOAD_ATTR Name(1, None)
            78  6:16-32 SWAP Number(2)
            80  6:16-32 POP_TOP
            82  6:16-32 RETURN_VALUE
            84  5:39-52 JUMP_BACKWARD Jump(Some(6))
            88  5:15-34 JUMP_BACKWARD Jump(Some(6))
            92  3:16-21 END_FOR
            94  3:16-21 POP_ITER
            96  9:11-18 LOAD_FAST_BORROW Local(1)
            98  9:4-18 RETURN_VALUE
            100 - PUSH_EXC_INFO
            102 7:15-24 LOAD_GLOBAL Name(2, None)
            112 7:8-16 CHECK_EXC_MATCH
            114 7:8-16 POP_JUMP_IF_FALSE Jump(Some(128))
            118 7:8-16 NOT_TAKEN
            120 7:8-16 POP_TOP
            122 8:12-16 POP_EXCEPT
            124 8:12-16 JUMP_BACKWARD Jump(Some(6))
            128 7:8-16 RERAISE Number(0)
            130 - COPY Number(3)
            132 - POP_EXCEPT
            134 - RERAISE Number(1)
            14 to 78: 100, depth 1
            100 to 122: 130, depth 2 lasti
            128 to 130: 130, depth 2 lasti
        "#]],
    );
}

#[test]
fn python_3_15() {
    check(
        15,
        expect![[r#"
            0   2:0-0 RESUME Number(0)
            4   3:16-21 LOAD_FAST Local(0)
            6   3:16-21 GET_ITER Number(0)
            10  3:16-21 FOR_ITER Jump(Some(98))
            14  3:8-12 STORE_FAST Local(2)
            16  4:8-16 NOP
            18  5:15-19 LOAD_FAST_BORROW_LOAD_FAST_BORROW LocalPair(2, 1)
            20  5:15-34 IS_OP Selected("is not")
            22  5:15-34 POP_JUMP_IF_FALSE Jump(Some(94))
            26  5:15-34 NOT_TAKEN
            28  5:39-42 LOAD_GLOBAL Name(0, Some("NULL"))
            38  5:43-47 LOAD_FAST_BORROW Local(2)
            40  5:39-48 CALL Number(1)
            48  5:51-52 LOAD_SMALL_INT SmallInt(3)
            50  5:39-52 COMPARE_OP Selected("bool(<)")
            54  5:39-52 POP_JUMP_IF_FALSE Jump(Some(90))
            58  5:39-52 NOT_TAKEN
            60  6:23-27 LOAD_FAST_BORROW Local(2)
            62  6:23-32 LOAD_ATTR Name(1, None)
            82  6:16-32 SWAP Number(3)
            84  6:16-32 POP_TOP
            86  6:16-32 POP_TOP
            88  6:16-32 RETURN_VALUE
            90  5:39-52 JUMP_BACKWARD Jump(Some(10))
            94  5:15-34 JUMP_BACKWARD Jump(Some(10))
            98  3:16-21 END_FOR
            100 3:16-21 POP_ITER
            102 9:11-18 LOAD_FAST_BORROW Local(1)
            104 9:4-18 RETURN_VALUE
            106 - PUSH_EXC_INFO
            108 7:15-24 LOAD_GLOBAL Name(2, None)
            118 7:8-16 CHECK_EXC_MATCH
            120 7:8-16 POP_JUMP_IF_FALSE Jump(Some(134))
            124 7:8-16 NOT_TAKEN
            126 7:8-16 POP_TOP
            128 8:12-16 POP_EXCEPT
            130 8:12-16 JUMP_BACKWARD Jump(Some(10))
            134 7:8-16 RERAISE Number(0)
            136 - COPY Number(3)
            138 - POP_EXCEPT
            140 - RERAISE Number(1)
            18 to 26: 106, depth 2
            28 to 58: 106, depth 2
            60 to 82: 106, depth 2
            106 to 124: 136, depth 3 lasti
            126 to 128: 136, depth 3 lasti
            134 to 136: 136, depth 3 lasti
        "#]],
    );
}
