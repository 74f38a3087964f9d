//! Where files and bytecode land.

use super::*;
use expect_test::{Expect, expect};

fn path(text: &str) -> RepoPath {
    RepoPath::new(text.as_bytes()).unwrap_or_default()
}

/// Words of a file: its place, `+` for source and bytecode, `-` for bytecode alone, `.` for the
/// source alone.
fn check(files: &[&str], root: &str, layout: &Layout, expected: &Expect) {
    let (mut all, mut choices) = (Vec::new(), Vec::new());
    for file in files {
        let (place, choice) = file.split_once(' ').unwrap_or((file, "+"));
        let kind = match place {
            _ if place.ends_with("-x.py") => FileKind::Script,
            _ if place.ends_with(".py") => FileKind::Module,
            _ => FileKind::Data,
        };
        all.push(File { place: path(place), kind });
        choices.push(Choice { source: choice != "-", bytecode: choice != "." });
    }
    let targets = [("cpython-311", 0), ("cpython-314", 2)].map(|(tag, level)| {
        let level = OptimizationLevel::from_u8(level).unwrap_or(OptimizationLevel::Zero);
        (tag.to_owned(), level)
    });
    let plan = Plan {
        root: &path(root),
        layout,
        targets: if *layout == Layout::Legacy { &targets[..1] } else { &targets },
    };
    let assembly = assemble(&all, &choices, &plan);
    let mut out = String::new();
    for part in &assembly.parts {
        out += &format!("{} {:?}\n", part.path, part.origin);
    }
    for clash in &assembly.clashes {
        out += &format!("! {} {:?} {:?}\n", clash.path, clash.first, clash.second);
    }
    expected.assert_eq(&out);
}

#[test]
fn layouts() {
    let files = ["pkg/__init__.py", "pkg/a.txt", "pkg/b.py .", "pkg/c.py -", "run-x.py"];
    check(
        &files,
        "",
        &Layout::Pycache,
        &expect![[r#"
        pkg/__init__.py File(0)
        pkg/__pycache__/__init__.cpython-311.pyc Bytecode { file: 0, target: 0 }
        pkg/__pycache__/__init__.cpython-314.opt-2.pyc Bytecode { file: 0, target: 1 }
        pkg/a.txt File(1)
        pkg/b.py File(2)
        pkg/c.pyc Bytecode { file: 3, target: 0 }
        run-x.py File(4)
    "#]],
    );
    check(
        &files,
        "",
        &Layout::Legacy,
        &expect![[r#"
        pkg/__init__.py File(0)
        pkg/__init__.pyc Bytecode { file: 0, target: 0 }
        pkg/a.txt File(1)
        pkg/b.py File(2)
        pkg/c.pyc Bytecode { file: 3, target: 0 }
        run-x.py File(4)
    "#]],
    );
    let prefix = Layout::Prefix { folder: path("var/pyc"), deploy_root: path("srv") };
    check(
        &files[..1],
        "app",
        &prefix,
        &expect![[r#"
        app/pkg/__init__.py File(0)
        var/pyc/srv/app/pkg/__init__.cpython-311.pyc Bytecode { file: 0, target: 0 }
        var/pyc/srv/app/pkg/__init__.cpython-314.opt-2.pyc Bytecode { file: 0, target: 1 }
    "#]],
    );
}

#[test]
fn clashes() {
    check(
        &["a.py", "a.py .", "b.py -", "b.pyc"],
        "",
        &Layout::Legacy,
        &expect![[r#"
        a.py File(0)
        a.pyc Bytecode { file: 0, target: 0 }
        b.pyc Bytecode { file: 2, target: 0 }
        ! a.py File(0) File(1)
        ! b.pyc Bytecode { file: 2, target: 0 } File(3)
    "#]],
    );
}
