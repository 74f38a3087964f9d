//! Rows are found, and nothing else changes.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(record: &str, path: &str, expected: Expect) {
    let mut parsed = Record::parse(record.as_bytes().to_vec()).unwrap();
    let row = parsed.find(path.as_bytes()).expect("a row");
    parsed.update(row, Digest::of(b"new"));
    expected.assert_eq(&String::from_utf8(parsed.to_bytes()).unwrap().replace('\r', "\\r"));
}

#[test]
fn base64_of_rfc_4648() {
    for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")]
    {
        assert_eq!(base64_url(bytes.as_bytes()), text);
    }
    assert_eq!(base64_url(&[0xfb, 0xff]), "-_8");
}

#[test]
fn only_the_row_changes() {
    check(
        "a.py,sha256=AAAA,3\r\nb.pyc,sha256=BBBB,12\r\nx-1.dist-info/RECORD,,\r\n",
        "b.pyc",
        expect![[r#"
            a.py,sha256=AAAA,3\r
            b.pyc,sha256=EVB6Di9eadXfpApiob17buV-a82FxnybhDGzb_8hxDc,3\r
            x-1.dist-info/RECORD,,\r
        "#]],
    );
    // Quotes stay, a size that was not there is not added, nothing follows the last line.
    check(
        "\"a,\"\"b\"\".pyc\",\"sha256=BBBB\",\nc.py,,",
        "a,\"b\".pyc",
        expect![[r#"
            "a,""b"".pyc","sha256=EVB6Di9eadXfpApiob17buV-a82FxnybhDGzb_8hxDc",
            c.py,,"#]],
    );
    // pip leaves the hash of caches out; it stays out.
    check(
        "a.pyc,,\nshort\n\n,,\n",
        "a.pyc",
        expect![[r#"
        a.pyc,,
        short

        ,,
    "#]],
    );
}

#[test]
fn a_new_one_is_sorted_and_ends_with_itself() {
    let digest = Digest::of(b"abc");
    let files: [&[u8]; 4] = [b"z.py", b"a,\"b\".py", b"x-1.dist-info/RECORD", b"a/b.py"];
    let record = Record::build(b"x-1.dist-info/RECORD", files.map(|path| (path, digest)));
    expect![[r#"
        "a,""b"".py",sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        a/b.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        z.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        x-1.dist-info/RECORD,,
    "#]]
    .assert_eq(&String::from_utf8(record.to_bytes()).unwrap());
    assert_eq!(record.find(b"a,\"b\".py"), Some(0));
    assert!(!record.is_changed());
}

/// Removes the rows of these paths, adds `new.pyc` and `c.pyc`.
fn check_edits(record: &str, removed: &[&str], expected: Expect) {
    let mut record = Record::parse(record.as_bytes().to_vec()).unwrap();
    for path in removed {
        let row = record.find(path.as_bytes()).unwrap();
        record.remove(row);
        assert_eq!(record.find(path.as_bytes()), None);
    }
    record.add(b"new.pyc", None);
    record.add(b"c.pyc", Some(Digest::of(b"abc")));
    assert!(record.is_changed());
    let told = String::from_utf8(record.to_bytes()).unwrap();
    expected.assert_eq(&told.replace('\r', "\\r"));
    Record::parse(told.into_bytes()).unwrap();
}

#[test]
fn rows_are_added_and_removed() {
    check_edits(
        "b.py,\"sha256=AAAA\",3\r\nshort\r\na.py,md5=x,\r\nx/RECORD,,\r\n",
        &["a.py"],
        expect![[r#"
            b.py,"sha256=AAAA",3\r
            short\r
            c.pyc,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\r
            new.pyc,,\r
            x/RECORD,,\r
        "#]],
    );
    // Its own row is not the last, or not there, or goes; the last line has no end.
    check_edits(
        "x/RECORD,,\nb.py,sha256=AAAA,3",
        &["x/RECORD"],
        expect![[r#"
        b.py,sha256=AAAA,3
        c.pyc,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        new.pyc,,
    "#]],
    );
    check_edits(
        "a.py,sha256=AAAA,3\nx/RECORD,,",
        &["x/RECORD"],
        expect![[r#"
        a.py,sha256=AAAA,3
        c.pyc,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        new.pyc,,
    "#]],
    );
    check_edits(
        "a.py,sha256=AAAA,3\nb.py,sha256=AAAA,3",
        &["b.py"],
        expect![[r#"
        a.py,sha256=AAAA,3
        c.pyc,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        new.pyc,,
    "#]],
    );
    check_edits(
        "",
        &[],
        expect![[r#"
        c.pyc,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3
        new.pyc,,
    "#]],
    );
}

#[test]
fn hashes_are_compared() {
    let record = b"a,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\nb,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=,\nc,md5=1,3\nd,sha256=x,3\n";
    let record = Record::parse(record.to_vec()).unwrap();
    let matches: Vec<_> = (0..4).map(|row| record.matches(row, &Digest::of(b"abc"))).collect();
    assert_eq!(matches, [Some(true), Some(true), None, Some(false)]);
    assert_eq!(record.matches(0, &Digest::of(b"abd")), Some(false));
}

#[test]
fn an_open_quote_is_an_error() {
    let error = Record::parse(b"a,,\n\"b,,\n".to_vec()).unwrap_err();
    assert_eq!(error, RecordError { line: 2 });
}

fn quote(path: &str, always: bool) -> String {
    if always || path.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", path.replace('"', "\"\""));
    }
    path.to_owned()
}

proptest! {
    #[test]
    fn what_is_not_updated_stays(bytes in "([a-c,\"\r\n=]|sha256=){0,40}") {
        if let Ok(record) = Record::parse(bytes.clone().into_bytes()) {
            prop_assert_eq!(record.to_bytes(), bytes.into_bytes());
        }
    }

    #[test]
    fn updates_reach_their_rows_alone(
        paths in proptest::collection::btree_set("[a-z/,\" é]{1,8}", 1..8),
        chosen in any::<proptest::sample::Index>(),
        crlf in any::<bool>(),
        always in any::<bool>(),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let row = |path: &String, content: &[u8]| {
            let digest = Digest::of(content);
            let hash = base64_url(&digest.hash);
            format!("{},sha256={hash},{}{end}", quote(path, always), digest.size)
        };
        let chosen = chosen.index(paths.len());
        let old: String = paths.iter().map(|path| row(path, b"old")).collect();
        let new: String = paths.iter().enumerate()
            .map(|(at, path)| row(path, if at == chosen { b"newer" } else { b"old" }))
            .collect();
        let built = Record::build(b"RECORD", paths.iter().map(|path| {
            (path.as_bytes(), Digest::of(b"old"))
        }));
        let reread = Record::parse(built.to_bytes()).unwrap();
        let reread: Vec<&[u8]> = reread.paths().collect();
        prop_assert_eq!(reread.len(), paths.len() + 1);
        prop_assert!(reread.iter().zip(&paths).all(|(read, path)| *read == path.as_bytes()));
        let mut record = Record::parse(old.into_bytes()).unwrap();
        let path = paths.iter().nth(chosen).unwrap();
        let found = record.find(path.as_bytes()).unwrap();
        prop_assert_eq!(record.matches(found, &Digest::of(b"old")), Some(true));
        record.update(found, Digest::of(b"newer"));
        prop_assert_eq!(record.to_bytes(), new.into_bytes());
    }
}
