//! Traces as interpreters wrote them, broken ones, and whatever else there may be.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn shown(trace: &Trace) -> String {
    let mut out = String::new();
    for import in &trace.imports {
        let name = if import.name.is_empty() { "?" } else { &import.name };
        let indent = "  ".repeat(import.depth);
        out.push_str(&format!("{indent}{name} {} {}\n", import.self_time, import.cumulative));
    }
    let Trace { damaged, overlapping, unfinished, others, .. } = trace;
    out.push_str(&format!("damaged {damaged}, overlapping {overlapping}, "));
    out.push_str(&format!("unfinished {unfinished}, others {others}\n"));
    out
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "written at the call")]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&shown(&Trace::parse(text.as_bytes())));
}

const WHOLE: &str = "\
import time: self [us] | cumulative | imported package
import time:       145 |        145 |   _io
import time:       365 |        510 | _frozen_importlib_external
import time:       174 |        174 |       _json
import time:       904 |       1078 |     json.scanner
import time:      1537 |       2615 |   json.decoder
import time:      1694 |       1694 |   json.encoder
import time:       836 |       5145 | json
";

#[test]
fn a_whole_one() {
    check(
        WHOLE,
        expect![[r#"
            _frozen_importlib_external 365 510
              _io 145 145
            json 836 5145
              json.decoder 1537 2615
                json.scanner 904 1078
                  _json 174 174
              json.encoder 1694 1694
            damaged 0, overlapping 0, unfinished 0, others 0
        "#]],
    );
}

#[test]
fn output_in_between() {
    check(
        "hello\nimport time: 1 | 1 |   a\nloading...import time: 2 | 3 | b\n\u{1b}[31mimport time: x\n\
         import time: 9 | 9 | \nimport time: 1 | 1\nimport time: cached | cached |   a\n",
        expect![[r#"
            b 2 3
              a 1 1
            damaged 3, overlapping 0, unfinished 0, others 0
        "#]],
    );
}

/// Killed, or gone with `os._exit`, while importing.
#[test]
fn unfinished_imports() {
    check(
        "import time: 1 | 1 | a\nimport time: 2 | 2 |     c\nimport time: 3 | 3 |   b\nimport time: 4 | 4 |       d\n",
        expect![[r#"
            a 1 1
            ? 0 7
              b 3 3
                c 2 2
              ? 0 4
                ? 0 4
                  d 4 4
            damaged 0, overlapping 0, unfinished 3, others 0
        "#]],
    );
}

/// A line was lost: what it imported goes to the next above.
#[test]
fn a_lost_line() {
    check(
        "import time: 1 | 1 |       c\nimport time: 1 | 9 | a\n",
        expect![[r#"
            a 1 9
              c 1 1
            damaged 0, overlapping 0, unfinished 0, others 0
        "#]],
    );
}

#[test]
fn threads_overlap() {
    check(
        "import time: 900 | 900 |   slow\nimport time: -5 | 10 | quick\n",
        expect![[r#"
            quick 0 10
              slow 900 900
            damaged 0, overlapping 1, unfinished 0, others 0
        "#]],
    );
}

/// `multiprocessing` passes the option on to the interpreters that it starts.
#[test]
fn another_interpreter() {
    check(
        &format!("{WHOLE}import time: self [us] | cumulative | imported package\nimport time: 7 | 7 | late\n")
            .replace("import time:       836 |       5145 | json\n", ""),
        expect![[r#"
            _frozen_importlib_external 365 510
              _io 145 145
            ? 0 4309
              json.decoder 1537 2615
                json.scanner 904 1078
                  _json 174 174
              json.encoder 1694 1694
            damaged 0, overlapping 0, unfinished 1, others 1
        "#]],
    );
}

fn whatever() -> impl Strategy<Value = Vec<u8>> {
    let line = (0..60_i64, 0..99_i64, 0..9_usize, "[a-c.|:\u{e9} ]{0,6}").prop_map(
        |(own, cumulative, depth, name)| {
            let indent = "  ".repeat(depth);
            format!("import time: {} | {cumulative} | {indent}{name}\n", own - 5).into_bytes()
        },
    );
    let noise = proptest::collection::vec(any::<u8>(), 0..40);
    let piece = prop_oneof![6 => line, 1 => noise];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_gives_a_tree(text in whatever(), cut in any::<usize>()) {
        let text = &text[..cut % (text.len() + 1)];
        let trace = Trace::parse(text);
        for (at, import) in trace.imports.iter().enumerate() {
            let depth = import.parent.map(|parent| trace.imports[parent].depth + 1);
            prop_assert_eq!(import.depth, depth.unwrap_or(0));
            prop_assert!(import.parent.is_none_or(|parent| parent < at));
        }
        let marks = text.windows(TRACE.len()).filter(|window| *window == TRACE).count();
        let named = trace.imports.iter().filter(|import| !import.name.is_empty()).count();
        prop_assert!(named + trace.damaged <= marks);
        // Pieces of any size come to the same.
        let mut collector = crate::Collector::new();
        text.chunks(7).for_each(|piece| collector.push(piece));
        let captured = collector.finish();
        prop_assert_eq!(Trace::parse(&captured.lines).imports.len(), trace.imports.len());
    }

    /// Any tree, written as the interpreter writes it, is read as it was.
    #[test]
    fn trees_come_back(depths in proptest::collection::vec(0..4_usize, 1..40)) {
        let mut path: Vec<usize> = Vec::new();
        let mut parents: Vec<Option<usize>> = Vec::new();
        for (at, depth) in depths.iter().enumerate() {
            path.truncate(*depth);
            parents.push(path.last().copied());
            path.push(at);
        }
        let depth_of = |mut at: usize| {
            let mut depth = 0;
            while let Some(parent) = parents[at] { at = parent; depth += 1; }
            depth
        };
        // After its children: the order of ends.
        let mut order: Vec<usize> = Vec::new();
        fn visit(at: Option<usize>, parents: &[Option<usize>], order: &mut Vec<usize>) {
            for child in (0..parents.len()).filter(|child| parents[*child] == at) {
                visit(Some(child), parents, order);
                order.push(child);
            }
        }
        visit(None, &parents, &mut order);
        let text: String = order
            .iter()
            .map(|at| format!("import time: 1 | 1000 | {}m{at}\n", "  ".repeat(depth_of(*at))))
            .collect();
        let trace = Trace::parse(text.as_bytes());
        let names: Vec<String> = trace.imports.iter().map(|one| one.name.clone()).collect();
        let written: Vec<String> = (0..parents.len()).map(|at| format!("m{at}")).collect();
        prop_assert_eq!(names, written);
        let read: Vec<Option<usize>> = trace.imports.iter().map(|one| one.parent).collect();
        prop_assert_eq!(read, parents);
    }
}
