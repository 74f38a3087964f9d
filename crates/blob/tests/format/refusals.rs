//! Entries that make no blob, and what is said about them.

use bytekiln_blob::{Entry, EntryError, Target, WriteError, Writer, write};
use expect_test::{Expect, expect};

use crate::golden::{PYC, TARGET};

fn module(name: &str) -> Entry<'_> {
    Entry::Module { name, package: false, pyc: PYC, origin: None }
}

fn data(path: &str) -> Entry<'_> {
    Entry::Data { path, bytes: b"" }
}

fn check(entries: &[Entry<'_>], expected: Expect) {
    expected.assert_eq(&write(entries, &TARGET).unwrap_err().to_string());
}

#[test]
fn names_and_paths() {
    check(&[module("")], expect!["`` is no name of a module"]);
    check(&[module("a..b")], expect!["`a..b` is no name of a module"]);
    check(&[module("a/b")], expect!["`a/b` is no name of a module"]);
    for path in ["", "/etc", "../a", "a//b", "a/./b", "a/", "a\\b", "a\0"] {
        let refused = write(&[data(path)], &TARGET).unwrap_err();
        assert_eq!(refused, EntryError::Path(path.to_owned()));
    }
    let long = "a".repeat(65_536);
    check(
        &[data(&long)],
        expect!["`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` is longer than 65535 bytes"],
    );
    write(&[data(&long[1..])], &TARGET).unwrap();
    let origin = Some("../a.py");
    check(
        &[Entry::Module { name: "a", package: false, pyc: PYC, origin }],
        expect!["`../a.py` is no path below a folder, with `/` between its parts"],
    );
}

#[test]
fn entries_in_each_others_way() {
    check(&[module("a"), module("a")], expect!["`a` is there twice"]);
    check(&[module("a"), Entry::Namespace { name: "a" }], expect!["`a` is there twice"]);
    check(&[data("a"), data("a")], expect!["`a` is there twice"]);
    check(
        &[module("a.b"), module("a")],
        expect!["`a.b` cannot be reached: `a` is no package or folder"],
    );
    check(
        &[data("a/b"), data("a")],
        expect!["`a/b` cannot be reached: `a` is no package or folder"],
    );
    let source = |name| Entry::Source { name, text: b"" };
    check(&[source("a")], expect!["there is a source of `a`, but no bytecode"]);
    check(&[module("a.b"), source("a")], expect!["there is a source of `a`, but no bytecode"]);
    // What another entry implies may be stated too.
    write(&[module("a.b"), Entry::Namespace { name: "a" }], &TARGET).unwrap();
}

#[test]
fn bytecode_of_another_release() {
    let entry = |pyc| [Entry::Module { name: "a", package: false, pyc, origin: None }];
    check(
        &entry(b"\xcb\x0d\r\n123456789012code"),
        expect!["the bytecode of `a` has magic number 3531, the target 3495"],
    );
    check(&entry(&PYC[..15]), expect!["what is given as bytecode of `a` is no `.pyc`"]);
    check(
        &entry(b"print('hello, hello')\n"),
        expect!["what is given as bytecode of `a` is no `.pyc`"],
    );
}

#[test]
fn targets() {
    let check = |cache_tag, optimization| {
        let target = Target { magic_number: 3495, cache_tag, optimization };
        assert_eq!(write(&[], &target), Err(EntryError::Target));
    };
    check("", 0);
    check("cpython-311", 3);
    check("cpython 311", 0);
    check("cpython'311", 0);
    check("cpython-311-and-a-lot-more", 0);
}

#[test]
fn streams() {
    let mut writer = Writer::new(&TARGET, |_: &[u8]| Ok::<(), &str>(())).unwrap();
    writer.add(&module("b")).unwrap();
    let refused = writer.add(&module("a")).unwrap_err();
    assert_eq!(refused, WriteError::Entry(EntryError::OutOfOrder("a".to_owned())));

    let mut room = 40;
    let sink = |bytes: &[u8]| {
        room = usize::checked_sub(room, bytes.len()).ok_or("no space left")?;
        Ok(())
    };
    let mut writer = Writer::new(&TARGET, sink).unwrap();
    writer.add(&module("a")).unwrap();
    assert_eq!(writer.finish().unwrap_err(), WriteError::Sink("no space left"));
}
