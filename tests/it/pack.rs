//! `pack`: what every kind has in common. Packed twice, whatever differs, it is the same; what was packed
//! is not packed again; nothing of a user's is lost. And the tools for the other tests of `pack`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use bytekiln_test_support::pythons::{self, Python};
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, finish};

/// Two members, one of them a program; data; a script; installed code beside them.
pub(crate) const SHOP: &str = "\
//- /apps/shop/pyproject.toml
[project]
name = 'shop'
//- /apps/shop/src/shop/__init__.py
\"\"\"The shop.\"\"\"
//- /apps/shop/src/shop/cli.py
\"\"\"The command.\"\"\"
import sys
from money import total
from shop import names
def main():
    import shop.late
    print('total', total([1, 2]), names.FIRST, sys.argv[1:])
    return 0
//- /apps/shop/src/shop/names.py
NAMES = {'a', 'b', 'c'}
FIRST = sorted(NAMES)[0]
def unused(x): return [y for y in x if y in {'x', 'y', 'z'}]
//- /apps/shop/src/shop/late.py
X = 1
//- /apps/shop/src/shop/never.py
assert True
//- /apps/shop/src/shop/data/greeting.txt
hello
//- /apps/shop/src/run-me.py
print('a script')
//- /apps/shop/README.md
The shop.
//- /libs/money/pyproject.toml
[project]
name = 'money'
//- /libs/money/src/money/__init__.py
def total(numbers): return sum(numbers)
//- /deps/lib/__init__.py
VERSION = 1
//- /deps/lib/weights.pth
1 2 3
//- /deps/lib-1.dist-info/METADATA
Metadata-Version: 2.1
Name: lib
Version: 1
//- /deps/lib-1.dist-info/INSTALLER
pip
//- /deps/lib-1.dist-info/RECORD
lib/__init__.py,,
lib/weights.pth,,
lib-1.dist-info/METADATA,,
lib-1.dist-info/INSTALLER,,
lib-1.dist-info/RECORD,,
//- /deps/path.pth
/somewhere
//- /bytekiln.toml
[workspace]
members = ['apps/*', 'libs/*']
";

/// Arguments that describe each artifact, with everything that changes bytes.
const KINDS: &[&[&str]] = &[
    &["tree", "dependencies=deps"],
    &["tree", "optimize=1"],
    &["tree", "layout=prefix", "deploy-root=/srv/shop", "root=app", "optimize=[0, 2]"],
    &["tree", "arrangement=workspace", "dependencies=deps"],
    &["tree", "sourceless=true"],
    &["tree", "entry=shop.cli", "reachable-only=true"],
    &["tree", "budget=700"],
    &["tree", "bytecode=false"],
    &["zip", "compression=none"],
    &["zip", "sourceless=[\"member:shop\"]", "keep-source=shop/late.py"],
    &["zipapp", "main=shop.cli:main", "dependencies=deps", "compression-level=9"],
    &["layer", "root=srv/shop", "owner=1000:1000", "tag=shop:1"],
    &["layer", "compression=zstd", "compression-level=5"],
    &["layer", "compression=none", "arrangement=workspace"],
    &["rust-blob", "dependencies=deps", "embed-source=true"],
];

/// Every path of a folder with its kind, mode and bytes, as text; what is in the way of `diff` is hashed.
const LIST: &str = "
import hashlib, os, stat, sys
def show(path, name):
    status = os.lstat(path)
    if stat.S_ISDIR(status.st_mode):
        print(name, oct(status.st_mode), 'folder')
        for below in sorted(os.listdir(path)):
            show(os.path.join(path, below), name + '/' + below)
    elif stat.S_ISLNK(status.st_mode):
        print(name, '->', os.readlink(path))
    else:
        with open(path, 'rb') as file:
            print(name, oct(status.st_mode), hashlib.sha256(file.read()).hexdigest())
for path in sys.argv[1:]:
    show(path, os.path.basename(path))
";

/// Makes a wheel of a folder: WHEEL FOLDER [FLAW]. The name of the wheel says the rest.
const MAKE_WHEEL: &str = r#"
import base64, hashlib, os, sys, warnings, zipfile
warnings.simplefilter('ignore')
path, folder, flaw = (sys.argv + [''])[1:4]
name, version = os.path.basename(path).split('-')[:2]
info = f'{name}-{version}.dist-info/'
files, programs = {}, set()
def entry(one):
    info = zipfile.ZipInfo(one, (2020, 1, 1, 0, 0, 0))
    info.external_attr = (0o100755 if one in programs else 0o100644) << 16
    return info
for base, folders, names in os.walk(folder):
    folders.sort()
    for one in sorted(names):
        full = os.path.join(base, one)
        with open(full, 'rb') as file:
            files[os.path.relpath(full, folder)] = file.read()
            if os.access(full, os.X_OK): programs.add(os.path.relpath(full, folder))
tags = '-'.join(os.path.basename(path)[:-4].split('-')[-3:])
files.setdefault(info + 'METADATA', f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'.encode())
files.setdefault(info + 'WHEEL', f'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n'.encode())
def digest(content):
    return 'sha256=' + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()
rows = [f'{name},{digest(content)},{len(content)}' for name, content in files.items()]
if flaw == 'wrong-hash':
    rows[0] = rows[0].split(',')[0] + ',' + digest(b'other') + ',5'
elif flaw == 'missing-row':
    del rows[0]
elif flaw == 'extra-row':
    rows.append('gone.py,' + digest(b'') + ',0')
elif flaw == 'unparsable':
    rows.append('"open quote')
elif flaw == 'slip':
    files['../evil.py'] = b'x = 1\n'
elif flaw == 'absolute':
    files['/evil.py'] = b'x = 1\n'
elif flaw == 'two-infos':
    files['other-1.dist-info/METADATA'] = b''
record = '\n'.join(rows + [info + 'RECORD,,']) + '\n'
with zipfile.ZipFile(path, 'w') as wheel:
    for one, content in files.items():
        wheel.writestr(entry(one), content)
    if flaw == 'duplicate':
        wheel.writestr(entry(next(iter(files))), b'again')
    if flaw != 'no-record':
        wheel.writestr(entry(info + 'RECORD'), record)
if flaw == 'encrypted':
    # The flag of every local and central header.
    data = bytearray(open(path, 'rb').read())
    for magic, at in ((b'PK\3\4', 6), (b'PK\1\2', 8)):
        start = data.find(magic)
        while start >= 0:
            data[start + at] |= 1
            start = data.find(magic, start + 4)
    open(path, 'wb').write(data)
elif flaw == 'truncated':
    data = open(path, 'rb').read()
    open(path, 'wb').write(data[:len(data) // 2])
"#;

impl Sandbox {
    /// `pack --kind KIND --set …`.
    pub(crate) fn pack_kind(&self, kind: &str, keys: &[&str], more: &[&str]) -> Output {
        let mut arguments = vec!["pack", "--kind", kind];
        for key in keys {
            arguments.extend(["--set", key]);
        }
        arguments.extend_from_slice(more);
        self.run(&arguments)
    }

    /// Names, modes and digests of everything at some paths.
    pub(crate) fn listed(&self, paths: &[&str]) -> String {
        let mut arguments = vec!["-c", LIST];
        arguments.extend_from_slice(paths);
        self.python(&arguments).success().stdout
    }

    /// Makes a wheel of a folder.
    pub(crate) fn make_wheel(&self, wheel: &str, folder: &str, flaw: &str) {
        fs::create_dir_all(self.path(wheel).parent().unwrap()).unwrap();
        self.python(&["-c", MAKE_WHEEL, wheel, folder, flaw]).success();
    }

    /// Names of the entries of a zip, in its order.
    pub(crate) fn zipped(&self, zip: &str) -> Vec<String> {
        let code =
            "import sys, zipfile; print('\\n'.join(zipfile.ZipFile(sys.argv[1]).namelist()))";
        self.python(&["-c", code, zip]).success().stdout.lines().map(str::to_owned).collect()
    }

    /// Files that a command has left under temporary names, anywhere.
    pub(crate) fn unfinished(&self) -> String {
        let mut find = Command::new("find");
        find.arg(self.root().parent().unwrap()).args(["-name", ".bytekiln-pending-*"]);
        finish(&mut find).success().stdout
    }
}

impl Output {
    /// The one JSON document of `--format json`.
    #[track_caller]
    pub(crate) fn packed(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.shown()));
        assert_eq!(document["schema"], "bytekiln-pack/1");
        document
    }

    /// The one error is this, with a remedy; nothing else is said.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, parts: &[&str]) {
        let output = self.code(code).says(parts);
        let errors = output.stderr.lines().filter(|line| line.starts_with("error"));
        assert_eq!(errors.count(), 1, "{}", output.shown());
        assert_eq!(output.stdout, "", "{}", output.shown());
        assert!(!output.stderr.contains("Packed"), "{}", output.shown());
    }
}

/// Every artifact of [`KINDS`], packed; what each of them is.
fn pack_all(sandbox: &Sandbox, more: &[&str], run: impl Fn(&[&str])) -> String {
    for (number, artifact) in KINDS.iter().enumerate() {
        let out = format!("out/{number}");
        let mut arguments = vec!["pack", "--out", &out, "--kind", artifact[0], "--provenance"];
        for key in &artifact[1..] {
            arguments.extend(["--set", key]);
        }
        arguments.extend_from_slice(more);
        run(&arguments);
    }
    // Not the folder around them, whose mode is the shell's.
    let mut paths = Vec::new();
    for number in 0..KINDS.len() {
        paths.extend([format!("out/{number}"), format!("out/{number}.intoto.json")]);
    }
    sandbox.listed(&paths.iter().map(String::as_str).collect::<Vec<_>>())
}

#[track_caller]
fn same(first: &str, second: &str) {
    for (one, other) in first.lines().zip(second.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(first.lines().count(), second.lines().count());
}

/// Runs the command through a shell with another environment.
fn elsewhere(sandbox: &Sandbox, before: &str, arguments: &[&str]) {
    let command = sandbox.command(arguments);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(command.get_program());
    shell.args(command.get_args()).current_dir(sandbox.root()).env_clear();
    shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    shell.env("LC_ALL", "C").env("LANG", "tr_TR.UTF-8").env("TZ", "Asia/Kathmandu");
    shell.env("PYTHONHASHSEED", "7").env("PYTHONOPTIMIZE", "2").env("PYTHONDONTWRITEBYTECODE", "1");
    finish(&mut shell).success();
}

fn check_reproducible(python: &Python) {
    let first = Sandbox::with_python(SHOP, python);
    let expected = pack_all(&first, &["--jobs", "1"], |arguments| {
        first.run(arguments).success();
    });
    // Once more, from a warm cache, over what is there: nothing of it is packed again.
    same(
        &expected,
        &pack_all(&first, &["--jobs", "3"], |arguments| {
            first.run(arguments).success();
        }),
    );
    // Elsewhere, in another order of files, without a cache.
    let second = Sandbox::with_python("", python);
    let mut files = bytekiln_test_support::fixture::parse(SHOP);
    files.reverse();
    for file in files {
        second.write(&file.path, file.content);
    }
    same(
        &expected,
        &pack_all(&second, &["--no-cache", "--jobs", "2"], |arguments| {
            elsewhere(&second, "umask 077", arguments);
        }),
    );
    // With a cache that was made under another umask.
    let third = Sandbox::with_python(SHOP, python);
    same(&expected, &pack_all(&third, &[], |arguments| elsewhere(&third, "umask 027", arguments)));
    assert_eq!(first.unfinished() + &second.unfinished() + &third.unfinished(), "");
}

#[test]
fn the_same_sources_give_the_same_artifacts() {
    if let Some(python) = pythons::any_or_skip() {
        check_reproducible(python);
    }
}

#[test]
fn the_newest_interpreter_gives_the_same_artifacts() {
    if let Some(python) = pythons::find_or_skip(3, 14) {
        check_reproducible(python);
    }
}

#[test]
fn another_user_packs_the_same() {
    let Some(theirs) = Sandbox::unprivileged(SHOP) else { return };
    let ours = Sandbox::with_python(SHOP, theirs.interpreter());
    let pack = |sandbox: &Sandbox| {
        pack_all(sandbox, &["--set", "python=python3"], |arguments| {
            sandbox.run(arguments).success();
        })
    };
    let expected = pack(&ours);
    same(&expected, &pack(&theirs));
}

#[test]
fn what_was_packed_is_not_packed_again() {
    let fixture = "
        //- /app/__init__.py
        x = 1
        //- /app/__main__.py
        print('run')
        //- /bytekiln.toml
        [[artifact]]
        name = 'app'
        kind = 'zipapp'
        main = 'app:x'
        provenance = true
        [[artifact]]
        name = 'all'
        kind = 'tree'
        arrangement = 'workspace'
        provenance = true
        [[artifact]]
        name = 'blob'
        kind = 'rust-blob'
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let pack = || {
        sandbox.run(&["pack"]).success();
        // Places that the manifest does not know, in the middle of the sources.
        sandbox.pack_kind("tree", &[], &["--out", "app/vendored"]).success();
        sandbox.pack_kind("zip", &[], &["--out", "app/zipped.zip", "--provenance"]).success();
        sandbox.listed(&["dist", "app"])
    };
    let first = pack();
    let made =
        |line: &&str| line.contains("vendored/app/vendored") || line.contains("dist/all/dist");
    assert_eq!(first.lines().find(made), None);
    same(&first, &pack());
}

#[test]
fn dependencies_in_the_workspace_are_nobodys_source() {
    let fixture = "
        //- /app.py
        import lib
        //- /deps/lib.py
        x = 1
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let output = sandbox.pack_kind("zip", &["dependencies=deps"], &["--format", "json"]);
    assert_eq!(output.success().packed()["artifacts"][0]["files"]["sources"], 2);
    assert_eq!(sandbox.zipped("dist/zip.zip"), ["app.py", "app.pyc", "lib.py", "lib.pyc"]);
}

#[test]
fn installed_files_come_along_but_not_the_environment() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.pack_kind("tree", &["dependencies=deps"], &["--out", "out"]).success();
    let there = |path: &str| sandbox.path("out").join(path).exists();
    for path in ["lib/weights.pth", "lib-1.dist-info/METADATA", "shop/data/greeting.txt"] {
        assert!(there(path), "{path}");
    }
    for path in ["path.pth", "lib-1.dist-info/INSTALLER", "README.md", "pyproject.toml"] {
        assert!(!there(path), "{path}");
    }
    let record = String::from_utf8(sandbox.read("out/lib-1.dist-info/RECORD")).unwrap();
    assert_eq!(
        record,
        "lib/__init__.py,,\nlib/weights.pth,,\nlib-1.dist-info/METADATA,,\nlib-1.dist-info/RECORD,,\n"
    );
}

#[test]
fn no_folder_of_a_users_is_lost() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let before = sandbox.listed(&["apps", "libs"]);
    let tree = |out: &str, more: &[&str]| {
        let mut arguments = vec!["--out", out];
        arguments.extend_from_slice(more);
        sandbox.pack_kind("tree", &[], &arguments)
    };
    for out in [".", "..", "apps", "apps/shop", "libs/../libs", "apps/shop/."] {
        tree(out, &["--force"]).refused(2, &["would be replaced"]);
        tree(out, &[]).refused(2, &["would be replaced"]);
    }
    tree("deps", &[]).refused(2, &["nothing says that `pack` made it", "--force"]);
    tree("bytekiln.toml", &[]).refused(2, &["is no folder"]);
    sandbox.pack_kind("zip", &[], &["--out", "apps"]).refused(2, &["is a folder"]);
    same(&before, &sandbox.listed(&["apps", "libs"]));
    // An empty one, and one of ours, is replaced, and by another kind; a link is not followed.
    fs::create_dir(sandbox.path("empty")).unwrap();
    tree("empty", &[]).success();
    sandbox.write("empty/more.txt", "more");
    tree("empty", &[]).success();
    assert!(!sandbox.path("empty/more.txt").exists());
    sandbox.pack_kind("layer", &[], &["--out", "empty"]).success();
    assert!(sandbox.path("empty/oci-layout").exists() && !sandbox.path("empty/shop").exists());
    std::os::unix::fs::symlink("empty", sandbox.path("link")).unwrap();
    tree("link", &["--force"]).refused(2, &["is no folder"]);
    tree("deps", &["--force"]).success();
    assert!(sandbox.path("deps/shop/cli.py").exists() && !sandbox.path("deps/lib").exists());
}

#[test]
fn a_file_of_ours_never_was_a_folder_of_ours() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.pack_kind("zip", &[], &["--out", "made"]).success();
    fs::remove_file(sandbox.path("made")).unwrap();
    sandbox.write("made/precious.txt", "mine");
    sandbox.pack_kind("tree", &[], &["--out", "made"]).refused(2, &["nothing says that"]);
    assert_eq!(sandbox.read("made/precious.txt"), b"mine");
}

#[test]
fn names_that_are_not_ascii_or_not_utf_8() {
    let Some(sandbox) = Sandbox::new("//- /pkg/__init__.py\nx = 1\n") else { return };
    sandbox.write("pkg/\u{e9}t\u{e9}.py", "y = 1\n");
    sandbox.write("pkg/\u{1f40d}.txt", "snake");
    for kind in ["tree", "zip", "layer", "rust-blob"] {
        sandbox.pack_kind(kind, &[], &[]).success();
    }
    let code = "import sys; sys.path.insert(0, sys.argv[1]); import pkg.\u{e9}t\u{e9} as e\n\
                assert e.__file__.startswith(sys.argv[1]), e.__file__";
    for path in ["dist/tree", "dist/zip.zip"] {
        let path = sandbox.path(path);
        sandbox.python(&["-I", "-c", code, &path.to_string_lossy()]).success();
    }
    let name = std::ffi::OsStr::from_bytes(b"data\xff.txt");
    if fs::write(sandbox.path("pkg").join(name), "x").is_err() {
        pythons::skip("needs a file system that takes any name");
        return;
    }
    let zip = fs::read(sandbox.path("dist/zip.zip")).unwrap();
    for kind in ["tree", "layer"] {
        sandbox.pack_kind(kind, &[], &[]).success();
    }
    assert!(sandbox.path("dist/tree/pkg").join(name).exists());
    sandbox.pack_kind("zip", &[], &[]).refused(1, &["data\\xff.txt", "UTF-8"]);
    assert_eq!(sandbox.read("dist/zip.zip"), zip);
}

#[test]
fn links_of_members_are_files_and_lead_nowhere_else() {
    let Some(sandbox) = Sandbox::new("//- /pkg/__init__.py\nx = 1\n//- /pkg/real.txt\nreal\n")
    else {
        return;
    };
    fs::create_dir(sandbox.beside("outside")).unwrap();
    fs::write(sandbox.beside("outside/secret.txt"), "secret").unwrap();
    let link = |target: &Path, name: &str| {
        std::os::unix::fs::symlink(target, sandbox.path("pkg").join(name)).unwrap();
    };
    link(Path::new("real.txt"), "linked.txt");
    link(&sandbox.beside("outside/secret.txt"), "secret.txt");
    link(&sandbox.beside("outside"), "outside");
    link(Path::new("nowhere"), "broken.txt");
    link(Path::new("."), "circle");
    sandbox.pack_kind("tree", &[], &[]).success();
    let listed = sandbox.listed(&["dist/tree"]);
    let names: Vec<&str> = listed.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let cache = format!("tree/pkg/__pycache__/__init__.{}.pyc", sandbox.tag());
    assert_eq!(
        names,
        [
            "tree",
            "tree/pkg",
            "tree/pkg/__init__.py",
            "tree/pkg/__pycache__",
            cache.as_str(),
            "tree/pkg/linked.txt",
            "tree/pkg/real.txt"
        ]
    );
    assert_eq!(sandbox.read("dist/tree/pkg/linked.txt"), b"real\n");
}

#[test]
fn programs_stay_programs() {
    let Some(sandbox) = Sandbox::new("//- /pkg/__init__.py\n//- /pkg/tool\n#!/bin/sh\necho ran\n")
    else {
        return;
    };
    let tool = sandbox.path("pkg/tool");
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o700)).unwrap();
    sandbox.pack_kind("tree", &[], &[]).success();
    let output = finish(&mut Command::new(sandbox.path("dist/tree/pkg/tool"))).success();
    assert_eq!(output.stdout, "ran\n");
}
