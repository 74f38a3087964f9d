//! `verify`: whoever made a cache honestly is believed, whoever did not is found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_test_support::pythons::{self, Python};
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, finish};

/// Whatever compilers have been seen to write in several ways.
const MODULES: &str = "\
//- /lib/pkg/__init__.py
\"\"\"The package.\"\"\"
from .shapes import Shape
//- /lib/pkg/shapes.py
\"\"\"Shapes.\"\"\"
import os, sys
KINDS = {'round', 'square', 'os.path', '{', 'é', 1, 2.5, (3, 'three')}
class Shape:
    \"\"\"A shape.\"\"\"
    class Inner:
        def area(self, radius, /, *, scale=1.0):
            assert radius > 0, 'no'
            return 3.14159 * radius ** 2 * scale if radius in {1, 2, 3, 'x', 'y', 'z'} else -0.0
def f(x):
    return [y for y in x if y in {'a', 'b', 'c'}], lambda: {'d', 'e'} | KINDS
//- /lib/pkg/empty.py
//- /lib/single.py
def g(*args, **kwargs):
    try:
        return args[1:2], b'bytes', 1 << 70, 'x' * 3
    finally:
        print(kwargs)
";

/// Changes a cache in place: PATH, then a function's name or `-`, then `NEW = {…}` for `replace`.
const CHANGE: &str = "
import marshal, sys, types
path, function, change = sys.argv[1:4]
def find(code):
    if code.co_name == function or function == '-':
        c = code
        return code.replace(**eval(change))
    return code.replace(co_consts=tuple(
        find(const) if isinstance(const, types.CodeType) else const for const in code.co_consts))
with open(path, 'rb') as file: old = file.read()
new = old[:16] + marshal.dumps(find(marshal.loads(old[16:])))
assert new != old
with open(path, 'wb') as file: file.write(new)
";

impl Sandbox {
    fn verify(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["verify", "--format", "json"];
        all.extend_from_slice(arguments);
        self.run(&all)
    }

    fn cache_of(&self, module: &str) -> String {
        let (folder, stem) = module.rsplit_once('/').unwrap();
        format!("{folder}/__pycache__/{stem}.{}.pyc", self.tag())
    }

    fn change(&self, cache: &str, function: &str, change: &str) {
        self.python(&["-c", CHANGE, cache, function, change]).success();
    }

    fn compile_all(&self, arguments: &[&str]) {
        let mut all = vec!["-m", "compileall", "-q", "-f"];
        all.extend_from_slice(arguments);
        self.python(&all).success();
    }
}

impl Output {
    fn report(&self) -> Value {
        let report: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.shown()));
        assert_eq!(report["schema"], "bytekiln-verify/1");
        report
    }

    /// `path verdict[ reason]` of everything that is not proved.
    fn unproved(&self) -> Vec<String> {
        let report = self.report();
        let files = report["files"].as_array().unwrap();
        let others = files.iter().filter(|file| file["verdict"] != "proved");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        others
            .map(|file| {
                let (path, verdict) = (text(&file["path"]), text(&file["verdict"]));
                format!("{path} {verdict} {}", text(&file["reason"]))
            })
            .collect()
    }

    #[track_caller]
    fn proves(self, count: usize) {
        let output = self.success();
        assert_eq!(output.report()["proved"], count, "{}", output.shown());
        assert_eq!(output.unproved(), [""; 0]);
    }
}

fn each_interpreter(test: impl Fn(&Python)) {
    let _ = pythons::any_or_skip();
    for python in pythons::all() {
        test(python);
    }
}

#[test]
fn whoever_compiled_honestly_is_believed() {
    each_interpreter(|python| {
        let sandbox = Sandbox::with_python(MODULES, python);
        for arguments in [
            &["lib"][..],
            &["--invalidation-mode", "checked-hash", "lib"],
            &["--invalidation-mode", "unchecked-hash", "-j2", "lib"],
            &["-d", "/elsewhere", "lib"],
        ] {
            sandbox.compile_all(arguments);
            sandbox.verify(&["lib"]).proves(4);
        }
        let mut levels = vec!["-m", "compileall", "-q", "-f", "lib"];
        for level in ["-O", "-OO"] {
            levels.insert(0, level);
            sandbox.python(&levels).success();
            levels.remove(0);
        }
        sandbox.verify(&["lib"]).proves(12);
        // The bytes of another file name and hash seed, and caches without a tag.
        sandbox.python(&["-OO", "-m", "compileall", "-q", "-f", "-b", "lib"]).success();
        sandbox.verify(&["lib"]).proves(16);
        if python.version >= (3, 11) {
            let without = ["-X", "no_debug_ranges", "-m", "compileall", "-q", "-f", "lib"];
            sandbox.python(&without).success();
            let output = sandbox.verify(&["lib"]).success();
            let report = output.report();
            let files = report["files"].as_array().unwrap();
            let bare = files.iter().filter(|file| file["debug_ranges"] == false).count();
            // Of an empty module, some releases write the same either way.
            assert!(bare >= 3, "{}", output.shown());
        }
        for cache in sandbox.caches() {
            sandbox.remove(&cache);
        }
        // The import system's own, and ours.
        let import = "import sys; sys.path.insert(0, 'lib'); sys.dont_write_bytecode = False\n\
                      import pkg.shapes, single";
        sandbox.python(&["-c", import]).success();
        sandbox.verify(&["lib"]).proves(3);
        sandbox.run(&["build", "--python", "python3"]).success();
        sandbox.verify(&["lib"]).proves(4);
    });
}

#[test]
fn one_changed_constant_among_many_is_found_and_nothing_else() {
    let Some(sandbox) = Sandbox::new("") else { return };
    for number in 0..300 {
        let text =
            format!("class C{number}:\n    def f(self):\n        return {number}, 'limit'\n");
        sandbox.write(&format!("lib/m{number}.py"), text);
    }
    sandbox.compile_all(&["lib"]);
    sandbox.verify(&["lib"]).proves(300);
    let cache = sandbox.cache_of("lib/m123");
    let change = "{'co_consts': tuple('no limit' if x == 'limit' else (x[0], 'no limit') \
                  if isinstance(x, tuple) else x for x in c.co_consts)}";
    sandbox.change(&cache, "f", change);
    let output = sandbox.verify(&["lib"]).code(1);
    let path = cache.strip_prefix("lib/").unwrap();
    assert_eq!(output.unproved(), [format!("{path} diverges content")]);
    let report = output.report();
    let files = report["files"].as_array().unwrap();
    let found = files.iter().find(|file| file["verdict"] == "diverges").unwrap();
    assert_eq!(found["function"], "C123.f");
    assert!(found["part"].as_str().unwrap().starts_with("co_consts["), "{found}");
    assert!(found["message"].as_str().unwrap().contains("no limit"), "{found}");
    sandbox.run(&["verify", "lib"]).code(1).says(&[
        &format!("error: `{cache}` does not come from its source"),
        "299 proved, 1 diverges",
    ]);
    // Of one changed instruction the other 299 say that it is no other build's.
    sandbox.compile_all(&["lib"]);
    sandbox.change(&cache, "f", "{'co_stacksize': 77}");
    let output = sandbox.verify(&["lib"]).code(1);
    assert_eq!(output.unproved(), [format!("{path} diverges content")]);
}

#[test]
fn what_another_build_may_have_made_is_not_called_forged() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    let cache = sandbox.cache_of("lib/single");
    sandbox.change(&cache, "g", "{'co_stacksize': 77}");
    let path = cache.strip_prefix("lib/").unwrap();
    let output = sandbox.verify(&["lib"]).code(1);
    assert_eq!(output.unproved(), [format!("{path} unprovable other-build")]);
    sandbox.verify(&["lib", "--allow-unprovable=other-build"]).success();
    sandbox.verify(&["lib", "--allow-unprovable"]).success();
    sandbox.verify(&["lib", "--allow-unprovable=no-source"]).code(1);
    // Unless it is known who made it.
    let python = sandbox.interpreter().path.to_string_lossy().into_owned();
    let output = sandbox.verify(&["lib", "--python", &python]).code(1);
    assert_eq!(output.unproved(), [format!("{path} diverges content")]);
    let version = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let version = sandbox.python(&["-c", version]).success().stdout;
    sandbox.write("pyvenv.cfg", format!("home = /nowhere\nversion = {version}"));
    let output = sandbox.verify(&["lib"]).code(1);
    assert_eq!(output.unproved(), [format!("{path} diverges content")]);
}

#[test]
fn everything_else_has_a_name() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let names = ["level", "gone", "cut", "short", "magic", "tag", "hash", "size", "syntax", "fine"];
    for name in names {
        sandbox.write(&format!("lib/{name}.py"), format!("def f(x):\n    assert x, '{name}'\n"));
    }
    sandbox.write("lib/syntax.py", "def f(:\n");
    let others = "lib/[!s]*.py lib/size.py lib/short.py";
    let compile = format!(
        "import glob, py_compile\nfor p in '{others}'.split():\n    for f in glob.glob(p): py_compile.compile(f, doraise=True)"
    );
    sandbox.python(&["-c", &compile]).success();
    let cache = |name: &str| sandbox.cache_of(&format!("lib/{name}"));
    let fine = sandbox.read(&cache("fine"));
    sandbox.python(&["-O", "-m", "py_compile", "lib/level.py"]).success();
    let optimized = cache("level").replace(".pyc", ".opt-1.pyc");
    sandbox.write(&cache("level"), sandbox.read(&optimized));
    sandbox.remove("lib/gone.py");
    let cut = sandbox.read(&cache("cut"));
    sandbox.write(&cache("cut"), &cut[..cut.len() - 5]);
    sandbox.write(&cache("short"), &fine[..7]);
    sandbox.write(&cache("magic"), [&[0x39, 0x30][..], &fine[2..]].concat());
    sandbox.write("lib/__pycache__/tag.cpython-38.pyc", &fine);
    sandbox.remove(&cache("tag"));
    let hash = "import py_compile as p; p.compile('lib/hash.py', invalidation_mode=\
                p.PycInvalidationMode.UNCHECKED_HASH)";
    sandbox.python(&["-c", hash]).success();
    sandbox.write("lib/hash.py", "def f(x):\n    assert x, 'HASH'\n");
    sandbox.write("lib/size.py", "def f(x):\n    return 1\n");
    // Made of nothing: `py_compile` writes nothing for it. Its header has the right size.
    let mut forged = fine;
    forged[12..16].copy_from_slice(&8_u32.to_le_bytes());
    sandbox.write(&cache("syntax"), forged);
    let verdicts: BTreeMap<String, String> = sandbox
        .verify(&["lib"])
        .code(1)
        .unproved()
        .into_iter()
        .map(|line| {
            let (path, verdict) = line.split_once(' ').unwrap();
            let name = path.rsplit('/').next().unwrap().split('.').next().unwrap();
            (name.to_owned(), verdict.to_owned())
        })
        .collect();
    let expected = [
        ("cut", "diverges invalid"),
        ("gone", "unprovable no-source"),
        ("hash", "diverges header"),
        ("level", "diverges level"),
        ("magic", "unprovable unknown-release"),
        ("short", "diverges invalid"),
        ("size", "diverges header"),
        ("syntax", "diverges source"),
        ("tag", "diverges header"),
    ];
    let expected = expected.map(|(name, verdict)| (name.to_owned(), verdict.to_owned()));
    assert_eq!(verdicts, BTreeMap::from(expected));
    sandbox.run(&["verify", "lib"]).code(1).says(&[
        "its name says optimization level 0, and it was compiled at level 1",
        "not a valid .pyc: it has 7 bytes",
        "its source `gone.py` is not there",
        "its source does not compile: SyntaxError",
    ]);
    // Single files, as typed.
    let output = sandbox.verify(&[&cache("fine"), &cache("gone"), &optimized]).code(1);
    assert_eq!(output.unproved(), [format!("{} unprovable no-source", cache("gone"))]);
    sandbox.verify(&["nowhere"]).code(2).says(&["nowhere"]);
    sandbox.verify(&[&cache("fine"), "--python", "9.9"]).code(3);
}

#[test]
fn an_interpreter_that_is_not_there_is_named() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    let Some(other) = pythons::all().iter().find(|one| *one != sandbox.interpreter()) else {
        pythons::skip("needs two interpreters");
        return;
    };
    sandbox.compile_all(&["lib"]);
    let output = sandbox.verify(&["lib", "--python", &other.path.to_string_lossy()]).code(1);
    let unproved = output.unproved();
    assert_eq!(unproved.len(), 4);
    assert!(unproved.iter().all(|line| line.ends_with("unprovable no-interpreter")));
    sandbox
        .run(&["verify", "lib", "--python", &other.path.to_string_lossy()])
        .code(1)
        .says(&["4 files cannot be proved: no interpreter of CPython", "--python"]);
}

#[test]
fn archives_are_read_as_they_are() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    sandbox.write("lib/pkg-1.0.dist-info/RECORD", "");
    let pack = "
import os, tarfile, zipfile
for name, method in (('app.zip', 0), ('pkg-1.0-py3-none-any.whl', 8)):
    with zipfile.ZipFile(name, 'w', method) as archive:
        for folder, _, files in os.walk('lib'):
            for file in files:
                path = os.path.join(folder, file)
                archive.write(path, os.path.relpath(path, 'lib'))
for name, mode in (('layer.tar', 'w'), ('layer.tar.gz', 'w:gz')):
    with tarfile.open(name, mode) as archive: archive.add('lib', 'usr/lib/app')
";
    sandbox.python(&["-c", pack]).success();
    let archives = ["app.zip", "pkg-1.0-py3-none-any.whl", "layer.tar", "layer.tar.gz"];
    for archive in archives {
        sandbox.verify(&[archive]).proves(4);
    }
    sandbox.verify(&archives).proves(16);
    let constants = "{'co_consts': tuple(b'BYTES' if x == b'bytes' else x for x in c.co_consts)}";
    sandbox.change(&sandbox.cache_of("lib/single"), "g", constants);
    sandbox.python(&["-c", pack]).success();
    for archive in archives {
        let output = sandbox.verify(&[archive]).code(1);
        assert_eq!(output.unproved().len(), 1, "{}", output.shown());
        assert!(output.unproved()[0].ends_with("diverges content"));
    }
    let inside = format!("app.zip/{}", sandbox.cache_of("pkg/shapes"));
    sandbox.verify(&[&inside]).proves(1);
}

#[test]
fn hostile_archives_are_not_believed() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    let pack = format!(
        "
import warnings, zipfile
warnings.simplefilter('ignore')
cache = 'lib/{}'
with zipfile.ZipFile('twice.zip', 'w') as archive:
    archive.write('lib/single.py', 'single.py')
    archive.write(cache, 'single.pyc')
    archive.writestr('single.pyc', b'another')
with zipfile.ZipFile('outside.zip', 'w') as archive:
    archive.write('lib/single.py', 'single.py')
    archive.write(cache, 'single.pyc')
    archive.write(cache, '../single.pyc')
open('cut.zip', 'wb').write(open('twice.zip', 'rb').read()[:-30])
",
        sandbox.cache_of("lib/single").strip_prefix("lib/").unwrap()
    );
    sandbox.python(&["-c", &pack]).success();
    let twice = sandbox.verify(&["twice.zip"]).code(1);
    assert_eq!(twice.unproved(), ["single.pyc unprovable unreadable"], "{}", twice.shown());
    let outside = sandbox.verify(&["outside.zip"]).code(1);
    assert_eq!(outside.report()["proved"], 1);
    assert_eq!(outside.unproved().len(), 1, "{}", outside.shown());
    let cut = sandbox.verify(&["cut.zip"]);
    assert_ne!(cut.status.code(), Some(0), "{}", cut.shown());
    assert!(cut.stderr.contains("cut.zip"), "{}", cut.shown());
}

#[test]
fn a_second_look_starts_no_interpreter() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    let python = sandbox.script_python("echo started >> ../started\nexec REAL \"$@\"");
    let python = python.to_string_lossy().into_owned();
    sandbox.script_python(&format!(
        "echo x >> {}\nexec REAL \"$@\"",
        sandbox.beside("started").display()
    ));
    let started = || std::fs::read_to_string(sandbox.beside("started")).unwrap_or_default().len();
    // Files as young as the clock's tick are not known by their stamps.
    std::thread::sleep(Duration::from_millis(60));
    sandbox.verify(&["lib", "--python", &python]).proves(4);
    let first = started();
    assert!(first > 0);
    sandbox.verify(&["lib", "--python", &python]).proves(4);
    assert_eq!(started(), first);
    // The same sources and caches in another place, too.
    finish(Command::new("cp").arg("-r").arg(sandbox.path("lib")).arg(sandbox.path("venv")))
        .success();
    sandbox.verify(&["venv", "--python", &python]).proves(4);
    assert_eq!(started(), first);
    sandbox.run(&["cache", "gc"]).success();
    sandbox.verify(&["lib", "--python", &python]).proves(4);
    assert_eq!(started(), first, "trimming the cache keeps what was proved");
    sandbox.verify(&["lib", "--python", &python, "--no-cache"]).proves(4);
    assert!(started() > first);
    // A build finds nothing in it that it could link to.
    sandbox.run(&["build", "--python", &python]).success();
    sandbox.verify(&["lib", "--python", &python]).proves(4);
}

#[test]
fn an_interruption_tells_what_is_known() {
    let Some(sandbox) = Sandbox::new("") else { return };
    for number in 0..400 {
        let text = format!("x{number} = {number}\n").repeat(300);
        sandbox.write(&format!("lib/m{number}.py"), text);
    }
    sandbox.compile_all(&["lib"]);
    let compiling = sandbox.beside("compiling");
    // The first start asks who it is, the second one compiles.
    let script = format!("echo x >> {}\nexec REAL \"$@\"", compiling.display());
    let python = sandbox.script_python(&script).to_string_lossy().into_owned();
    let arguments = ["verify", "lib", "--jobs", "1", "--format", "json", "--python", &python];
    let mut command = sandbox.command(&arguments);
    let verify = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let starts = || std::fs::read_to_string(&compiling).unwrap_or_default().lines().count();
    let begun = Instant::now();
    while starts() < 2 && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let id = verify.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = verify.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["diverges"], 0);
    assert!(report["unprovable"].as_u64().unwrap() > 0, "it was interrupted before its end");
    assert_eq!(report["files"].as_array().unwrap().len(), 400);
    sandbox.verify(&["lib", "--python", &python]).proves(400);
}

#[test]
fn installers_caches_prove() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    let pack = "
import os, zipfile
with zipfile.ZipFile('pkg-1.0-py3-none-any.whl', 'w') as wheel:
    record = ''
    for folder, _, files in os.walk('lib'):
        for file in files:
            path = os.path.join(folder, file)
            wheel.write(path, os.path.relpath(path, 'lib'))
            record += os.path.relpath(path, 'lib') + ',,\\n'
    info = 'pkg-1.0.dist-info/'
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: pkg\\nVersion: 1.0\\n')
    wheel.writestr(info + 'RECORD', record)
";
    sandbox.python(&["-c", pack]).success();
    let wheel = "pkg-1.0-py3-none-any.whl";
    let pip =
        ["-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", "by-pip", wheel];
    if sandbox.python(&["-m", "pip", "--version"]).status.success() {
        sandbox.python(&pip).success();
        sandbox.verify(&["by-pip"]).proves(4);
    } else {
        pythons::skip("needs pip");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let uv = std::env::split_paths(&path).map(|folder| folder.join("uv")).find(|uv| uv.is_file());
    let Some(uv) = uv else {
        pythons::skip("needs uv");
        return;
    };
    let mut install = Command::new(uv);
    install.current_dir(sandbox.root()).args(["pip", "install", "--offline", "--no-deps"]);
    install.args(["--compile-bytecode", "--target", "by-uv", wheel, "--python"]);
    finish(install.arg(&sandbox.interpreter().path)).success();
    sandbox.verify(&["by-uv"]).proves(4);
}

#[test]
fn links_are_followed_as_imports_follow_them() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    let link = "
import os
for folder, _, files in os.walk('lib'):
    os.makedirs(folder.replace('lib', 'linked', 1))
    for file in files:
        path = os.path.join(folder, file)
        os.symlink(os.path.abspath(path), path.replace('lib', 'linked', 1))
os.symlink(os.path.abspath('lib/pkg'), 'linked/whole')
os.mkfifo('pipe')
os.remove('linked/single.py')
os.symlink(os.path.abspath('pipe'), 'linked/single.py')
";
    sandbox.python(&["-c", link]).success();
    let output = sandbox.verify(&["linked"]).code(1).says(&["linked/whole` leads elsewhere"]);
    assert_eq!(output.report()["proved"], 3);
    let single = sandbox.cache_of("lib/single").replace("lib/", "");
    assert_eq!(output.unproved(), [format!("{single} unprovable unreadable")]);
}

#[test]
fn caches_with_a_prefix_are_found() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    let code = "import sys; sys.dont_write_bytecode = False; sys.pycache_prefix = sys.argv[1]\n\
                sys.path.insert(0, sys.argv[2]); import single, pkg.shapes";
    let (prefix, lib) = (sandbox.path("prefix"), sandbox.path("lib"));
    sandbox.python(&["-c", code, &prefix.to_string_lossy(), &lib.to_string_lossy()]).success();
    sandbox.verify(&["lib"]).proves(0);
    sandbox.verify(&["lib", "--pycache-prefix", "prefix"]).proves(3);
    sandbox.verify(&[".", "--pycache-prefix", "prefix"]).proves(3);
}

#[test]
fn sarif_has_what_it_must_have() {
    let Some(sandbox) = Sandbox::new(MODULES) else { return };
    sandbox.compile_all(&["lib"]);
    let cache = sandbox.cache_of("lib/single");
    let constants = "{'co_consts': tuple(b'BYTES' if x == b'bytes' else x for x in c.co_consts)}";
    sandbox.change(&cache, "g", constants);
    sandbox.remove("lib/pkg/empty.py");
    let output = sandbox.run(&["verify", "lib", "--format", "sarif"]).code(1);
    let sarif: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["tool"]["driver"]["name"], "bytekiln");
    let mut text = String::new();
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(result["message"]["text"].as_str().unwrap().contains(".pyc"));
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        writeln!(text, "{} {} {place}", result["level"], result["ruleId"]).unwrap();
    }
    let empty = sandbox.cache_of("lib/pkg/empty");
    let expected = format!(
        "\"error\" \"bytekiln/diverges\" \"{cache}\"\n\"warning\" \"bytekiln/unprovable\" \"{empty}\"\n"
    );
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n") + "\n", expected);
}

#[test]
fn what_is_no_archive_is_a_wrong_argument() {
    let Some(sandbox) = Sandbox::new("//- /notes.txt\nno archive\n") else { return };
    for command in ["verify", "doctor", "normalize"] {
        sandbox.run(&[command, "notes.txt"]).code(2).says(&["notes.txt", "neither a folder nor"]);
        sandbox.run(&[command, "absent"]).code(2).says(&["absent", "No such file"]);
    }
    sandbox.run(&["inspect", "absent"]).code(2).says(&["absent", "No such file"]);
    sandbox.run(&["diff", "absent", "notes.txt"]).code(2).says(&["absent", "No such file"]);
}
