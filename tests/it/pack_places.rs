//! Where `pack` may not write, what others do at the same time, and caches that are broken.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::pack::SHOP;
use crate::sandbox::{Sandbox, finish};

fn permit(path: &std::path::Path, mode: &str) {
    finish(Command::new("chmod").args(["-R", mode]).arg(path)).success();
}

#[test]
fn a_workspace_that_may_only_be_read() {
    let Some(sandbox) = Sandbox::unprivileged(SHOP) else { return };
    fs::create_dir(sandbox.beside("out")).unwrap();
    sandbox.give_away();
    permit(&sandbox.root(), "a-w");
    let mut outputs = Vec::new();
    for (kind, more) in [("zip", &[][..]), ("tree", &[]), ("layer", &[]), ("zip", &["--no-cache"])]
    {
        let out = sandbox.beside("out").join(kind).to_string_lossy().into_owned();
        let more = [&["--out", &out][..], more].concat();
        outputs.push(sandbox.pack_kind(kind, &["python=python3"], &more));
    }
    permit(&sandbox.root(), "u+w");
    let without_cache = outputs.pop().unwrap();
    for output in outputs {
        output.success();
    }
    // Without a cache, results need the state.
    without_cache.refused(3, &[".bytekiln", "ermission denied"]);
}

#[test]
fn a_cache_that_cannot_be_used() {
    let Some(sandbox) = Sandbox::unprivileged(SHOP) else { return };
    let pack = |more: &[&str]| sandbox.pack_kind("zip", &["python=python3"], more);
    pack(&["--out", "expected"]).success();
    let expected = sandbox.read("expected");
    // It may only be read, and has nothing of it; then it is a file.
    for number in 0..2 {
        let cache = sandbox.beside("other");
        if number == 0 {
            fs::create_dir(&cache).unwrap();
            fs::set_permissions(&cache, fs::Permissions::from_mode(0o555)).unwrap();
        } else {
            fs::remove_dir(&cache).unwrap();
            fs::write(&cache, "").unwrap();
        }
        let cache = cache.to_string_lossy().into_owned();
        pack(&["--out", "made", "--cache-dir", &cache]).success().says(&["warning", "other"]);
        assert_eq!(sandbox.read("made"), expected);
        sandbox.remove("made");
    }
    // Objects that were changed or cut off are made anew.
    let code = "
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for number, name in enumerate(sorted(names)):
        path = os.path.join(folder, name)
        if os.path.getsize(path) > 30 and not name.endswith(('.toml', '.lock')):
            data = open(path, 'rb').read()
            os.chmod(path, 0o644)
            open(path, 'wb').write(data[:20] if number % 2 else data[:-1] + b'?')
";
    let cache = sandbox.beside("cache").to_string_lossy().into_owned();
    sandbox.python(&["-c", code, &cache]).success();
    sandbox.give_away();
    pack(&["--out", "made"]).success();
    assert_eq!(sandbox.read("made"), expected);
}

#[test]
fn several_at_once() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    for kind in ["tree", "zip", "layer"] {
        let started: Vec<_> = (0..4)
            .map(|_| {
                let mut command =
                    sandbox.command(&["pack", "--kind", kind, "--out", "made", "--force"]);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for one in started {
            let output = one.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{kind}: {stderr}");
        }
        let made = sandbox.listed(&["made"]);
        sandbox.pack_kind(kind, &[], &["--out", "made"]).success();
        assert_eq!(sandbox.listed(&["made"]), made);
        assert_eq!(sandbox.unfinished(), "");
        finish(Command::new("rm").arg("-r").arg(sandbox.path("made"))).success();
    }
}

#[test]
fn several_places_at_once() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    for _ in 0..2 {
        let started: Vec<_> = (0..8)
            .map(|number| {
                let out = format!("made/{number}");
                let mut command = sandbox.command(&["pack", "--kind", "tree", "--out", &out]);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for one in started {
            let output = one.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn tracebacks_have_their_lines() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox
        .write("apps/shop/src/shop/fail.py", "def main():\n    raise ValueError('no')  # here\n");
    sandbox.pack_kind("zipapp", &["main=shop.fail:main"], &[]).success();
    sandbox.pack_kind("tree", &[], &[]).success();
    let zip = sandbox.path("dist/zipapp.pyz").to_string_lossy().into_owned();
    sandbox.python(&[&zip]).code(1).says(&["shop/fail.py\", line 2, in main", "# here"]);
    let tree = sandbox.path("dist/tree").to_string_lossy().into_owned();
    let code = "import sys; sys.path.insert(0, sys.argv[1]); from shop.fail import main; main()";
    let fail = format!("{tree}/shop/fail.py\", line 2, in main");
    sandbox.python(&["-c", code, &tree]).code(1).says(&[&fail, "# here"]);
}

#[test]
fn links_to_folders_of_dependencies_are_told() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    fs::create_dir_all(sandbox.beside("linked/inner")).unwrap();
    fs::write(sandbox.beside("linked/__init__.py"), "x = 1\n").unwrap();
    std::os::unix::fs::symlink(sandbox.beside("linked"), sandbox.path("deps/linked")).unwrap();
    std::os::unix::fs::symlink(sandbox.beside("linked/__init__.py"), sandbox.path("deps/one.py"))
        .unwrap();
    std::os::unix::fs::symlink("nowhere", sandbox.path("deps/broken.py")).unwrap();
    let output = sandbox.pack_kind("zip", &["dependencies=deps"], &[]).success();
    output.says(&["warning: `", "deps/broken.py` and 1 more are links to folders, or broken ones"]);
    let names = sandbox.zipped("dist/zip.zip");
    assert!(names.contains(&"one.py".to_owned()) && names.contains(&"one.pyc".to_owned()));
    assert!(!names.iter().any(|name| name.contains("linked") || name.contains("broken")));
}
