//! `normalize`: what pip and compileall made becomes canonical, in place; what is not of its source
//! stays as it is; RECORDs stay true.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const SITE: &str = "venv/lib/python3/site-packages";

/// What pip leaves behind: packages, a `.dist-info`, timestamped caches of all levels, a `RECORD`
/// with the hash of every file. `PYTHONHASHSEED` and the folder differ from call to call.
fn install(sandbox: &Sandbox, site: &str, seed: u32) {
    for (path, content) in [
        ("pkg/__init__.py", "from . import names\n"),
        (
            "pkg/names.py",
            "SET = {'a', 'b', 'c', 'd'}\ndef f(x):\n    return x in {'e', 'f', 'g'}\n",
        ),
        ("pkg/deep/__init__.py", ""),
        (
            "pkg/deep/m.py",
            "import sys\n\nclass C:\n    def path(self):\n        return sys._getframe().f_code.co_filename\n",
        ),
        ("single.py", "X = 1.5, 'é', b'x'\n"),
    ] {
        sandbox.write(&format!("{site}/{path}"), content);
    }
    sandbox.give_away();
    let program = r#"
import base64, compileall, csv, hashlib, os, sys
site = sys.argv[1]
for level in (0, 1, 2):
    assert compileall.compile_dir(site, quiet=1, optimize=level, force=True)
os.makedirs(site + "/pkg-1.0.dist-info")
with open(site + "/pkg-1.0.dist-info/RECORD", "w", newline="") as out:
    rows = csv.writer(out, lineterminator="\r\n")
    for folder, _, names in sorted(os.walk(site)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            below = os.path.relpath(path, site)
            if name == "RECORD" or "deep" in below and name.endswith(".pyc"):
                rows.writerow([below, "", ""])
                continue
            content = open(path, "rb").read()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.writerow([below, "sha256=" + digest.decode(), len(content)])
"#;
    let script = format!(
        "import os, sys; os.environ['PYTHONHASHSEED'] = '{seed}'; \
                          os.execv(sys.executable, [sys.executable, '-B', '-c', sys.argv[2], sys.argv[1]])"
    );
    sandbox.python(&["-c", &script, site, program]).success();
}

/// Checks each row of the `RECORD` by reading the file that it names.
fn check_record(sandbox: &Sandbox, site: &str) {
    let program = r#"
import base64, csv, hashlib, sys
site = sys.argv[1]
rows = list(csv.reader(open(site + "/pkg-1.0.dist-info/RECORD", newline="")))
hashed = 0
for path, digest, size in rows:
    if digest:
        content = open(site + "/" + path, "rb").read()
        found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, size) == ("sha256=" + found, str(len(content))), path
        hashed += path.endswith(".pyc")
assert hashed >= 9, hashed
assert sum(path.endswith(".pyc") and not digest for path, digest, _ in rows) == 6
"#;
    sandbox.python(&["-c", program, site]).success();
}

fn results(output: &Output) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["schema"], "bytekiln-normalize/1");
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or("?").to_owned();
    let files = document["files"].as_array().unwrap();
    files.iter().map(|file| (text(file, "path"), text(file, "result"))).collect()
}

fn result_of(output: &Output, end: &str) -> String {
    let results = results(output);
    let found: Vec<_> = results.iter().filter(|(path, _)| path.ends_with(end)).collect();
    assert_eq!(found.len(), 1, "{end} in {results:?}");
    found[0].1.clone()
}

#[test]
fn an_installed_tree_becomes_canonical_once() {
    for python in pythons::all() {
        let sandbox = Sandbox::with_python("", python);
        install(&sandbox, SITE, 1);
        sandbox
            .run(&["normalize", "--check", "venv"])
            .code(1)
            .says(&["15 of 15 caches would change"]);
        sandbox
            .run(&["normalize", "venv"])
            .success()
            .says(&["Normalizing venv", "normalized 15 of 15 caches (1 RECORD updated)"]);
        check_record(&sandbox, SITE);
        let site = sandbox.path(SITE);
        let import = format!(
            "import sys; sys.path.insert(0, {:?}); import pkg.deep.m, single; \
                              assert pkg.deep.m.C().path() == pkg.deep.m.__file__",
            site
        );
        for levels in [&["-v"][..], &["-v", "-O"], &["-v", "-OO"]] {
            let output = sandbox.python(&[levels, &["-c", &import]].concat()).success();
            for module in ["pkg/__init__", "pkg/names", "pkg/deep/m", "single"] {
                let wanted = format!("{module}.py");
                let matched =
                    output.stderr.lines().any(|l| l.contains(" matches ") && l.ends_with(&wanted));
                assert!(matched, "{module} of {}: {}", python.name(), output.stderr);
            }
        }
        let before = sandbox.cache_bytes();
        let inodes = |sandbox: &Sandbox| -> Vec<u64> {
            sandbox
                .caches()
                .iter()
                .map(|path| fs::metadata(sandbox.path(path)).unwrap().ino())
                .collect()
        };
        let inodes_before = inodes(&sandbox);
        sandbox.run(&["normalize", "venv"]).success().says(&["nothing to do for 15 caches"]);
        sandbox.run(&["normalize", "--check", "venv"]).success();
        assert_eq!(inodes(&sandbox), inodes_before, "nothing is written");
        assert_eq!(sandbox.cache_bytes(), before);
    }
}

#[test]
fn other_folder_other_history_same_bytes() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let other = "elsewhere/with a long name/site-packages";
    install(&sandbox, SITE, 1);
    install(&sandbox, other, 2);
    // Typed as a venv, as a site-packages and as a package and a file of it.
    sandbox.run(&["normalize", "venv"]).success();
    let package = format!("{other}/pkg");
    let tag = sandbox.tag();
    let files: Vec<String> = ["", ".opt-1", ".opt-2"]
        .map(|level| format!("{other}/__pycache__/single.{tag}{level}.pyc"))
        .to_vec();
    let mut arguments = vec!["normalize", &package, &package];
    arguments.extend(files.iter().map(String::as_str));
    sandbox.run(&arguments).success().says(&["normalized 15 of 15"]);
    check_record(&sandbox, other);
    let caches = sandbox.caches();
    let pairs = caches.iter().filter_map(|path| path.strip_prefix(&format!("{SITE}/")));
    let mut count = 0;
    for path in pairs {
        let (left, right) = (format!("{SITE}/{path}"), format!("{other}/{path}"));
        assert!(sandbox.read(&left) == sandbox.read(&right), "{path}");
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn what_is_not_of_its_source_stays() {
    let Some(sandbox) = Sandbox::new("") else { return };
    install(&sandbox, SITE, 1);
    fs::remove_file(sandbox.path(&format!("{SITE}/pkg-1.0.dist-info/RECORD"))).unwrap();
    let tag = sandbox.tag();
    let cache = |module: &str| {
        let (folder, name) = module.rsplit_once('/').unwrap_or(("", module));
        let slash = if folder.is_empty() { "" } else { "/" };
        format!("{SITE}/{folder}{slash}__pycache__/{name}.{tag}.pyc")
    };
    // Edited since, removed since, made for another interpreter, half a file, another tool's.
    sandbox.write(&format!("{SITE}/single.py"), "X = 2\n");
    sandbox.touch(&format!("{SITE}/single.py"), 1000);
    sandbox.remove(&format!("{SITE}/pkg/names.py"));
    let whole = sandbox.read(&cache("pkg/__init__"));
    let mut foreign = whole.clone();
    foreign[0] ^= 0x55;
    sandbox.write(&format!("{SITE}/pkg/__pycache__/__init__.pypy39.pyc"), &foreign);
    sandbox.write(&format!("{SITE}/pkg/__pycache__/__init__.cpython-399-x.pyc"), &whole);
    sandbox.write(&format!("{SITE}/pkg/__pycache__/__init__.{tag}-pytest-7.4.0.pyc"), &whole);
    let half = sandbox.read(&cache("pkg/deep/m"));
    sandbox.write(&cache("pkg/deep/m"), &half[..half.len() - 3]);
    fs::write(sandbox.beside("cache/x.pyc"), &whole).unwrap();
    symlink(sandbox.beside("cache/x.pyc"), sandbox.path(&format!("{SITE}/x.pyc"))).unwrap();
    let before = sandbox.cache_bytes();
    let output = sandbox.run(&["normalize", "--format", "json", "venv"]).code(1);
    for (end, expect) in [
        (cache("single"), "stale"),
        (cache("pkg/names"), "stale"),
        (cache("pkg/deep/m"), "damaged"),
        (cache("pkg/__init__"), "normalized"),
        ("__init__.cpython-399-x.pyc".to_owned(), "stale"),
        ("__init__.pypy39.pyc".to_owned(), "foreign"),
        (format!("__init__.{tag}-pytest-7.4.0.pyc"), "foreign"),
        ("/x.pyc".to_owned(), "linked"),
    ] {
        assert_eq!(result_of(&output, &end), expect, "{end}");
    }
    let after = sandbox.cache_bytes();
    let normalized: Vec<String> = results(&output)
        .into_iter()
        .filter(|(_, result)| result == "normalized")
        .map(|(path, _)| path)
        .collect();
    for ((path, old), (_, new)) in before.iter().zip(&after) {
        assert_eq!(old != new, normalized.contains(path), "{path}");
    }
    sandbox.run(&["normalize", "venv"]).code(1).says(&[
        "is stale: it was compiled from a source modified at",
        "= help: remove it, or compile it again",
        "is damaged: ",
    ]);
}

#[test]
fn hash_based_caches_are_held_against_their_sources() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let compile = "import py_compile, sys\nfor m in 'ab':\n  py_compile.compile(f'lib/{m}.py', \
                   invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)";
    for (name, text) in [("a", "x = 1\n"), ("b", "y = 1\n")] {
        sandbox.write(&format!("lib/{name}.py"), text);
    }
    sandbox.python(&["-c", compile]).success();
    sandbox.write("lib/b.py", "y = 2\n");
    let tag = sandbox.tag();
    let output = sandbox.run(&["normalize", "--format", "json", "lib"]).success();
    assert_eq!(result_of(&output, &format!("a.{tag}.pyc")), "normalized");
    assert_eq!(result_of(&output, &format!("b.{tag}.pyc")), "stale");
    let header = |sandbox: &Sandbox| sandbox.read(&format!("lib/__pycache__/a.{tag}.pyc"))[4];
    assert_eq!(header(&sandbox), 3, "checked by default");
    sandbox.run(&["normalize", "--invalidation-mode", "unchecked-hash", "lib"]).success();
    assert_eq!(header(&sandbox), 1);
    sandbox.run(&["normalize", "--invalidation-mode", "keep", "lib"]).success();
    assert_eq!(header(&sandbox), 1);
}

#[test]
fn sourceless_modules_keep_their_header_and_path() {
    let Some(sandbox) = Sandbox::new("") else { return };
    sandbox.write("lib/m.py", "def where():\n    return where.__code__.co_filename\n");
    let compile =
        "import py_compile; py_compile.compile('lib/m.py', 'lib/m.pyc', dfile='/build/m.py')";
    sandbox.python(&["-c", compile]).success();
    sandbox.remove("lib/m.py");
    let old = sandbox.read("lib/m.pyc");
    sandbox.run(&["normalize", "lib"]).success().says(&["normalized 1 of 1 cache"]);
    assert_eq!(sandbox.read("lib/m.pyc")[..16], old[..16]);
    let ask = "import sys; sys.path.insert(0, 'lib'); import m; print(m.where())";
    assert_eq!(sandbox.python(&["-c", ask]).success().stdout, "/build/m.py\n");
    sandbox.run(&["normalize", "--recorded-path", "relative", "lib"]).success();
    assert_eq!(sandbox.python(&["-c", ask]).success().stdout, "m.py\n");
}

#[test]
fn a_record_that_lists_other_bytes_is_not_papered_over() {
    let Some(sandbox) = Sandbox::new("") else { return };
    install(&sandbox, SITE, 1);
    let tag = sandbox.tag();
    let cache = format!("{SITE}/__pycache__/single.{tag}.pyc");
    // Same stamp, other code.
    let mut other = sandbox.read(&format!("{SITE}/pkg/__pycache__/__init__.{tag}.pyc"));
    other.splice(..16, sandbox.read(&cache)[..16].iter().copied());
    sandbox.write(&cache, &other);
    sandbox.run(&["normalize", "venv"]).code(1).says(&[
        "single.",
        "is not what `",
        "RECORD` lists",
        "normalized 14 of 15",
        "1 not as recorded",
    ]);
    assert!(sandbox.read(&cache) == other);
}

#[test]
fn files_are_replaced_and_keep_their_mode() {
    let Some(sandbox) = Sandbox::new("") else { return };
    install(&sandbox, SITE, 1);
    let tag = sandbox.tag();
    let cache = sandbox.path(&format!("{SITE}/__pycache__/single.{tag}.pyc"));
    // uv links what it installs from its cache.
    let original = sandbox.beside("cache/single.pyc");
    fs::hard_link(&cache, &original).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o640)).unwrap();
    let old = fs::read(&original).unwrap();
    sandbox.run(&["normalize", "venv"]).success();
    assert_eq!(fs::read(&original).unwrap(), old);
    assert_ne!(fs::read(&cache).unwrap(), old);
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn a_folder_that_cannot_be_written_stops_nothing_else() {
    let Some(sandbox) = Sandbox::unprivileged("") else { return };
    install(&sandbox, SITE, 1);
    let closed = sandbox.path(&format!("{SITE}/pkg/deep/__pycache__"));
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    sandbox.run(&["normalize", "venv"]).code(1).says(&[
        "pkg/deep/__pycache__/m.",
        "could not create a file beside it: Permission denied",
        "normalized 9 of 15 caches (6 failed",
    ]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.run(&["normalize", "venv"]).success().says(&["normalized 6 of 15"]);
    check_record(&sandbox, SITE);
}

#[test]
fn what_cannot_be_normalized_is_said() {
    let Some(sandbox) = Sandbox::new("") else { return };
    sandbox.write("m.py", "x = 1\n");
    sandbox.python(&["-m", "zipfile", "-c", "app.zip", "m.py"]).success();
    for (path, says) in [
        ("app.zip", "`app.zip` is an archive, and caches are only rewritten in place"),
        ("app.zip/m.pyc", "`app.zip` is an archive"),
        ("m.py", "`m.py` is neither a folder nor a .pyc file"),
        ("none", "none` could not be read: No such file"),
    ] {
        sandbox.run(&["normalize", path]).code(2).says(&[says]);
    }
    sandbox.run(&["normalize"]).code(2);
    sandbox.run(&["normalize", "."]).success().says(&["nothing to do for 0 caches"]);
}
