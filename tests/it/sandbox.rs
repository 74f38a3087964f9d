//! A workspace in a temporary folder, with a home, a cache and a `PATH` of its own, and the
//! command to run in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bytekiln_test_support::fixture::Tree;
use bytekiln_test_support::pythons::{self, Python};
use serde_json::Value;

/// The user `nobody`.
const NOBODY: u32 = 65534;

/// See the module.
pub(crate) struct Sandbox {
    tree: Tree,
    python: Python,
    /// The command and the user who runs it and the interpreter, if not ours.
    other_user: Option<(PathBuf, u32)>,
}

/// What a command did.
pub(crate) struct Output {
    command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// A fixture below `work/`, with the preferred interpreter as `python3`; `None`, said aloud,
    /// if this machine has none.
    pub(crate) fn new(fixture: &str) -> Option<Self> {
        Some(Self::with_python(fixture, pythons::any_or_skip()?))
    }

    /// With a certain interpreter as `python3`. All others are on the `PATH` by their versions.
    pub(crate) fn with_python(fixture: &str, python: &Python) -> Self {
        let tree = Tree::new("");
        for folder in ["work", "home", "cache", "bin"] {
            fs::create_dir(tree.path(folder)).unwrap();
        }
        let sandbox = Self { tree, python: python.clone(), other_user: None };
        for file in bytekiln_test_support::fixture::parse(fixture) {
            sandbox.write(&file.path, file.content);
        }
        for python in pythons::all() {
            let name = format!("bin/python{}", python.name());
            symlink(&python.path, sandbox.tree.path(&name)).unwrap();
        }
        symlink(&python.path, sandbox.tree.path("bin/python3")).unwrap();
        sandbox
    }

    /// For what the superuser cannot be refused: everything runs as a user without rights, whose
    /// all of the sandbox is. Where the tests do not run as root, that is ourselves. `None`, said
    /// aloud, if such a user can run no interpreter.
    pub(crate) fn unprivileged(fixture: &str) -> Option<Self> {
        let probe = Tree::new("");
        if fs::metadata(probe.root()).unwrap().uid() != 0 {
            return Self::new(fixture);
        }
        let runs = |python: &&Python| {
            let mut command = Command::new(&python.path);
            command.args(["-I", "-c", ""]).uid(NOBODY).gid(NOBODY).current_dir("/");
            command.stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let system = ["/usr/bin/python3", "/usr/local/bin/python3"];
        let system: Vec<Python> =
            system.iter().filter_map(|path| pythons::ask(Path::new(path))).collect();
        let Some(python) = system.iter().chain(pythons::all()).find(runs) else {
            pythons::skip("needs an interpreter that a user without rights can run");
            return None;
        };
        let mut sandbox = Self::with_python(fixture, python);
        let command = sandbox.beside("bin/bytekiln");
        fs::copy(command_path(), &command).unwrap();
        sandbox.other_user = Some((command, NOBODY));
        sandbox.give_away();
        Some(sandbox)
    }

    /// Gives all of the sandbox to its user, after files were added.
    pub(crate) fn give_away(&self) {
        if let Some((_, user)) = self.other_user {
            let owner = format!("{user}:{user}");
            let mut chown = Command::new("chown");
            finish(chown.args(["-R", "-h", &owner]).arg(self.tree.root())).success();
        }
    }

    /// The workspace.
    pub(crate) fn root(&self) -> PathBuf {
        self.tree.path("work")
    }

    /// A path beside the workspace, such as `cache`.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.tree.path(path)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.tree.write(&format!("work/{path}"), content);
    }

    pub(crate) fn read(&self, path: &str) -> Vec<u8> {
        self.tree.read(&format!("work/{path}"))
    }

    pub(crate) fn remove(&self, path: &str) {
        self.tree.remove(&format!("work/{path}"));
    }

    /// Sets a file's modification time to some seconds from now, past or future.
    pub(crate) fn touch(&self, path: &str, seconds: u64) {
        let file = fs::File::options().write(true).open(self.path(path)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    }

    /// Files of the workspace that satisfy a condition, without Bytekiln's own state.
    fn files_where(&self, condition: impl Fn(&str) -> bool) -> Vec<String> {
        let files = self.tree.files();
        let inside = files.iter().filter_map(|file| file.strip_prefix("work/"));
        inside
            .filter(|file| !file.starts_with(".bytekiln/index") && condition(file))
            .map(str::to_owned)
            .collect()
    }

    /// Every `.pyc` of the workspace, sorted.
    pub(crate) fn caches(&self) -> Vec<String> {
        self.files_where(|file| file.ends_with(".pyc"))
    }

    /// Every `.pyc` of the workspace and its bytes.
    pub(crate) fn cache_bytes(&self) -> Vec<(String, Vec<u8>)> {
        self.caches().into_iter().map(|path| (path.clone(), self.read(&path))).collect()
    }

    /// The interpreter that is `python3` here.
    pub(crate) fn interpreter(&self) -> &Python {
        &self.python
    }

    /// `cpython-311`.
    pub(crate) fn tag(&self) -> String {
        format!("cpython-{}{}", self.python.version.0, self.python.version.1)
    }

    /// Replaces `python3` by a script; `real` in it stands for the interpreter.
    pub(crate) fn script_python(&self, script: &str) -> PathBuf {
        let path = self.tree.path("bin/python3");
        fs::remove_file(&path).unwrap();
        let script = script.replace("REAL", &self.python.path.to_string_lossy());
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // What changed within the tick of the file system's clock in which a build begins is not yet
        // taken for granted.
        std::thread::sleep(Duration::from_millis(50));
        path
    }

    /// The command with this sandbox's environment, in the workspace.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let path = self.other_user.as_ref().map_or(command_path(), |(path, _)| path);
        let mut command = self.clean(path);
        command.args(arguments);
        command
    }

    /// Runs the command.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        finish(&mut self.command(arguments))
    }

    /// `build` with JSON messages.
    pub(crate) fn build(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["build", "--message-format", "json"];
        all.extend_from_slice(arguments);
        self.run(&all)
    }

    /// Runs the interpreter in the workspace; it writes no caches.
    pub(crate) fn python(&self, arguments: &[&str]) -> Output {
        let mut command = self.clean(&self.python.path);
        command.arg("-B").args(arguments);
        finish(&mut command)
    }

    /// Imports modules, and expects each to come from its cache, matched by CPython itself.
    #[track_caller]
    pub(crate) fn imports_from_caches(&self, options: &[&str], modules: &[&str]) {
        let code = format!("import sys; sys.path.insert(0, '.'); import {}", modules.join(", "));
        let mut arguments = options.to_vec();
        arguments.extend_from_slice(&["-v", "-c", &code]);
        let output = self.python(&arguments).success();
        for module in modules {
            let end = format!("{}.py", module.replace('.', "/"));
            let package_end = end.replace(".py", "/__init__.py");
            let matched = output.stderr.lines().any(|line| {
                line.contains(" matches ") && (line.ends_with(&end) || line.ends_with(&package_end))
            });
            assert!(matched, "`{module}` was not matched:\n{}", output.stderr);
        }
    }

    /// Copies the interpreter, and of its library what starting and compiling needs.
    pub(crate) fn copy_interpreter(&self, to: &Path) {
        let code = "import glob, os, shutil, sys, sysconfig\n\
            to, library = sys.argv[1], sysconfig.get_path('stdlib')\n\
            below = os.path.join(to, 'lib', os.path.basename(library))\n\
            os.makedirs(os.path.join(below, 'lib-dynload'))\n\
            os.makedirs(os.path.join(to, 'bin'))\n\
            shutil.copy(os.path.realpath(sys.executable), os.path.join(to, 'bin/python3'))\n\
            for path in glob.glob(os.path.join(library, '*.py')):\n\
            \x20   shutil.copy(path, below)\n\
            for name in ['collections', 'encodings', 'importlib', 're']:\n\
            \x20   if os.path.isdir(os.path.join(library, name)):\n\
            \x20       shutil.copytree(os.path.join(library, name), os.path.join(below, name),\n\
            \x20                       ignore=shutil.ignore_patterns('__pycache__'))\n";
        self.python(&["-c", code, &to.display().to_string()]).success();
    }

    fn clean(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.tree.path("bin").display());
        command.current_dir(self.root()).env_clear().stdin(Stdio::null());
        command.env("PATH", path).env("HOME", self.tree.path("home"));
        command.env("XDG_CACHE_HOME", self.tree.path("cache")).env("LC_ALL", "C.UTF-8");
        if let Some((_, user)) = self.other_user {
            command.uid(user).gid(user);
        }
        command
    }
}

impl Output {
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.shown());
        self
    }

    /// Both streams, for messages.
    pub(crate) fn shown(&self) -> String {
        let Output { command, status, stdout, stderr } = self;
        format!("$ {command}\n{status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }

    /// Expects parts of what was said on standard error.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in\n{}", self.shown());
        }
        self
    }

    /// The JSON messages of a kind.
    pub(crate) fn messages(&self, reason: &str) -> Vec<Value> {
        let all = self.stdout.lines().map(|line| {
            serde_json::from_str::<Value>(line)
                .unwrap_or_else(|error| panic!("{error}: `{line}`\n{}", self.shown()))
        });
        all.filter(|message| message["reason"] == reason).collect()
    }

    /// `source result` of every file that was worked on, sorted.
    pub(crate) fn results(&self) -> Vec<String> {
        let mut results: Vec<String> = self
            .messages("file-finished")
            .iter()
            .map(|message| {
                let text = |key: &str| message[key].as_str().unwrap_or("?").to_owned();
                format!("{} {}", text("source"), text("result"))
            })
            .collect();
        results.sort();
        results
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Output {
    let shown = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("{shown}: {error}"));
    Output {
        command: shown,
        status: output.status,
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The built command: `BYTEKILN_TEST_COMMAND`, or built now with the profile of this test.
pub(crate) fn command_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        if let Some(path) = std::env::var_os("BYTEKILN_TEST_COMMAND") {
            return path.into();
        }
        // TARGET/PROFILE/deps/it-0123456789abcdef
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap();
        let target = folder.parent().unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        build.args(["build", "--quiet", "--package", "bytekiln", "--bins", "--target-dir"]);
        build.arg(target);
        if folder.file_name() == Some(OsStr::new("release")) {
            build.arg("--release");
        }
        finish(&mut build).success();
        let path = folder.join("bytekiln");
        assert!(path.is_file(), "cargo built no `{}`", path.display());
        path
    })
}

/// Whether the suite runs at full size (`BYTEKILN_FULL=1`).
pub(crate) fn full_size() -> bool {
    std::env::var_os("BYTEKILN_FULL").is_some_and(|value| value == "1")
}
