//! A Bazel workspace in a sandbox, with a server of its own, and what Bazel says that it ran. Knows nothing
//! of what is built.
//!
//! `BYTEKILN_TEST_BAZEL` names a command that runs its arguments where a Bazel is. It takes `--hold` and
//! `--release`, to keep that place between commands, and shows the top-level folders of this machine there
//! that `FORKY_BIND` names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use bytekiln_test_support::pythons::{self, Python};

use crate::sandbox::{Output, Sandbox, command_path, finish};

/// See the module.
pub(crate) struct Bazel {
    pub(crate) sandbox: Sandbox,
    prefix: PathBuf,
    /// The workspace, below `work/`.
    folder: &'static str,
    /// Which of several output bases; each is a server.
    base: String,
    started: Vec<String>,
}

/// What the workspaces of tests have in common: a toolchain `bytekiln`, of the interpreter of the sandbox.
const MODULE: &str = "\
module(name = \"bytekiln_test\")
bazel_dep(name = \"bytekiln\")
local_path_override(module_name = \"bytekiln\", path = \"../../bazel\")
register_toolchains(\"//:bytekiln\")
";

impl Bazel {
    /// In a copy of `integrations/bazel/example`; `None`, said aloud, where there is no Bazel.
    pub(crate) fn example() -> Option<Bazel> {
        let bazel = Bazel::open("bazel/example")?;
        bazel.edit("BUILD.bazel", "/usr/bin/python3", &bazel.python());
        bazel.edit(
            "BUILD.bazel",
            "\"3.13\"",
            &format!("\"{}\"", bazel.sandbox.interpreter().name()),
        );
        Some(bazel)
    }

    /// In a workspace whose `BUILD.bazel` has a toolchain and what is added to it.
    pub(crate) fn workspace(more: &str) -> Option<Bazel> {
        let bazel = Bazel::open("own/main")?;
        bazel.write("MODULE.bazel", MODULE);
        bazel.write(
            "BUILD.bazel",
            format!(
                "load(\"@bytekiln//:defs.bzl\", \"bytekiln_toolchain\", \"py_precompile\", \
                 \"py_precompiled_layer\", \"py_precompiled_zip\")\n\
                 bytekiln_toolchain(\n    name = \"bytekiln\",\n    bytekiln = \"tools/bytekiln\",\n    \
                 python_path = \"{}\",\n    python_version = \"{}\",\n)\n\
                 exports_files([\"tools/bytekiln\"])\n{more}",
                bazel.python(),
                bazel.sandbox.interpreter().name()
            ),
        );
        Some(bazel)
    }

    fn open(folder: &'static str) -> Option<Bazel> {
        let Some(prefix) = std::env::var_os("BYTEKILN_TEST_BAZEL").filter(|it| !it.is_empty())
        else {
            pythons::skip("needs a Bazel, in BYTEKILN_TEST_BAZEL");
            return None;
        };
        let prefix = PathBuf::from(prefix);
        let sandbox = Sandbox::with_python("", interpreter(&prefix)?);
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        copy(&rules.join("integrations/bazel"), &sandbox.path("bazel"));
        let tool = sandbox.path(folder).join("tools/bytekiln");
        fs::create_dir_all(tool.parent().unwrap()).unwrap();
        fs::copy(command_path(), tool).unwrap();
        let bazel =
            Bazel { sandbox, prefix, folder, base: "first".to_owned(), started: Vec::new() };
        finish(&mut bazel.command(&["--hold"])).success();
        Some(bazel)
    }

    /// The interpreter, by a path that is the same inside and outside.
    pub(crate) fn python(&self) -> String {
        real_path(self.sandbox.interpreter()).display().to_string()
    }

    /// Runs something where Bazel is, in the workspace.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = enter(&self.prefix, self.sandbox.interpreter(), arguments);
        command.current_dir(self.sandbox.path(self.folder));
        command.env("FORKY_HOLD", self.sandbox.beside("hold"));
        command
    }

    /// Runs Bazel.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Output {
        if !self.started.contains(&self.base) {
            self.started.push(self.base.clone());
        }
        self.in_base(&self.base, arguments)
    }

    fn in_base(&self, base: &str, arguments: &[&str]) -> Output {
        let out = self.sandbox.beside("bazel-out");
        let root = format!("--output_user_root={}", out.join("root").display());
        let base = format!("--output_base={}", out.join(base).display());
        let mut all = vec!["bazel", &root, &base, "--max_idle_secs=120"];
        all.extend_from_slice(arguments);
        finish(&mut self.command(&all))
    }

    /// From now on, builds are in another output base, as another checkout's are.
    pub(crate) fn use_base(&mut self, name: &str) {
        self.base = name.to_owned();
    }

    /// Builds, and does not expect that it succeeds.
    pub(crate) fn try_build(&mut self, arguments: &[&str]) -> Output {
        let mut all = vec!["build", "--nosandbox_debug", "--color=no", "--curses=no"];
        all.extend_from_slice(arguments);
        self.run(&all)
    }

    /// Builds; how many processes of each kind ran.
    #[track_caller]
    pub(crate) fn build(&mut self, arguments: &[&str]) -> BTreeMap<String, usize> {
        let output = self.try_build(arguments).success();
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

    pub(crate) fn clean(&mut self) {
        self.run(&["clean"]).success();
    }

    /// Writes a file of the workspace.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.sandbox.write(&format!("{}/{path}", self.folder), content);
    }

    /// Replaces a part of a file of the workspace.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let path = format!("{}/{path}", self.folder);
        let text = String::from_utf8(self.sandbox.read(&path)).unwrap();
        assert!(text.contains(from), "{text}");
        self.sandbox.write(&path, text.replace(from, to));
    }

    /// A path in the workspace.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path(self.folder).join(below)
    }

    /// A file that was built, by its path below bazel-bin.
    pub(crate) fn built(&self, path: &str) -> Vec<u8> {
        let path = self.path("bazel-bin").join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// All caches that were built, by their paths below bazel-bin.
    pub(crate) fn caches(&self) -> BTreeMap<String, Vec<u8>> {
        let bin = fs::canonicalize(self.path("bazel-bin")).unwrap();
        let mut found = BTreeMap::new();
        walk(&bin, &mut |path| {
            if path.extension().is_some_and(|suffix| suffix == "pyc") {
                let name = path.strip_prefix(&bin).unwrap().display().to_string();
                found.insert(name, fs::read(path).unwrap());
            }
        });
        found
    }

    /// One compilation without Bazel, of the same interpreter.
    pub(crate) fn compile(&self, source: &str, recorded: &str, options: &[&str]) -> Vec<u8> {
        let out = self.sandbox.beside("once.pyc");
        let entry = format!("{source}={recorded}={}", out.display());
        let python = self.python();
        let mut all = vec!["tools/bytekiln", "compile", "--python", &python, &entry];
        all.extend_from_slice(options);
        finish(&mut self.command(&all)).success();
        fs::read(out).unwrap()
    }
}

impl Drop for Bazel {
    fn drop(&mut self) {
        for base in &self.started {
            self.in_base(base, &["shutdown"]);
        }
        finish(&mut self.command(&["--release"]));
    }
}

/// An interpreter that is the same one inside and outside; `None`, said aloud.
fn interpreter(prefix: &Path) -> Option<&'static Python> {
    let says = |mut command: Command| {
        command.output().ok().filter(|output| output.status.success()).map(|output| output.stdout)
    };
    let code = ["-I", "-c", "import sys; print(sys.version)"];
    let is_there = |python: &&Python| {
        let path = real_path(python);
        let path = path.to_str().unwrap();
        let mut outside = Command::new(path);
        outside.args(code).stdin(Stdio::null());
        let inside = enter(prefix, python, &[path, code[0], code[1], code[2]]);
        says(outside).is_some_and(|version| says(inside) == Some(version))
    };
    let found = pythons::any_or_skip()?;
    let found = std::iter::once(found).chain(pythons::all()).find(is_there);
    if found.is_none() {
        pythons::skip("needs an interpreter that runs where Bazel is and here");
    }
    found
}

fn real_path(python: &Python) -> PathBuf {
    fs::canonicalize(&python.path).unwrap()
}

/// Runs arguments where Bazel is, and shows the interpreter there.
fn enter(prefix: &Path, python: &Python, arguments: &[&str]) -> Command {
    let mut command = Command::new(prefix);
    command.args(arguments).stdin(Stdio::null());
    let path = real_path(python);
    let top = path.components().find_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    // What that place has of its own stays.
    if let Some(top) = top.filter(|top| *top != "usr" && *top != "bin") {
        command.env("FORKY_BIND", top);
    }
    command
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
