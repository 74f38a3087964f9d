//! Environments that are compiled in place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use bytekiln_test_support::pythons;

use crate::pack_wheels::Venv;
use crate::sandbox::{Sandbox, finish};

const DEMO: &str = "
//- /demo/demo/__init__.py
from demo.sub import m
//- /demo/demo/sub/__init__.py
//- /demo/demo/sub/m.py
NAMES = {'a', 'b', 'c'}
def f(): assert False
//- /demo/demo/template/{{name}}.py
x = {{name}}
//- /demo/demo/template/broken.py
x = {{name}} ...
//- /demo/single.py
x = 1
//- /demo/extra/__init__.py
";

const WHEEL: &str = "built/demo-1.0-py3-none-any.whl";

fn demo() -> Option<Sandbox> {
    let sandbox = Sandbox::new(DEMO)?;
    sandbox.make_wheel(WHEEL, "demo", "");
    Some(sandbox)
}

/// Caches below a folder, and `RECORD`s.
fn bytes(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let listed = sandbox.listed(&[folder]);
    let lines = listed.lines().filter(|line| line.contains(".pyc ") || line.contains("/RECORD "));
    lines.map(str::to_owned).collect()
}

fn check_site(sandbox: &Sandbox, venv: &Venv<'_>, options: &[&str], caches: &str) {
    venv.install(WHEEL, options);
    let site = format!("site={}", venv.folder.display());
    let pack = |more: &[&str]| sandbox.pack_kind("site", &[&site], more).success();
    pack(&[]).says(&["Packed venv-", "(site)", "Uncompiled demo/template/broken.py"]);
    let name = venv.folder.file_name().unwrap().to_string_lossy().into_owned();
    let first = bytes(sandbox, &name);
    pack(&[]).says(&["Fresh venv-"]);
    assert_eq!(bytes(sandbox, &name), first);
    let written = fs::metadata(venv.site().join("demo-1.0.dist-info/RECORD")).unwrap().modified();
    pack(&["--no-cache", "--jobs", "1"]);
    assert_eq!(bytes(sandbox, &name), first);
    let now = fs::metadata(venv.site().join("demo-1.0.dist-info/RECORD")).unwrap().modified();
    assert_eq!(written.unwrap(), now.unwrap());
    venv.imports_from_caches();
    venv.check();
    assert_eq!(venv.record(), caches);
    // Made anew without a cache, by one thread, it is the same.
    let mut remove = Command::new("find");
    remove.arg(venv.site()).args(["-name", "*.pyc", "-not", "-name", "{{*", "-delete"]);
    finish(&mut remove).success();
    pack(&["--no-cache", "--jobs", "1"]).says(&["Packed venv-"]);
    assert_eq!(bytes(sandbox, &name), first);
    sandbox.run(&["verify", &name]).success();
    venv.uninstalls();
}

#[test]
fn an_environment_by_pip() {
    let Some(sandbox) = demo() else { return };
    let Some(venv) = Venv::pip(&sandbox) else { return };
    check_site(&sandbox, &venv, &["--no-compile"], "5 caches\n");
    // With caches of pip, which have dates; it compiles what no import can name, too.
    check_site(&sandbox, &venv, &[], "6 caches\n");
}

#[test]
fn an_environment_by_uv() {
    let Some(sandbox) = demo() else { return };
    let Some(venv) = Venv::uv(&sandbox) else { return };
    check_site(&sandbox, &venv, &[], "5 caches\n");
}

#[test]
fn an_environment_with_a_packed_wheel_and_caches_of_pip() {
    let Some(sandbox) = demo() else { return };
    sandbox
        .pack_kind("wheel", &["wheel=built/*.whl", "exclude=**/broken.py"], &["--out", "packed"])
        .success();
    let Some(venv) = Venv::pip(&sandbox) else { return };
    venv.install("packed/demo-1.0-py3-none-any.whl", &[]);
    // pip has put its own caches over ours, and gives each a second row; the first one is wrong now.
    assert!(venv.record().contains("other demo/__pycache__/"));
    let site = format!("site={}", venv.folder.display());
    for mode in ["mode=checked-hash", "mode=unchecked-hash"] {
        sandbox.pack_kind("site", &[&site, mode], &[]).success();
        assert!(!venv.record().contains("other"), "{}", venv.record());
    }
    venv.uninstalls();
}

#[test]
fn a_folder_of_packages_for_several_interpreters() {
    let (Some(old), Some(new)) = (pythons::any_or_skip(), pythons::find_or_skip(3, 14)) else {
        return;
    };
    let sandbox = Sandbox::with_python(DEMO, old);
    let keys = ["site=demo", "optimize=[0, 1]", &format!("python=['{}', '3.14']", old.name())];
    sandbox.pack_kind("site", &keys, &[]).success();
    for suffix in [
        format!("{}.pyc", sandbox.tag()),
        format!("{}.opt-1.pyc", sandbox.tag()),
        "cpython-314.pyc".to_owned(),
    ] {
        assert!(
            sandbox.path(&format!("demo/demo/sub/__pycache__/m.{suffix}")).is_file(),
            "{suffix}"
        );
    }
    let code = "import sys; sys.path.insert(0, 'demo'); import demo.sub.m";
    let mut command = Command::new(&new.path);
    command.args(["-v", "-c", code]).current_dir(sandbox.root());
    let output = finish(&mut command).success();
    let matched = output
        .stderr
        .lines()
        .filter(|line| line.contains(" matches ") && line.contains("/demo/demo/"));
    assert_eq!(matched.count(), 3, "{}", output.shown());
}

#[test]
fn the_standard_library_where_it_is_asked_for() {
    let Some(python) = pythons::any_or_skip() else { return };
    let sandbox = Sandbox::with_python("//- /site/one.py\nx = 1\n", python);
    // An interpreter of our own: a library of a few modules, and links to the rest.
    let code = "
import os, shutil, sys, sysconfig
prefix = sys.argv[1]
library = sysconfig.get_path('stdlib')
own = os.path.join(prefix, 'lib', os.path.basename(library))
os.makedirs(os.path.join(prefix, 'bin'))
os.makedirs(own)
names = ['json', 'collections', 'encodings', 'importlib', 're', 'lib-dynload', 'site-packages']
for name in os.listdir(library):
    full = os.path.join(library, name)
    if name in names and name != 'site-packages':
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(full, os.path.join(own, name), ignore=ignore, symlinks=True)
    elif name.endswith('.py') or name.startswith('_sysconfigdata'):
        if os.path.isfile(full): shutil.copy(full, os.path.join(own, name))
os.makedirs(os.path.join(own, 'site-packages'))
os.makedirs(os.path.join(own, 'test'))
open(os.path.join(own, 'test', 'bad.py'), 'w').write('x = (')
shutil.copy(os.path.realpath(sys.executable), os.path.join(prefix, 'bin', 'python3'))
for name in os.listdir(os.path.join(sys.base_prefix, 'lib')):
    if name.startswith('libpython'):
        os.symlink(os.path.join(sys.base_prefix, 'lib', name), os.path.join(prefix, 'lib', name))
";
    let prefix = sandbox.beside("python");
    fs::create_dir(&prefix).unwrap();
    sandbox.python(&["-c", code, &prefix.to_string_lossy()]).success();
    let own = prefix.join("bin/python3");
    let asks = "import sys, json; print(sys.prefix, json.__file__.startswith(sys.prefix))";
    let output = finish(Command::new(&own).args(["-I", "-B", "-c", asks]));
    if output.stdout != format!("{} True\n", prefix.display()) {
        pythons::skip("needs an interpreter that can be copied");
        return;
    }
    let python = format!("python={}", own.display());
    let keys = ["site=site", &python, "standard-library=true"];
    sandbox.pack_kind("site", &keys, &[]).success();
    sandbox.pack_kind("site", &keys, &[]).success().says(&["Fresh site"]);
    let mut imports = Command::new(&own);
    imports.args(["-v", "-I", "-c", "import json.decoder, collections.abc"]);
    let output = finish(&mut imports).success();
    assert!(
        output
            .stderr
            .lines()
            .any(|line| line.contains(" matches ") && line.ends_with("json/decoder.py"))
    );
    assert!(!output.stderr.contains("# wrote"), "{}", output.shown());
}

#[test]
fn what_is_no_environment() {
    let Some(sandbox) = demo() else { return };
    let pack = |keys: &[&str], more: &[&str]| sandbox.pack_kind("site", keys, more);
    pack(&["site=nothing"], &[]).refused(2, &["--set:1", "no environment `nothing`"]);
    pack(&["site=built"], &[]).refused(2, &["no module in `built`"]);
    pack(&["site=demo"], &["--out", "x"]).refused(2, &["--out means nothing"]);
    pack(&["site=demo"], &["--provenance"]).refused(2, &["--provenance means nothing"]);
    pack(&["site=demo", "exclude=**"], &[]).refused(2, &["no module in `demo`"]);
    sandbox.write("demo/x-1.dist-info/RECORD", "\"open\n");
    pack(&["site=demo"], &[]).code(1).says(&[
        "x-1.dist-info/RECORD",
        "damaged",
        "install the distribution again",
    ]);
    if let Some(venv) = Venv::pip(&sandbox) {
        let other = pythons::all().iter().find(|one| **one != *sandbox.interpreter());
        if let Some(other) = other {
            let site = format!("site={}", venv.folder.display());
            let python = format!("python={}", other.name());
            pack(&[&site, &python], &[])
                .refused(2, &["is an environment of Python", "choose with `python`"]);
        }
    }
}

#[test]
fn folders_that_cannot_be_written() {
    let Some(sandbox) = Sandbox::unprivileged(DEMO) else { return };
    let folder = sandbox.path("demo/demo/sub");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let output = sandbox.pack_kind("site", &["site=demo", "python=python3"], &[]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    output.code(1).says(&["demo/sub", "ermission denied", "not written"]);
}
