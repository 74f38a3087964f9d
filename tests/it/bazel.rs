//! The rules of `integrations/bazel` in a real Bazel: a worker, multiplex, in sandboxes, and without.
//!
//! `BYTEKILN_TEST_BAZEL` names a command that runs its arguments where a Bazel is (and takes `--hold` and
//! `--release`, to keep that place between commands).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytekiln_test_support::pythons;

use crate::sandbox::{Output, Sandbox, command_path, finish};

/// A workspace of the example, and a Bazel server for it.
struct Bazel {
    sandbox: Sandbox,
    prefix: PathBuf,
}

impl Bazel {
    fn start() -> Option<Bazel> {
        let Some(prefix) = std::env::var_os("BYTEKILN_TEST_BAZEL").filter(|it| !it.is_empty())
        else {
            pythons::skip("needs a Bazel, in BYTEKILN_TEST_BAZEL");
            return None;
        };
        let sandbox = Sandbox::new("")?;
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        copy(&rules.join("integrations/bazel"), &sandbox.path("bazel"));
        let tool = sandbox.path("bazel/example/tools/bytekiln");
        fs::create_dir_all(tool.parent().unwrap()).unwrap();
        fs::copy(command_path(), tool).unwrap();
        let bazel = Bazel { sandbox, prefix: prefix.into() };
        finish(&mut bazel.command(&["--hold"])).success();
        let version = finish(&mut bazel.command(&["/usr/bin/python3", "--version"])).success();
        let version = version.stdout.trim().strip_prefix("Python ").unwrap().to_owned();
        bazel.edit("BUILD.bazel", "\"3.13\"", &format!("\"{version}\""));
        Some(bazel)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.prefix);
        command.args(arguments).current_dir(self.sandbox.path("bazel/example"));
        command.env("FORKY_HOLD", self.sandbox.beside("hold")).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let root = format!("--output_user_root={}", self.sandbox.beside("bazel-out").display());
        let mut all = vec!["bazel", &root, "--max_idle_secs=120"];
        all.extend_from_slice(arguments);
        finish(&mut self.command(&all))
    }

    /// Builds; how many processes of each kind ran.
    #[track_caller]
    fn build(&self, arguments: &[&str]) -> BTreeMap<String, usize> {
        let mut all = vec!["build", "--nosandbox_debug", "--color=no", "--curses=no"];
        all.extend_from_slice(arguments);
        let output = self.run(&all).success();
        let line = output.stderr.lines().find(|line| {
            line.starts_with("INFO: ")
                && (line.contains(" processes: ") || line.contains(" process: "))
        });
        let (_, kinds) = line.unwrap().rsplit_once(": ").unwrap();
        let kinds = kinds.trim_end_matches('.').split(", ").filter_map(|kind| {
            let (count, kind) = kind.split_once(' ')?;
            Some((kind.to_owned(), count.parse().ok()?))
        });
        kinds.collect()
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = format!("bazel/example/{path}");
        let text = String::from_utf8(self.sandbox.read(&path)).unwrap();
        assert!(text.contains(from), "{text}");
        self.sandbox.write(&path, text.replace(from, to));
    }

    /// All caches that were built, by their paths below bazel-bin.
    fn caches(&self) -> BTreeMap<String, Vec<u8>> {
        let bin = fs::canonicalize(self.sandbox.path("bazel/example/bazel-bin")).unwrap();
        let mut found = BTreeMap::new();
        walk(&bin, &mut |path| {
            if path.extension().is_some_and(|suffix| suffix == "pyc") {
                let name = path.strip_prefix(&bin).unwrap().display().to_string();
                found.insert(name, fs::read(path).unwrap());
            }
        });
        found
    }

    fn clean(&self) {
        self.run(&["clean"]).success();
    }

    /// One compilation without Bazel, of the same interpreter.
    fn compile(&self, source: &str, recorded: &str, options: &[&str]) -> Vec<u8> {
        let out = self.sandbox.beside("once.pyc");
        let entry = format!("{source}={recorded}={}", out.display());
        let mut all = vec!["tools/bytekiln", "compile", "--python", "/usr/bin/python3", &entry];
        all.extend_from_slice(options);
        finish(&mut self.command(&all)).success();
        fs::read(out).unwrap()
    }
}

impl Drop for Bazel {
    fn drop(&mut self) {
        self.run(&["shutdown"]);
        finish(&mut self.command(&["--release"]));
    }
}

fn copy(from: &Path, to: &Path) {
    walk(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    });
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap();
        if kind.is_dir() {
            walk(&path, each);
        } else if kind.is_file() {
            each(&path);
        }
    }
}

#[test]
fn the_same_bytes_by_every_strategy() {
    let Some(bazel) = Bazel::start() else { return };
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
    let Some(bazel) = Bazel::start() else { return };
    bazel.edit("app.py", "def main():", "def main(:");
    let output = bazel.run(&["build", "--color=no", "//:app_pyc"]);
    output.code(1).says(&["--> app.py:", "def main(:"]);
    bazel.edit("app.py", "def main(:", "def main():");
    let text = String::from_utf8(bazel.sandbox.read("bazel/example/BUILD.bazel")).unwrap();
    let at = text.find("python_version = ").unwrap();
    let line = text[at..].lines().next().unwrap().to_owned();
    bazel.edit("BUILD.bazel", &line, "python_version = \"3.9\",");
    let output = bazel.run(&["build", "--color=no", "//:app_pyc"]);
    output.code(1).says(&["and 3.9 was expected"]);
}

/// A program's runfiles have the caches where the importer looks for them.
#[test]
fn programs_import_from_their_caches() {
    let Some(bazel) = Bazel::start() else { return };
    let text = String::from_utf8(bazel.sandbox.read("bazel/example/BUILD.bazel")).unwrap();
    let more = "\n\
        sh_binary(name = \"run\", srcs = [\"run.sh\"], data = [\":app\", \":app_pyc\"])\n";
    bazel.sandbox.write("bazel/example/BUILD.bazel", format!("{text}{more}"));
    let script = bazel.sandbox.path("bazel/example/run.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    bazel.run(&["build", "//:run"]).success();
    let runfiles = "bazel-bin/run.runfiles/_main";
    let code = format!(
        "import sys; sys.path.insert(0, {runfiles:?}); sys.dont_write_bytecode = True; import app; app.main()"
    );
    let said = finish(&mut bazel.command(&["/usr/bin/python3", "-v", "-c", &code])).success();
    assert_eq!(said.stdout, "Hello, world! 1.2.3\n");
    for module in ["app", "version", "shared/__init__", "shared/greeting", "shared/words"] {
        let end = format!("{runfiles}/{module}.py");
        let matched =
            said.stderr.lines().any(|line| line.contains(" matches ") && line.ends_with(&end));
        assert!(matched, "`{module}` was not matched:\n{}", said.stderr);
    }
}
