//! The rules of `integrations/bazel` in a real Bazel: a worker, multiplex, in sandboxes, and without; and
//! what is made of the caches.

use std::fs;
use std::path::Path;

use crate::bazel_workspace::Bazel;
use crate::sandbox::{Output, finish};

#[test]
fn the_same_bytes_by_every_strategy() {
    let Some(mut bazel) = Bazel::example() else { return };
    let ran = bazel.build(&["//..."]);
    assert_eq!(ran.get("worker"), Some(&8), "{ran:?}");
    let expected = bazel.caches();
    let tag = expected.keys().next().unwrap().split('.').nth(1).unwrap().to_owned();
    let names: Vec<String> = expected.keys().map(|name| name.replace(&tag, "TAG")).collect();
    expect_test::expect![[r#"
        __pycache__/app.TAG.opt-2.pyc
        __pycache__/app.TAG.pyc
        __pycache__/version.TAG.opt-2.pyc
        __pycache__/version.TAG.pyc
        _bytekiln/app/shared/__pycache__/words.TAG.opt-2.pyc
        _bytekiln/app/shared/__pycache__/words.TAG.pyc
        _bytekiln/some_pyc/shared/__pycache__/words.TAG.pyc
        shared/__pycache__/__init__.TAG.opt-2.pyc
        shared/__pycache__/__init__.TAG.pyc
        shared/__pycache__/greeting.TAG.opt-2.pyc
        shared/__pycache__/greeting.TAG.pyc"#]]
    .assert_eq(&names.join("\n"));
    for (source, recorded, name) in [
        ("app.py", "app.py", format!("__pycache__/app.{tag}.pyc")),
        ("bazel-bin/version.py", "version.py", format!("__pycache__/version.{tag}.pyc")),
        (
            "shared/words.py",
            "shared/words.py",
            format!("_bytekiln/app/shared/__pycache__/words.{tag}.pyc"),
        ),
    ] {
        assert_eq!(bazel.compile(source, recorded, &[]), expected[&name], "{name}");
    }

    for options in [
        &["--strategy=BytekilnCompile=linux-sandbox"][..],
        &["--strategy=BytekilnCompile=processwrapper-sandbox"],
        &["--strategy=BytekilnCompile=local"],
        &["--noworker_multiplex"],
        &["--noworker_multiplex", "--worker_sandboxing"],
        &["--worker_sandboxing", "--experimental_worker_multiplex_sandboxing"],
    ] {
        bazel.clean();
        let mut all = vec!["//..."];
        all.extend(options);
        bazel.build(&all);
        assert!(bazel.caches() == expected, "{options:?}");
    }

    // One file is edited: one compilation at file grain, one at library grain.
    bazel.build(&["//..."]);
    bazel.edit("shared/greeting.py", "Hello", "Good day");
    let ran = bazel.build(&["//:app_pyc"]);
    assert_eq!(ran.get("worker"), Some(&1), "{ran:?}");
    let ran = bazel.build(&["//:app_pyc_o2"]);
    assert_eq!(ran.get("worker"), Some(&1), "{ran:?}");

    // -c opt: the importer need not look at sources.
    let name = format!("__pycache__/app.{tag}.pyc");
    assert_eq!(bazel.caches()[&name][4..8], [3, 0, 0, 0]);
    bazel.build(&["-c", "opt", "//..."]);
    let optimized = bazel.caches();
    assert_eq!(optimized[&name][4..8], [1, 0, 0, 0]);
    let once = bazel.compile("app.py", "app.py", &["--invalidation-mode", "unchecked-hash"]);
    assert_eq!(optimized[&name], once);
}

#[test]
fn what_goes_wrong_is_said() {
    let Some(mut bazel) = Bazel::example() else { return };
    bazel.edit("app.py", "def main():", "def main(:");
    let output = bazel.try_build(&["//:app_pyc"]);
    output.code(1).says(&["--> app.py:", "def main(:"]);
    bazel.edit("app.py", "def main(:", "def main():");
    let text = String::from_utf8(bazel.sandbox.read("bazel/example/BUILD.bazel")).unwrap();
    let at = text.find("python_version = ").unwrap();
    let line = text[at..].lines().next().unwrap().to_owned();
    bazel.edit("BUILD.bazel", &line, "python_version = \"3.9\",");
    let output = bazel.try_build(&["//:app_pyc"]);
    output.code(1).says(&["and 3.9 was expected"]);
}

const MODULES: [&str; 5] = ["app", "version", "shared/__init__", "shared/greeting", "shared/words"];

/// Runs the program of the example from a folder; every module is matched with its cache.
#[track_caller]
fn runs_from_caches(bazel: &Bazel, folder: &str) {
    let code = format!(
        "import sys; sys.path.insert(0, {folder:?}); sys.dont_write_bytecode = True; import app; app.main()"
    );
    let said = finish(&mut bazel.command(&[&bazel.python(), "-v", "-c", &code])).success();
    assert_eq!(said.stdout, "Hello, world! 1.2.3\n");
    for module in MODULES {
        let end = format!("{folder}/{module}.py");
        let matched =
            said.stderr.lines().any(|line| line.contains(" matches ") && line.ends_with(&end));
        assert!(matched, "`{module}` was not matched:\n{}", said.stderr);
    }
}

/// Runs the program of the example from a zip. Whatever is compiled meanwhile is printed, if it is of the zip.
fn run_from_zip(bazel: &Bazel, zip: &Path) -> Output {
    let code = format!(
        "import sys\n\
         def hook(event, arguments):\n\
         \x20   if event == 'compile' and '.zip' in str(arguments[1]):\n\
         \x20       print('compiled', str(arguments[1]).partition('.zip/')[2])\n\
         sys.addaudithook(hook)\n\
         sys.path.insert(0, {:?})\n\
         import app\n\
         app.main()\n",
        zip.display().to_string()
    );
    finish(&mut bazel.command(&[&bazel.python(), "-v", "-c", &code])).success()
}

/// A program's runfiles have the caches where the importer looks for them.
#[test]
fn programs_import_from_their_caches() {
    let Some(mut bazel) = Bazel::example() else { return };
    let text = String::from_utf8(bazel.sandbox.read("bazel/example/BUILD.bazel")).unwrap();
    let more = "\n\
        sh_binary(name = \"run\", srcs = [\"run.sh\"], data = [\":app\", \":app_pyc\"])\n";
    bazel.write("BUILD.bazel", format!("{text}{more}"));
    let script = bazel.path("run.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let layer = ["//:app_layer", "--output_groups=+digest,+diff_id"];
    bazel.build(&["//:run", "//:app_zip", "//:app_zip_bare", layer[0], layer[1]]);
    runs_from_caches(&bazel, "bazel-bin/run.runfiles/_main");

    for name in ["app_zip.zip", "app_zip_bare.zip"] {
        let said = run_from_zip(&bazel, &bazel.path("bazel-bin").join(name));
        assert_eq!(said.stdout, "Hello, world! 1.2.3\n", "{name}");
        for module in MODULES {
            let module = module.replace("/__init__", "").replace('/', ".");
            let line = format!("import '{module}' # <zipimporter object ");
            assert!(said.stderr.contains(&line), "{name}: {module}\n{}", said.stderr);
        }
    }
    // Where a source is not that of its cache, it is compiled, and that is seen.
    let stale = bazel.sandbox.beside("stale.zip");
    let code = format!(
        "import zipfile\n\
         old, new = zipfile.ZipFile('bazel-bin/app_zip.zip'), zipfile.ZipFile({:?}, 'w')\n\
         for name in old.namelist():\n\
         \x20   new.writestr(name, old.read(name) + (b'#' if name == 'shared/words.py' else b''))\n",
        stale.display().to_string()
    );
    finish(&mut bazel.command(&[&bazel.python(), "-c", &code])).success();
    let said = run_from_zip(&bazel, &stale);
    assert!(said.stdout.starts_with("compiled shared/words.py\n"), "{}", said.shown());

    // The layer, unpacked, and what is said of it.
    let code = "import gzip, hashlib, sys, tarfile\n\
        layer = open('bazel-bin/app_layer.tar.gz', 'rb').read()\n\
        for name, data in [('digest', layer), ('diffid', gzip.decompress(layer))]:\n\
        \x20   said = open('bazel-bin/app_layer.' + name).read()\n\
        \x20   assert said == 'sha256:' + hashlib.sha256(data).hexdigest() + '\\n', (name, said)\n\
        with tarfile.open('bazel-bin/app_layer.tar.gz') as tar:\n\
        \x20   tar.extractall(sys.argv[1])\n\
        \x20   print(*sorted(tar.getnames()), sep='\\n')\n";
    let image = bazel.sandbox.beside("image").display().to_string();
    let listed = finish(&mut bazel.command(&[&bazel.python(), "-c", code, &image])).success();
    expect_test::expect![[r#"
        app
        app/__pycache__
        app/__pycache__/app.TAG.pyc
        app/__pycache__/version.TAG.pyc
        app/app.py
        app/shared
        app/shared/__init__.py
        app/shared/__pycache__
        app/shared/__pycache__/__init__.TAG.pyc
        app/shared/__pycache__/greeting.TAG.pyc
        app/shared/__pycache__/words.TAG.pyc
        app/shared/greeting.py
        app/shared/words.py
        app/version.py
    "#]]
    .assert_eq(&listed.stdout.replace(&bazel.sandbox.tag(), "TAG"));
    runs_from_caches(&bazel, &format!("{image}/app"));
}
