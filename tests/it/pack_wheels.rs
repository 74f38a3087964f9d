//! Wheels with bytecode: pip and uv install them, what is wrong with one is told, and the old one stays.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytekiln_test_support::pythons;

use crate::pack_clients::tool_or_skip;
use crate::sandbox::{Output, Sandbox, finish};

/// A wheel with everything: packages, data, a script, a second root, a native library.
const DEMO: &str = "
//- /demo/demo/__init__.py
from demo.sub import m
//- /demo/demo/sub/__init__.py
//- /demo/demo/sub/m.py
NAMES = {'a', 'b', 'c'}
//- /demo/demo/words.txt
words
//- /demo/single.py
x = 1
//- /demo/demo-1.0.data/purelib/extra/__init__.py
Z = 1
//- /demo/demo-1.0.data/scripts/demo-run
#!python
import demo, extra
print(sorted(demo.m.NAMES), extra.Z)
";

const WHEEL: &str = "demo-1.0-py3-none-any.whl";

/// Every row of the `RECORD` of `demo`, held against the file; files of it without a row; rows of one file.
pub(crate) const CHECK_RECORD: &str = "
import base64, csv, hashlib, os, sys
site = sys.argv[1]
rows = {}
with open(os.path.join(site, 'demo-1.0.dist-info/RECORD'), newline='') as file:
    for path, digest, size in csv.reader(file):
        if path in rows: print('twice', path)
        rows[path] = digest
        full = os.path.join(site, path)
        if not os.path.exists(full):
            print('gone', path)
        elif digest:
            with open(full, 'rb') as one: content = one.read()
            sha = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()
            if digest != 'sha256=' + sha or size != str(len(content)): print('other', path)
for base, _, names in os.walk(site):
    for name in names:
        path = os.path.relpath(os.path.join(base, name), site)
        if path.startswith(('demo', 'extra', 'single')) and path not in rows: print('unlisted', path)
print(len([path for path in rows if path.endswith('.pyc')]), 'caches')
";

/// An environment of the sandbox's interpreter, made by one of those who make them.
pub(crate) struct Venv<'a> {
    sandbox: &'a Sandbox,
    pub(crate) folder: PathBuf,
    uv: Option<PathBuf>,
}

impl<'a> Venv<'a> {
    /// By `venv`, with the pip of the interpreter.
    pub(crate) fn pip(sandbox: &'a Sandbox) -> Option<Venv<'a>> {
        let python = &sandbox.interpreter().path;
        let folder = sandbox.path("venv-pip");
        // Its own pip is used, which need not be copied for each test.
        let executable = python.to_string_lossy();
        let version = sandbox.python(&["-m", "pip", "--python", &executable, "--version"]);
        if !version.status.success() {
            pythons::skip("needs a pip that knows --python");
            return None;
        }
        let mut make = Command::new(python);
        finish(make.args(["-m", "venv", "--without-pip"]).arg(&folder)).success();
        Some(Venv { sandbox, folder, uv: None })
    }

    /// By uv.
    pub(crate) fn uv(sandbox: &'a Sandbox) -> Option<Venv<'a>> {
        let uv = tool_or_skip("uv")?;
        let folder = sandbox.path("venv-uv");
        let mut make = Command::new(&uv);
        make.args(["venv", "--quiet", "--offline", "--no-config", "--python"]);
        finish(make.arg(&sandbox.interpreter().path).arg(&folder)).success();
        Some(Venv { sandbox, folder, uv: Some(uv) })
    }

    fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    pub(crate) fn site(&self) -> PathBuf {
        let (major, minor) = self.sandbox.interpreter().version;
        self.folder.join(format!("lib/python{major}.{minor}/site-packages"))
    }

    /// Runs the installer.
    fn manage(&self, arguments: &[&str]) -> Output {
        let mut command = match &self.uv {
            Some(uv) => {
                let mut command = Command::new(uv);
                command.args(["pip", arguments[0], "--no-config", "--python"]).arg(self.python());
                command.env("UV_CACHE_DIR", self.sandbox.path(".uv-cache"));
                command
            }
            None => {
                let mut command = Command::new(&self.sandbox.interpreter().path);
                command.args(["-m", "pip", "--disable-pip-version-check", "--python"]);
                command.arg(self.python()).arg(arguments[0]);
                if arguments[0] == "uninstall" {
                    command.arg("--yes");
                }
                command
            }
        };
        command.args(&arguments[1..]).current_dir(self.sandbox.root());
        finish(&mut command)
    }

    pub(crate) fn install(&self, wheel: &str, options: &[&str]) {
        let offline = if self.uv.is_some() { "--offline" } else { "--no-index" };
        self.manage(&[&["install", "--no-deps", offline, wheel], options].concat()).success();
    }

    /// Nothing is wrong with what is installed.
    pub(crate) fn check(&self) {
        self.manage(&["check"]).success();
    }

    pub(crate) fn record(&self) -> String {
        let site = self.site();
        let output = self.sandbox.python(&["-c", CHECK_RECORD, &site.to_string_lossy()]);
        output.success().stdout
    }

    /// Nothing of it is left.
    #[track_caller]
    pub(crate) fn uninstalls(&self) {
        self.manage(&["uninstall", "demo"]).success();
        let mut find = Command::new("find");
        find.arg(&self.folder).args(["(", "-name", "*demo*", "-o", "-name", "extra*"]);
        find.args(["-o", "-name", "single*", ")", "-not", "-path", "*/setuptools/*"]);
        assert_eq!(finish(&mut find).success().stdout, "");
    }

    /// Runs Python in it; it may write caches.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.python());
        command.args(arguments).current_dir("/").env_clear().env("LC_ALL", "C.UTF-8");
        finish(&mut command).success()
    }

    /// Imports everything of the wheel, and CPython itself matches each cache.
    #[track_caller]
    pub(crate) fn imports_from_caches(&self) {
        let output = self.run(&["-v", "-c", "import demo, demo.sub.m, extra, single"]);
        let site = self.site();
        let matched = output
            .stderr
            .lines()
            .filter(|line| line.contains(" matches ") && line.contains(&*site.to_string_lossy()));
        // A `.pth` of uv's own may bring another one.
        let matched = matched.filter(|line| !line.contains("_virtualenv"));
        assert_eq!(matched.count(), 5, "{}", output.shown());
        let wrote = output.stderr.lines().filter(|line| line.starts_with("# wrote"));
        assert_eq!(wrote.filter(|line| !line.contains("_virtualenv")).count(), 0);
    }
}

fn demo() -> Option<Sandbox> {
    let sandbox = Sandbox::new(DEMO)?;
    let run = sandbox.path("demo/demo-1.0.data/scripts/demo-run");
    fs::set_permissions(run, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.make_wheel(&format!("built/{WHEEL}"), "demo", "");
    Some(sandbox)
}

fn check_installs(venv: &Venv<'_>, wheel: &str, options: &[&str]) {
    venv.install(wheel, options);
    venv.check();
    assert_eq!(venv.record(), "5 caches\n");
    venv.imports_from_caches();
    let ran = finish(&mut Command::new(venv.folder.join("bin/demo-run"))).success();
    assert_eq!(ran.stdout, "['a', 'b', 'c'] 1\n");
    venv.uninstalls();
}

#[test]
fn pip_and_uv_install_it() {
    let Some(sandbox) = demo() else { return };
    sandbox.pack_kind("wheel", &["wheel=built/*.whl"], &[]).success();
    let wheel = format!("dist/wheel/{WHEEL}");
    if let Some(venv) = Venv::pip(&sandbox) {
        check_installs(&venv, &wheel, &["--no-compile"]);
        // pip compiles by itself unless it is told not to: it works, with its own caches.
        venv.install(&wheel, &[]);
        venv.check();
        venv.uninstalls();
    }
    if let Some(venv) = Venv::uv(&sandbox) {
        check_installs(&venv, &wheel, &[]);
        check_installs(&venv, &wheel, &["--link-mode=copy"]);
    }
}

#[test]
fn every_interpreter_in_one_wheel() {
    let Some(sandbox) = demo() else { return };
    let all: Vec<String> =
        pythons::all().iter().map(|python| format!("'{}'", python.name())).collect();
    let python = format!("python=[{}]", all.join(", "));
    let keys = ["wheel=built/*.whl", &python, "optimize=[0, 2]"];
    let output = sandbox.pack_kind("wheel", &keys, &["--format", "json"]).success();
    assert_eq!(output.packed()["artifacts"][0]["files"]["caches"], 5 * 2 * all.len());
    let wheel = format!("dist/wheel/{WHEEL}");
    for command in ["verify", "doctor"] {
        sandbox.run(&[command, &wheel]).success();
    }
    // And out again: what is left is what was there.
    sandbox
        .pack_kind("wheel", &[&format!("wheel={wheel}"), "bytecode=false"], &["--out", "bare"])
        .success();
    sandbox
        .pack_kind("wheel", &["wheel=built/*.whl", "bytecode=false"], &["--out", "first"])
        .success();
    assert_eq!(sandbox.read(&format!("bare/{WHEEL}")), sandbox.read(&format!("first/{WHEEL}")));
    let mut expected = sandbox.zipped(&format!("built/{WHEEL}"));
    let mut names = sandbox.zipped(&format!("bare/{WHEEL}"));
    expected.sort();
    names.sort();
    assert_eq!(names, expected);
}

#[test]
fn it_is_the_same_wheel_wherever_it_is_made() {
    let Some(first) = demo() else { return };
    let Some(second) = demo() else { return };
    for wheel in ["a/x", "b/y"] {
        // A compressed one, with other times, of the same files.
        let code = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1]) as old, \
                    zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as new:\n  \
                    for name in reversed(old.namelist()):\n    \
                    info = zipfile.ZipInfo(name, (2021, 2, 3, 4, 5, 6))\n    \
                    info.external_attr = old.getinfo(name).external_attr\n    \
                    new.writestr(info, old.read(name))\n";
        let path = second.path(wheel).parent().unwrap().join(WHEEL);
        fs::create_dir(path.parent().unwrap()).unwrap();
        let from = format!("built/{WHEEL}");
        second.python(&["-c", code, &from, &path.to_string_lossy()]).success();
    }
    let options = ["--provenance", "--jobs", "1"];
    first.pack_kind("wheel", &["wheel=built/*.whl"], &options).success();
    second.pack_kind("wheel", &["wheel=a/*.whl"], &["--no-cache", "--jobs", "3"]).success();
    let made = format!("dist/wheel/{WHEEL}");
    assert_eq!(first.read(&made), second.read(&made));
    first
        .pack_kind("wheel", &["wheel=built/*.whl"], &options)
        .success()
        .says(&["Fresh dist/wheel/demo-1.0-py3-none-any.whl"]);
    let output = first.pack_kind("wheel", &["wheel=built/*.whl", "build-tag=1bk"], &[]);
    output.success().says(&["demo-1.0-1bk-py3-none-any.whl"]);
}

#[test]
fn no_wheel_is_lost() {
    let Some(sandbox) = demo() else { return };
    let built = sandbox.read(&format!("built/{WHEEL}"));
    let pack = |keys: &[&str], out: &str| {
        let keys = [&["wheel=built/*.whl"], keys].concat();
        sandbox.pack_kind("wheel", &keys, &["--out", out])
    };
    pack(&[], "built").refused(2, &["would replace itself", "build-tag"]);
    pack(&["build-tag=1"], "built").success();
    // The second time, what was made is no input.
    pack(&["build-tag=1"], "built").success().says(&["Fresh"]);
    pack(&["build-tag=2"], "built").success();
    assert_eq!(sandbox.read(&format!("built/{WHEEL}")), built);
    sandbox.remove("built/demo-1.0-2-py3-none-any.whl");
    fs::copy(
        sandbox.path(&format!("built/{WHEEL}")),
        sandbox.path("built/demo-1.0-3-py3-none-any.whl"),
    )
    .unwrap();
    pack(&["build-tag=4"], "elsewhere")
        .refused(2, &["would both be `demo-1.0-4-py3-none-any.whl`"]);
    pack(&[], "x.whl").refused(2, &["names a wheel"]);
    sandbox.write("file", "");
    pack(&[], "file").refused(2, &["is no folder"]);
}

#[track_caller]
fn check_refused(flaw: &str, code: i32, parts: &[&str]) {
    let Some(sandbox) = demo() else { return };
    sandbox.pack_kind("wheel", &["wheel=built/*.whl"], &[]).success();
    let made = format!("dist/wheel/{WHEEL}");
    let before = sandbox.read(&made);
    sandbox.make_wheel(&format!("built/{WHEEL}"), "demo", flaw);
    let output = sandbox.pack_kind("wheel", &["wheel=built/*.whl"], &[]);
    let input = format!("built/{WHEEL}");
    let parts = [parts, &[input.as_str()]].concat();
    output.refused(code, &parts);
    assert_eq!(sandbox.read(&made), before, "{flaw}");
    assert_eq!(sandbox.unfinished(), "", "{flaw}");
    assert!(!Path::new("/evil.py").exists());
}

#[test]
fn wheels_that_are_broken_are_refused() {
    let help = "= help: build the wheel again";
    check_refused("wrong-hash", 1, &["than its RECORD says", help]);
    check_refused("missing-row", 1, &["which its RECORD does not list", help]);
    check_refused("extra-row", 1, &["has no `gone.py`", help]);
    check_refused("unparsable", 1, &["broken RECORD: line ", help]);
    check_refused("slip", 1, &["`../evil.py` has a name that leads out", help]);
    check_refused("absolute", 1, &["`/evil.py` has a name that leads out", help]);
    check_refused("two-infos", 1, &["2 folders `*.dist-info`, not one", help]);
    check_refused("duplicate", 1, &["is there more than once", help]);
    check_refused("no-record", 1, &["so it is no wheel", help]);
    check_refused("encrypted", 1, &["is encrypted", help]);
    check_refused("truncated", 2, &["neither a folder nor a zip"]);
}

#[test]
fn what_was_published_before_a_broken_one_is_told() {
    let Some(sandbox) = demo() else { return };
    let broken = "built/demo-2.0-py3-none-any.whl";
    sandbox.write("other/demo/__init__.py", "");
    sandbox.make_wheel(broken, "other", "wrong-hash");
    let output = sandbox.pack_kind("wheel", &["wheel=built/*.whl"], &[]).code(1);
    output.says(&["Packed dist/wheel/demo-1.0-py3-none-any.whl", broken, "than its RECORD says"]);
}

#[test]
fn wheels_that_do_not_fit_are_refused() {
    let Some(sandbox) = demo() else { return };
    let check = |wheel: &str, keys: &[&str], parts: &[&str]| {
        let wheel = format!("wheel={wheel}");
        let keys = [&[wheel.as_str()], keys].concat();
        sandbox.pack_kind("wheel", &keys, &[]).refused(2, parts);
        assert!(!sandbox.path("dist").exists());
    };
    check("nothing/*.whl", &[], &["`nothing/*.whl` matches no wheel", "--set:1"]);
    check("built/*.zip", &[], &["matches no wheel"]);
    check("built/[", &[], &["bad glob"]);
    sandbox.write("other/demo.whl", sandbox.read(&format!("built/{WHEEL}")));
    check("other/demo.whl", &[], &["has no name of a wheel", "NAME-VERSION"]);
    for name in [
        "demo-1.0-py2-none-any.whl",
        "demo-1.0-cp39-cp39-linux_x86_64.whl",
        "demo-1.0-pp310-pypy310_pp73-any.whl",
    ] {
        sandbox.make_wheel(&format!("tags/{name}"), "demo", "");
        check(&format!("tags/{name}"), &[], &[name, "choose with `python`"]);
    }
    sandbox.write(
        "demo/demo-1.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.99\n\nRequires-Python: x\n",
    );
    sandbox.make_wheel(&format!("requires/{WHEEL}"), "demo", "");
    check("requires/*.whl", &[], &["requires Python >=3.99", "choose with `python`"]);
    check("built/*.whl", &["exclude=**"], &["there is no module to compile"]);
    // Bytecode is taken out for whoever.
    sandbox.pack_kind("wheel", &["wheel=requires/*.whl", "bytecode=false"], &[]).success();
}

#[test]
fn a_source_that_does_not_compile() {
    let Some(sandbox) = demo() else { return };
    sandbox.write("demo/demo/bad.py", "x = (\n");
    sandbox.make_wheel(&format!("built/{WHEEL}"), "demo", "");
    let pack = || sandbox.pack_kind("wheel", &["wheel=built/*.whl"], &[]);
    pack().code(1).says(&["demo/bad.py:1:5", "1 file does not compile", "[[allow-failure]]"]);
    assert!(!sandbox.path(&format!("dist/wheel/{WHEEL}")).exists());
    sandbox.write(
        "bytekiln.toml",
        "[[allow-failure]]\npath = 'demo/bad.py'\nreason = 'a template'\nexpires = 2999-01-01\n",
    );
    pack().success().says(&["Uncompiled demo/bad.py"]);
    let names = sandbox.zipped(&format!("dist/wheel/{WHEEL}"));
    assert!(names.contains(&"demo/bad.py".to_owned()));
    assert!(!names.iter().any(|name| name.contains("__pycache__/bad.")));
}

#[test]
fn a_backend_is_run_where_it_may() {
    let fixture = "
        //- /app/pyproject.toml
        [project]
        name = 'demo'
        version = '1.0'
        [build-system]
        requires = []
        build-backend = 'backend'
        backend-path = ['.']
        //- /app/backend.py
        import os, zipfile
        NAME = 'demo-1.0-py3-none-any.whl'
        INFO = 'demo-1.0.dist-info/'
        def build_wheel(folder, settings=None, metadata=None):
            print('the backend ran', os.environ['SOURCE_DATE_EPOCH'])
            if os.path.exists('fail'): raise SystemExit('the backend failed')
            with zipfile.ZipFile(os.path.join(folder, NAME), 'w') as wheel:
                wheel.write('single.py')
                wheel.writestr(INFO + 'METADATA', 'Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n')
                wheel.writestr(INFO + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: b\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
                wheel.writestr(INFO + 'RECORD', f'single.py,,\\n{INFO}METADATA,,\\n{INFO}WHEEL,,\\n{INFO}RECORD,,\\n')
            return NAME
        //- /app/single.py
        x = 1
        //- /bytekiln.toml
        workspace.members = ['app']
        [[artifact]]
        name = 'wheels'
        kind = 'wheel'
        members = ['demo']
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    if !sandbox.python(&["-m", "pip", "--version"]).status.success() {
        pythons::skip("needs pip");
        return;
    }
    sandbox.run(&["pack"]).refused(2, &["bytekiln.toml:2", "--build-wheel", "build backend"]);
    sandbox.run(&["pack", "--build-wheel"]).success().says(&["Building", "wheel of demo"]);
    let made = format!("dist/wheels/{WHEEL}");
    let first = sandbox.read(&made);
    assert!(sandbox.zipped(&made).iter().any(|name| name.starts_with("__pycache__/single.")));
    sandbox.run(&["pack", "--build-wheel"]).success().says(&["Fresh"]);
    sandbox.write("app/fail", "");
    let output = sandbox.run(&["pack", "--build-wheel"]).code(1);
    output.says(&["the build backend of `demo` did not build a wheel"]);
    assert_eq!(sandbox.read(&made), first);
    assert_eq!(sandbox.unfinished(), "");
}
