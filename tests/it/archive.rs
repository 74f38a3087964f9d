//! `bytekiln archive`: named files as a zip or a tar, and what is refused.

use expect_test::{Expect, expect};

use crate::sandbox::{Sandbox, finish};

const TREE: &str = "
//- /a.py
print('a')
//- /made/b.py
VALUE = 2
//- /made/b.pyc
no cache
";

fn sha256(sandbox: &Sandbox, path: &str) -> String {
    let mut command = std::process::Command::new("sha256sum");
    let output = finish(command.arg(sandbox.path(path))).success();
    format!("sha256:{}\n", &output.stdout[..64])
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    String::from_utf8(sandbox.read(path)).unwrap()
}

#[test]
fn the_bytes_depend_on_names_and_contents_alone() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    for (format, compression) in
        [("zip", "none"), ("zip", "deflate"), ("tar", "none"), ("tar", "gzip"), ("tar", "zstd")]
    {
        let archive = |output: &str, more: &[&str]| {
            let mut all = vec!["archive", "--format", format, "--compression", compression];
            all.extend(["--output", output]);
            all.extend_from_slice(more);
            let output = sandbox.run(&all).success();
            assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
        };
        archive("one", &["x/a.py=a.py", "x/y/b.py=made/b.py", "--digest-file", "digest"]);
        assert_eq!(text(&sandbox, "digest"), sha256(&sandbox, "one"));
        // In another order, from a file, of other times, by more threads.
        sandbox.touch("a.py", 5000);
        sandbox.write("p", "x/y/b.py=made/b.py\nx/a.py=a.py\n");
        archive("two", &["@p", "--jobs", "3"]);
        assert_eq!(sandbox.read("one"), sandbox.read("two"), "{format} {compression}");
        archive("three", &["x/a.py=a.py", "x/y/b.py=made/b.py", "--modified", "1000000000"]);
        assert_ne!(sandbox.read("one"), sandbox.read("three"), "{format} {compression}");
    }
}

#[test]
fn a_layer_and_its_digests() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let common = ["archive", "--format", "tar", "app/made/b.py=made/b.py", "app/a.py=a.py"];
    let archive = |more: &[&str]| {
        let mut all = common.to_vec();
        all.extend_from_slice(more);
        sandbox.run(&all).success();
    };
    archive(&["--output", "plain.tar", "--diff-id-file", "plain", "--owner", "7:8"]);
    let packed = ["--output", "layer.tar.gz", "--compression", "gzip", "--owner", "7:8"];
    archive(&[&packed[..], &["--diff-id-file", "diffid", "--digest-file", "digest"]].concat());
    assert_eq!(text(&sandbox, "digest"), sha256(&sandbox, "layer.tar.gz"));
    assert_eq!(text(&sandbox, "diffid"), sha256(&sandbox, "plain.tar"));
    assert_eq!(text(&sandbox, "plain"), text(&sandbox, "diffid"));
    let code = "import tarfile\n\
        for m in tarfile.open('layer.tar.gz'):\n\
        \x20   print(m.name, m.type.decode(), oct(m.mode), m.uid, m.gid, m.uname, m.mtime, m.size)\n";
    expect![[r#"
        app 5 0o755 7 8  315532800 0
        app/a.py 0 0o644 7 8  315532800 11
        app/made 5 0o755 7 8  315532800 0
        app/made/b.py 0 0o644 7 8  315532800 10
    "#]]
    .assert_eq(&sandbox.python(&["-c", code]).success().stdout);
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], code: i32, expect: &Expect) {
    let mut all = vec!["archive", "--output", "out"];
    all.extend_from_slice(arguments);
    let stderr = sandbox.run(&all).code(code).stderr;
    expect.assert_eq(&stderr.replace(&sandbox.root().display().to_string(), "WORK"));
    assert!(!sandbox.path("out").exists());
}

#[test]
fn bad_arguments() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let tar = |more: &[&'static str]| [&["--format", "tar"], more].concat();
    check(
        &sandbox,
        &tar(&["a.py"]),
        2,
        &expect![[r#"
            error: `a.py`: there is one `=` in an entry
              = help: write NAME=FILE
        "#]],
    );
    for name in ["/a.py", "../a.py", "x/./a.py", "x//a.py", ""] {
        let entry = format!("{name}=a.py");
        let output = sandbox.run(&["archive", "--format", "zip", "--output", "out", &entry]);
        output.code(2).says(&["a name is a relative path without `.` and `..`"]);
    }
    check(
        &sandbox,
        &tar(&["x=a.py", "x=made/b.py"]),
        2,
        &expect![[r#"
        error: `x` would be there twice: the file `WORK/a.py`, and the file `WORK/made/b.py`
    "#]],
    );
    check(
        &sandbox,
        &tar(&["x=a.py", "x/y=made/b.py"]),
        2,
        &expect![[r#"
        error: `x` (the file `WORK/a.py`) is no folder, but `x/y` (the file `WORK/made/b.py`) would lie below it
    "#]],
    );
    check(
        &sandbox,
        &tar(&["x=absent.py"]),
        1,
        &expect![[r#"
        error: `WORK/absent.py` could not be read for `x`: No such file or directory (os error 2)
    "#]],
    );
    check(
        &sandbox,
        &tar(&["x=made"]),
        1,
        &expect![[r#"
        error: `WORK/made` could not be read for `x`: not a regular file
    "#]],
    );
    check(
        &sandbox,
        &tar(&["@absent"]),
        2,
        &expect![[r#"
        error: could not read `absent`: No such file or directory (os error 2)
    "#]],
    );
    check(
        &sandbox,
        &tar(&["x=a.py", "--owner", "me:1"]),
        2,
        &expect![[r#"
        error: --owner: `me:1` is no user and group
          = help: they are numbers, as in 0:0
    "#]],
    );
    check(
        &sandbox,
        &tar(&["x=a.py", "--compression", "deflate"]),
        2,
        &expect![[r#"
        error: a tar has no such compression
          = help: it has none, gzip and zstd
    "#]],
    );
    let zip = ["--format", "zip", "x=a.py", "--diff-id-file", "d"];
    check(
        &sandbox,
        &zip,
        2,
        &expect![[r#"
        error: a zip has no diffID
          = help: leave --diff-id-file out, or make a tar
    "#]],
    );
}
