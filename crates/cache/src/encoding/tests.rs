//! The bytes of format version 1, and what hostile bytes do.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(result: &ActionResult, expect: Expect) {
    let bytes = encode_result(result);
    let hex: Vec<String> = bytes
        .chunks(16)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "))
        .collect();
    expect.assert_eq(&hex.join("\n"));
    assert_eq!(decode_result(&bytes).as_ref(), Some(result));
}

fn rejection() -> ActionResult {
    ActionResult {
        outcome: Outcome::Rejected {
            error: Diagnostic {
                kind: DiagnosticKind::Error,
                category: "SyntaxError".to_owned(),
                message: "bad".to_owned(),
                start: Some(Position { line: 3, column: Some(5) }),
                end: Some(Position { line: 3, column: None }),
                line_text: Some("é = (".to_owned()),
            },
        },
        warnings: vec![Diagnostic {
            kind: DiagnosticKind::Warning,
            category: "SyntaxWarning".to_owned(),
            message: String::new(),
            start: None,
            end: None,
            line_text: None,
        }],
        compile_micros: 258,
    }
}

#[test]
fn golden_compiled() {
    let output = Digest { hash: [0xab; 32], size: 1027 };
    check(
        &ActionResult {
            outcome: Outcome::Compiled { output },
            warnings: vec![],
            compile_micros: 1,
        },
        expect![[r#"
            01 00 ab ab ab ab ab ab ab ab ab ab ab ab ab ab
            ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab
            ab ab 03 04 00 00 00 00 00 00 00 00 00 00 01 00
            00 00 00 00 00 00"#]],
    );
}

#[test]
fn golden_digested() {
    let output = Digest { hash: [0xcd; 32], size: 3 };
    check(
        &ActionResult {
            outcome: Outcome::Digested { output },
            warnings: vec![],
            compile_micros: 2,
        },
        expect![[r#"
            01 02 cd cd cd cd cd cd cd cd cd cd cd cd cd cd
            cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd
            cd cd 03 00 00 00 00 00 00 00 00 00 00 00 02 00
            00 00 00 00 00 00"#]],
    );
}

#[test]
fn golden_rejected() {
    check(
        &rejection(),
        expect![[r#"
        01 01 00 17 0b 00 00 00 53 79 6e 74 61 78 45 72
        72 6f 72 03 00 00 00 62 61 64 03 00 00 00 05 00
        00 00 03 00 00 00 06 00 00 00 c3 a9 20 3d 20 28
        01 00 00 00 01 00 0d 00 00 00 53 79 6e 74 61 78
        57 61 72 6e 69 6e 67 00 00 00 00 02 01 00 00 00
        00 00 00"#]],
    );
}

#[test]
fn anything_but_one_whole_result_is_none() {
    let bytes = encode_result(&rejection());
    for length in 0..bytes.len() {
        assert_eq!(decode_result(&bytes[..length]), None, "cut to {length}");
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert_eq!(decode_result(&longer), None);
    let newer: Vec<u8> = [2].into_iter().chain(bytes[1..].iter().copied()).collect();
    assert_eq!(decode_result(&newer), None);
}

fn position() -> impl Strategy<Value = Option<Position>> {
    proptest::option::of(
        (any::<u32>(), any::<Option<u32>>()).prop_map(|(line, column)| Position { line, column }),
    )
}

fn diagnostic() -> impl Strategy<Value = Diagnostic> {
    let kind = prop_oneof![Just(DiagnosticKind::Error), Just(DiagnosticKind::Warning)];
    (kind, any::<(String, String, Option<String>)>(), position(), position()).prop_map(
        |(kind, (category, message, line_text), start, end)| Diagnostic {
            kind,
            category,
            message,
            start,
            end,
            line_text,
        },
    )
}

proptest! {
    #[test]
    fn round_trip(
        rejected in proptest::option::of(diagnostic()),
        kept in any::<bool>(),
        hash in any::<[u8; 32]>(),
        size in any::<u64>(),
        warnings in proptest::collection::vec(diagnostic(), 0..4),
        compile_micros in any::<u64>(),
    ) {
        let outcome = match rejected {
            Some(error) => Outcome::Rejected { error },
            None if kept => Outcome::Compiled { output: Digest { hash, size } },
            None => Outcome::Digested { output: Digest { hash, size } },
        };
        let result = ActionResult { outcome, warnings, compile_micros };
        prop_assert_eq!(decode_result(&encode_result(&result)), Some(result));
    }

    /// What is read from any bytes is what would have been written: one spelling a value.
    #[test]
    fn one_spelling(flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4)) {
        let mut bytes = encode_result(&rejection());
        for (at, xor) in flips {
            let at = at % bytes.len();
            bytes[at] ^= xor;
        }
        if let Some(result) = decode_result(&bytes) {
            prop_assert_eq!(encode_result(&result), bytes);
        }
    }
}
