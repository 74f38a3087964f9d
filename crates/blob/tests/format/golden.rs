//! A small blob, byte for byte: a change of the format is a change of this test and of its version.

use bytekiln_blob::{Blob, Entry, ModuleKind, Target, VERSION, Writer, write};
use expect_test::{Expect, expect};

pub(crate) const TARGET: Target<'_> =
    Target { magic_number: 3495, cache_tag: "cpython-311", optimization: 0 };

/// A `.pyc` as far as a blob looks at one.
pub(crate) const PYC: &[u8] = b"\xa7\x0d\r\n\x03\0\0\0 1234567 code";

pub(crate) const ENTRIES: &[Entry<'_>] = &[
    Entry::Module { name: "app", package: true, pyc: PYC, origin: None },
    Entry::Module { name: "app.main", package: false, pyc: PYC, origin: Some("src/main.py") },
    Entry::Module {
        name: "spaces.one.two",
        package: false,
        pyc: PYC,
        origin: Some("spaces/one/two.py"),
    },
    Entry::Source { name: "app.main", text: b"print()\n" },
    Entry::Data { path: "app/words.txt", bytes: b"kiln\n" },
];

fn check_bytes(entries: &[Entry<'_>], target: &Target<'_>, expected: Expect) {
    let mut text = String::new();
    for (position, line) in write(entries, target).unwrap().chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = line.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        });
        let shown: String = shown.collect();
        text.push_str(&format!("{:04x} {} |{shown}|\n", position * 16, hex.join(" ")));
    }
    expected.assert_eq(&text);
}

#[test]
fn an_empty_blob() {
    check_bytes(
        &[],
        &Target { magic_number: 3413, cache_tag: "cpython-38", optimization: 2 },
        expect![[r#"
            0000 8b 42 4b 42 4c 4f 42 0a 01 00 00 00 00 00 00 00 |.BKBLOB.........|
            0010 55 0d 0d 0a 02 0a 00 00 63 70 79 74 68 6f 6e 2d |U.......cpython-|
            0020 33 38 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |38..............|
            0030 10 00 00 00 00 00 00 00 50 00 00 00 00 00 00 00 |........P.......|
            0040 00 00 00 00 00 00 00 00 83 7a 21 ac 2c 7b ad 85 |.........z!.,{..|
        "#]],
    );
}

#[test]
fn one_entry_of_each_kind() {
    check_bytes(
        ENTRIES,
        &TARGET,
        expect![[r#"
        0000 8b 42 4b 42 4c 4f 42 0a 01 00 00 00 00 00 00 00 |.BKBLOB.........|
        0010 a7 0d 0d 0a 03 00 00 00 20 31 32 33 34 35 36 37 |........ 1234567|
        0020 20 63 6f 64 65 00 00 00 00 00 00 00 00 00 00 00 | code...........|
        0030 a7 0d 0d 0a 03 00 00 00 20 31 32 33 34 35 36 37 |........ 1234567|
        0040 20 63 6f 64 65 00 00 00 00 00 00 00 00 00 00 00 | code...........|
        0050 a7 0d 0d 0a 03 00 00 00 20 31 32 33 34 35 36 37 |........ 1234567|
        0060 20 63 6f 64 65 00 00 00 00 00 00 00 00 00 00 00 | code...........|
        0070 70 72 69 6e 74 28 29 0a 00 00 00 00 00 00 00 00 |print().........|
        0080 6b 69 6c 6e 0a 00 00 00 00 00 00 00 00 00 00 00 |kiln............|
        0090 00 00 00 00 00 00 00 00 03 00 00 00 01 00 00 00 |................|
        00a0 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |................|
        00b0 15 00 00 00 00 00 00 00 1b 78 0b 39 f2 e8 47 aa |.........x.9..G.|
        00c0 00 00 00 00 00 00 00 00 03 00 00 00 0b 00 00 00 |................|
        00d0 08 00 0b 00 00 01 00 00 30 00 00 00 00 00 00 00 |........0.......|
        00e0 70 00 00 00 00 00 00 00 15 00 00 00 08 00 00 00 |p...............|
        00f0 1b 78 0b 39 f2 e8 47 aa 3a 69 3a dd c4 b9 80 10 |.x.9..G.:i:.....|
        0100 16 00 00 00 00 00 00 00 06 00 00 00 02 00 00 00 |................|
        0110 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |................|
        0120 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |................|
        0130 00 00 00 00 00 00 00 00 1c 00 00 00 00 00 00 00 |................|
        0140 0a 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 |................|
        0150 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |................|
        0160 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |................|
        0170 26 00 00 00 00 00 00 00 0e 00 00 00 00 00 00 00 |&...............|
        0180 50 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 |P...............|
        0190 15 00 00 00 00 00 00 00 1b 78 0b 39 f2 e8 47 aa |.........x.9..G.|
        01a0 00 00 00 00 00 00 00 00 34 00 00 00 0d 00 00 00 |........4.......|
        01b0 80 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 |................|
        01c0 a4 38 a9 d3 ed be df 41 61 70 70 61 70 70 2e 6d |.8.....Aappapp.m|
        01d0 61 69 6e 73 72 63 2f 6d 61 69 6e 2e 70 79 73 70 |ainsrc/main.pysp|
        01e0 61 63 65 73 73 70 61 63 65 73 2e 6f 6e 65 73 70 |acesspaces.onesp|
        01f0 61 63 65 73 2e 6f 6e 65 2e 74 77 6f 61 70 70 2f |aces.one.twoapp/|
        0200 77 6f 72 64 73 2e 74 78 74 a7 0d 0d 0a 00 0b 00 |words.txt.......|
        0210 00 63 70 79 74 68 6f 6e 2d 33 31 31 00 00 00 00 |.cpython-311....|
        0220 00 00 00 00 00 00 00 00 00 90 00 00 00 00 00 00 |................|
        0230 00 49 02 00 00 00 00 00 00 05 00 00 00 01 00 00 |.I..............|
        0240 00 5f f6 86 f9 37 3e 28 44 |._...7>(D|
    "#]],
    );
}

#[test]
fn order_does_not_matter_and_streams_are_the_same() {
    let whole = write(ENTRIES, &TARGET).unwrap();
    let mut reversed = ENTRIES.to_vec();
    reversed.reverse();
    assert_eq!(write(&reversed, &TARGET).unwrap(), whole);

    let mut streamed = Vec::new();
    let sink = |bytes: &[u8]| std::io::Write::write_all(&mut streamed, bytes);
    let mut writer = Writer::new(&TARGET, sink).unwrap();
    ENTRIES.iter().for_each(|entry| writer.add(entry).unwrap());
    assert_eq!(writer.finish().unwrap(), whole.len() as u64);
    assert_eq!(streamed, whole);
}

#[test]
fn what_a_reader_says_of_it() {
    let bytes = write(ENTRIES, &TARGET).unwrap();
    let blob = Blob::parse(&bytes).unwrap();
    assert_eq!((blob.target(), blob.as_bytes(), VERSION), (TARGET, bytes.as_slice(), 1));
    blob.verify().unwrap();
    let modules: Vec<String> = blob
        .modules()
        .map(|module| {
            let origin = module.origin().unwrap_or_default();
            format!("{} {:?} {origin}", module.name(), module.kind())
        })
        .collect();
    assert_eq!(
        modules,
        [
            "app Package app/__init__.py",
            "app.main Module src/main.py",
            "spaces Namespace ",
            "spaces.one Namespace ",
            "spaces.one.two Module spaces/one/two.py",
        ]
    );
    let main = blob.find("app.main").unwrap();
    assert_eq!((main.pyc(), main.code()), (Ok(PYC), Ok(&b" code"[..])));
    assert_eq!(main.source(), Ok(Some(&b"print()\n"[..])));
    assert_eq!(&bytes[main.code_offset() as usize..][..5], b" code");
    assert!(!main.is_package() && blob.find("spaces").unwrap().is_package());
    assert_eq!(blob.find("spaces").unwrap().kind(), ModuleKind::Namespace);
    assert_eq!(blob.find("app").unwrap().source(), Ok(None));
    assert_eq!(blob.data("app/words.txt").unwrap().bytes(), Ok(&b"kiln\n"[..]));
    assert!(blob.data("app").is_none() && blob.find("app.mai").is_none());
    let top: Vec<&str> = blob.children("").map(|module| module.name()).collect();
    assert_eq!(top, ["app", "spaces"]);
}

#[test]
fn payloads_lie_at_multiples_of_sixteen() {
    let bytes = write(ENTRIES, &TARGET).unwrap();
    let blob = Blob::parse(&bytes).unwrap();
    let offset = |part: &[u8]| part.as_ptr().addr() - bytes.as_ptr().addr();
    for module in blob.modules() {
        assert_eq!(offset(module.pyc().unwrap()) % 16, 0);
        assert_eq!(offset(module.source().unwrap().unwrap_or(&bytes)) % 16, 0);
    }
    assert_eq!(offset(blob.data("app/words.txt").unwrap().bytes().unwrap()) % 16, 0);
}

#[test]
fn embedded_bytes_are_aligned() {
    let this = bytekiln_blob::include_blob!("golden.rs");
    assert_eq!(this.as_ptr().addr() % 16, 0);
    assert_eq!(this, include_bytes!("golden.rs"));
}

/// By a reader of this version, whatever a later one may look like.
#[test]
fn other_versions_are_refused() {
    let mut bytes = write(ENTRIES, &TARGET).unwrap();
    bytes[8] = 2;
    expect!["a blob of version 2, where this reads version 1: pack it again with the release that reads it"]
        .assert_eq(&Blob::parse(&bytes).unwrap_err().to_string());
}
