//! Diagnostics as people see them, and a property: nothing makes the renderer panic or lets a
//! control character through.

use bytekiln_action::{Diagnostic, DiagnosticKind, Position, RepoPath};
use bytekiln_planner::{Problem, Severity};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const PLAIN: Style = Style { color: false, width: None };

fn at(line: u32, column: u32) -> Option<Position> {
    Some(Position { line, column: Some(column) })
}

fn error(message: &str, start: Option<Position>, end: Option<Position>, text: &str) -> Diagnostic {
    Diagnostic {
        kind: DiagnosticKind::Error,
        category: "SyntaxError".to_owned(),
        message: message.to_owned(),
        start,
        end,
        line_text: Some(text.to_owned()),
    }
}

fn coin() -> RepoPath {
    RepoPath::new(b"money/coin.py").unwrap()
}

fn check(diagnostic: &Diagnostic, style: &Style, expect: &Expect) {
    expect.assert_eq(&render(diagnostic, &coin(), &[], style));
}

/// A line with a marked part.
fn check_line(start: u32, end: Option<Position>, text: &str, expect: &Expect) {
    check(&error("invalid syntax", at(7, start), end, text), &PLAIN, expect);
}

#[test]
fn an_error_with_its_targets() {
    let diagnostic = error("'(' was never closed", at(12, 9), at(12, 10), "    x = (1 + 2");
    let targets = ["CPython 3.11.7", "CPython 3.14.8", "CPython 3.14.8 -OO", "PyPy 7.3 -O"];
    let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
    expect![[r#"
        error: '(' was never closed [SyntaxError]
          --> money/coin.py:12:9
           |
        12 |     x = (1 + 2
           |         ^
           = compiled for: CPython 3.11.7, CPython 3.14.8 (levels 0, 2), PyPy 7.3 (level 1)
    "#]]
    .assert_eq(&render(&diagnostic, &coin(), &targets, &PLAIN));
}

#[test]
fn colours() {
    let mut diagnostic = error("\"is\" with 'int' literal", at(3, 4), at(3, 10), "if a is 1: pass");
    let style = Style { color: true, width: Some(80) };
    let shown = |diagnostic: &Diagnostic| {
        render(diagnostic, &coin(), &["CPython 3.14.8".to_owned()], &style).replace('\x1b', "ESC")
    };
    expect![[r#"
        ESC[1;31merrorESC[0mESC[1m: ESC[0mESC[1m"is" with 'int' literal [SyntaxError]ESC[0m
         ESC[1;34m-->ESC[0m money/coin.py:3:4
          ESC[1;34m|ESC[0m
        ESC[1;34m3ESC[0m ESC[1;34m|ESC[0m if a is 1: pass
          ESC[1;34m|ESC[0m    ESC[1;31m^^^^^^ESC[0m
          ESC[1;34m=ESC[0m ESC[1mcompiled forESC[0m: CPython 3.14.8
    "#]]
    .assert_eq(&shown(&diagnostic));
    diagnostic.kind = DiagnosticKind::Warning;
    diagnostic.category = "SyntaxWarning".to_owned();
    expect![[r#"
        ESC[1;33mwarningESC[0mESC[1m: ESC[0mESC[1m"is" with 'int' literal [SyntaxWarning]ESC[0m
         ESC[1;34m-->ESC[0m money/coin.py:3:4
          ESC[1;34m|ESC[0m
        ESC[1;34m3ESC[0m ESC[1;34m|ESC[0m if a is 1: pass
          ESC[1;34m|ESC[0m    ESC[1;33m^^^^^^ESC[0m
          ESC[1;34m=ESC[0m ESC[1mcompiled forESC[0m: CPython 3.14.8
    "#]]
    .assert_eq(&shown(&diagnostic));
}

#[test]
fn columns_are_characters_and_carets_are_cells() {
    // Tabs, wide characters, combining marks, an emoji of several characters.
    check_line(
        3,
        at(7, 4),
        "\t\t(",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:3
          |
        7 |         (
          |         ^
    "#]],
    );
    check_line(
        10,
        at(7, 13),
        "名前 = '値' + = 1",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:10
          |
        7 | 名前 = '値' + = 1
          |             ^^^
    "#]],
    );
    check_line(
        7,
        at(7, 9),
        "e\u{301}te\u{301} = $$",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:7
          |
        7 | été = $$
          |     ^^
    "#]],
    );
    check_line(
        2,
        None,
        "e\u{301}\u{302} = 1",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:2
          |
        7 | é̂ = 1
          | ^
    "#]],
    );
    check_line(
        9,
        None,
        "'👩\u{200d}👩\u{200d}👧' $",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:9
          |
        7 | '👩👩👧' $
          |          ^
    "#]],
    );
    let zalgo = format!("a{} $", "\u{301}".repeat(100_000));
    check_line(
        100_003,
        None,
        &zalgo,
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:100003
          |
        7 | á́́́́́́́ $
          |   ^
    "#]],
    );
}

#[test]
fn odd_ends() {
    // Behind the end of the line, far behind it, end before start, the whole rest of the line.
    check_line(
        6,
        None,
        "x = (",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:6
          |
        7 | x = (
          |      ^
    "#]],
    );
    check_line(
        4_000_000_000,
        at(7, u32::MAX),
        "x = (",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:4000000000
          |
        7 | x = (
          |      ^
    "#]],
    );
    check_line(
        5,
        at(7, 2),
        "x = (",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:5
          |
        7 | x = (
          |     ^
    "#]],
    );
    check_line(
        5,
        at(6, 9),
        "x = (",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:5
          |
        7 | x = (
          |     ^
    "#]],
    );
    check_line(
        5,
        at(9, 2),
        "x = '''text   ",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:5
          |
        7 | x = '''text
          |     ^^^^^^^… to line 9
    "#]],
    );
    check_line(
        1,
        Some(Position { line: 7, column: None }),
        "x",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:1
          |
        7 | x
          | ^
    "#]],
    );
    check_line(
        1,
        None,
        "",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:1
          |
        7 |
          | ^
    "#]],
    );
    check_line(
        2,
        None,
        "a\r\nsecond line",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:2
          |
        7 | a
          |  ^
    "#]],
    );
}

#[test]
fn what_is_missing() {
    let mut diagnostic = error("unindent does not match", at(1_234, 0), None, "  pass");
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: unindent does not match [SyntaxError]
            --> money/coin.py:1234
             |
        1234 |   pass
    "#]],
    );
    diagnostic.line_text = None;
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: unindent does not match [SyntaxError]
            --> money/coin.py:1234
    "#]],
    );
    diagnostic.start = at(0, 5);
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: unindent does not match [SyntaxError]
         --> money/coin.py
    "#]],
    );
    diagnostic.start = None;
    diagnostic.category.clear();
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: unindent does not match
         --> money/coin.py
    "#]],
    );
    diagnostic.message = "source code cannot contain null bytes\nsecond\x1b[2Jline".to_owned();
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: source code cannot contain null bytes
               second␛[2Jline
         --> money/coin.py
    "#]],
    );
    diagnostic.message.clear();
    check(
        &diagnostic,
        &PLAIN,
        &expect![[r#"
        error: no message
         --> money/coin.py
    "#]],
    );
}

#[test]
fn terminals_are_safe() {
    check_line(
        3,
        at(7, 7),
        "a \x1b[31m\x07 \u{9b}2J \x7f b\rc\x0c",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:3
          |
        7 | a ␛[31m␇ �2J ␡ b␍c␌
          |   ^^^^
    "#]],
    );
    check_line(
        5,
        None,
        "x = \u{200b}1 # \u{202e}txet\u{2066}",
        &expect![[r#"
        error: invalid syntax [SyntaxError]
         --> money/coin.py:7:5
          |
        7 | x = �1 # �txet�
          |     ^
    "#]],
    );
    let hostile = RepoPath::new(b"a\x1b[2J\n\xff.py").unwrap();
    let diagnostic = error("no", None, None, "");
    expect![[r#"
        error: no [SyntaxError]
         --> a\x1b[2J\x0a\xff.py
          = compiled for: a b␛
    "#]]
    .assert_eq(&render(&diagnostic, &hostile, &["a\nb\x1b".to_owned()], &PLAIN));
}

#[test]
fn long_lines_show_a_window() {
    let narrow = Style { color: false, width: Some(46) };
    let numbers: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let line = format!("x = [{}]", numbers.join(","));
    let check = |column: u32, end: u32, expect: &Expect| {
        check(&error("oh", at(7, column), at(7, end), &line), &narrow, expect);
    };
    check(
        1,
        2,
        &expect![[r#"
        error: oh [SyntaxError]
         --> money/coin.py:7:1
          |
        7 | x = [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,1…
          | ^
    "#]],
    );
    check(
        50_000,
        50_004,
        &expect![[r#"
        error: oh [SyntaxError]
         --> money/coin.py:7:50000
          |
        7 | …,10181,10182,10183,10184,10185,10186,101…
          |                     ^^^^
    "#]],
    );
    check(
        50_000,
        60_000,
        &expect![[r#"
        error: oh [SyntaxError]
         --> money/coin.py:7:50000
          |
        7 | …182,10183,10184,10185,10186,10187,10188,…
          |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]],
    );
    check(
        line.len() as u32 + 1,
        0,
        &expect![[r#"
            error: oh [SyntaxError]
             --> money/coin.py:7:108896
              |
            7 | …9993,19994,19995,19996,19997,19998,19999]
              |                                           ^
        "#]],
    );
    let wide = "値".repeat(100_000);
    self::check(
        &error("oh", at(7, 50_000), None, &wide),
        &narrow,
        &expect![[r#"
        error: oh [SyntaxError]
         --> money/coin.py:7:50000
          |
        7 | …値値値値値値値値値値値値値値値値値値値値…
          |                      ^^
    "#]],
    );
    let style = Style { color: false, width: Some(0) };
    self::check(
        &error("oh", at(7, 30), None, &line),
        &style,
        &expect![[r#"
        error: oh [SyntaxError]
         --> money/coin.py:7:30
          |
        7 | …,8,9,10,11,12,13,1…
          |           ^
    "#]],
    );
    let mut nowhere = error("oh", at(7, 0), None, &line);
    nowhere.kind = DiagnosticKind::Warning;
    self::check(
        &nowhere,
        &narrow,
        &expect![[r#"
        warning: oh [SyntaxError]
         --> money/coin.py:7
          |
        7 | x = [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,1…
    "#]],
    );
}

#[test]
fn problems() {
    let problem = Problem {
        severity: Severity::Warning,
        path: RepoPath::new(b"libs/money"),
        message: "no module can be imported from here".to_owned(),
        hint: Some("add `__init__.py`\nor exclude it".to_owned()),
    };
    expect![[r#"
        warning: no module can be imported from here
          --> libs/money
          = help: add `__init__.py`
                  or exclude it
    "#]]
    .assert_eq(&render_problem(&problem, &PLAIN));
    let problem = Problem { severity: Severity::Error, path: None, hint: None, ..problem };
    let style = Style { color: true, width: None };
    expect![[r#"
        ESC[1;31merrorESC[0mESC[1m: ESC[0mESC[1mno module can be imported from hereESC[0m
    "#]]
    .assert_eq(&render_problem(&problem, &style).replace('\x1b', "ESC"));
}

fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        proptest::char::range('\0', '\u{ff}'),
        proptest::char::range('\u{2000}', '\u{206f}'),
        proptest::sample::select(vec!['\t', '\r', '\n', 'e', '\u{301}', '値', '👩', '\u{200d}']),
    ];
    proptest::collection::vec(character, 0..60).prop_map(String::from_iter)
}

fn any_position() -> impl Strategy<Value = Option<Position>> {
    let number = || prop_oneof![0..20_u32, 0..400_u32, any::<u32>()];
    proptest::option::of(
        (number(), proptest::option::of(number()))
            .prop_map(|(line, column)| Position { line, column }),
    )
}

prop_compose! {
    fn any_diagnostic()(
        is_error in any::<bool>(),
        category in any_text(),
        message in any_text(),
        start in any_position(),
        end in any_position(),
        line_text in proptest::option::of(any_text()),
    ) -> Diagnostic {
        let kind = if is_error { DiagnosticKind::Error } else { DiagnosticKind::Warning };
        Diagnostic { kind, category, message, start, end, line_text }
    }
}

proptest! {
    #[test]
    fn nothing_gets_through(
        diagnostic in any_diagnostic(),
        targets in proptest::collection::vec(any_text(), 0..3),
        name in proptest::collection::vec(any::<u8>(), 1..9),
        width in proptest::option::of(prop_oneof![0..200_usize, any::<usize>()]),
    ) {
        let path = RepoPath::new(&name).unwrap_or_default();
        let plain = render(&diagnostic, &path, &targets, &Style { color: false, width });
        prop_assert!(!plain.chars().any(|character| character.is_control() && character != '\n'));
        prop_assert!(plain.ends_with('\n'));
        let mut colored = render(&diagnostic, &path, &targets, &Style { color: true, width });
        for code in ["1;31", "1;33", "1;34", "1", "0"] {
            colored = colored.replace(&format!("\x1b[{code}m"), "");
        }
        prop_assert!(!colored.contains('\x1b'));
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(trimmed(&colored), trimmed(&plain));
    }

    #[test]
    fn lines_fit(diagnostic in any_diagnostic(), width in 40..80_usize) {
        let columns = width - 20;
        if let Some(text) = &diagnostic.line_text {
            let span = Span { first: 3, last: 9 };
            let excerpt = Excerpt::new(text, Some(span), columns);
            let (indent, length) = excerpt.marker.unwrap();
            prop_assert!(length > 0 && indent + length <= columns + 1);
            let shown: usize = excerpt
                .text
                .chars()
                .filter_map(unicode_width::UnicodeWidthChar::width)
                .sum();
            prop_assert!(shown <= columns, "{} > {}", shown, columns);
        }
    }
}
