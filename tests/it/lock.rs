//! `bytekiln.lock`: written, compared, and what a build that is held to it does and refuses.

use std::fs;

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const TWO_MEMBERS: &str = "
    //- /bytekiln.toml
    [workspace]
    members = [\"core\", \"web\"]
    [profile.release]
    layout = \"pycache\"
    //- /core/core/__init__.py
    //- /core/core/add.py
    def add(left, right):
        return left + right
    //- /web/web/__init__.py
    //- /web/web/view.py
    NAMES = {'a', 'b'}
    //- /web/run-me.py
    print('script')
    ";

fn locked(fixture: &str) -> Option<Sandbox> {
    let sandbox = Sandbox::new(fixture)?;
    sandbox.run(&["lock"]).success();
    Some(sandbox)
}

fn lock_text(sandbox: &Sandbox) -> String {
    String::from_utf8(sandbox.read("bytekiln.lock")).unwrap()
}

fn held(sandbox: &Sandbox, more: &[&str]) -> Output {
    let mut arguments = vec!["--release", "--locked"];
    arguments.extend_from_slice(more);
    sandbox.build(&arguments)
}

/// `kind source` of every drift.
fn drift(output: &Output) -> Vec<String> {
    let messages = output.messages("lock-drift");
    let line = |message: &Value| {
        let source = message["source"].as_str().or(message["member"].as_str());
        let source = source.or(message["target"].as_str()).unwrap_or_default();
        format!("{} {source}", message["kind"].as_str().unwrap()).trim_end().to_owned()
    };
    messages.iter().map(line).collect()
}

#[test]
fn a_lock_is_written_and_builds_are_held_to_it() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    assert_eq!(sandbox.caches().len(), 0, "locking writes nothing else");
    let text = lock_text(&sandbox);
    assert!(!text.contains(&*sandbox.root().to_string_lossy()), "{text}");
    held(&sandbox, &[]).success();
    for path in sandbox.caches() {
        let digest = digest_of(&sandbox, &path);
        assert!(text.contains(&digest), "{path} is {digest}, not in\n{text}");
    }
    assert_eq!(sandbox.caches().len(), 4);
    let again = held(&sandbox, &[]).success();
    assert_eq!(again.messages("build-finished")[0]["fresh"], 5);
    sandbox.run(&["lock", "--check"]).success();
    sandbox.run(&["lock", "--check", "--force"]).success();
    let modified = |sandbox: &Sandbox| {
        fs::metadata(sandbox.path("bytekiln.lock")).unwrap().modified().unwrap()
    };
    let before = modified(&sandbox);
    sandbox.run(&["lock"]).success().says(&["Unchanged"]);
    sandbox.run(&["lock", "--force"]).success();
    assert_eq!(lock_text(&sandbox), text);
    assert_eq!(modified(&sandbox), before);
}

/// `SHA-256/SIZE` of a file, as the interpreter says.
fn digest_of(sandbox: &Sandbox, path: &str) -> String {
    let code = "import hashlib, sys; data = open(sys.argv[1], 'rb').read(); \
                print(hashlib.sha256(data).hexdigest() + '/' + str(len(data)))";
    sandbox.python(&["-c", code, path]).success().stdout.trim_end().to_owned()
}

/// Makes a change, and expects the build and the check to refuse, naming it, with nothing written.
#[track_caller]
fn refuses(change: impl Fn(&Sandbox), expect: &[&str]) {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    let text = lock_text(&sandbox);
    change(&sandbox);
    let build = held(&sandbox, &[]).code(1);
    assert_eq!(drift(&build), expect, "{}", build.shown());
    assert_eq!(build.messages("build-finished")[0]["success"], false);
    assert_eq!(sandbox.caches().len(), 0, "nothing may be written");
    let check = sandbox.run(&["lock", "--check", "--message-format", "json"]).code(1);
    assert_eq!(drift(&check), expect, "{}", check.shown());
    assert_eq!(lock_text(&sandbox), text);
    let people = sandbox.run(&["build", "--release", "--locked"]).code(1);
    people.says(&[
        "error: `bytekiln.lock` does not describe this tree",
        "= help: ",
        "bytekiln lock",
    ]);
    sandbox.run(&["lock"]).success();
    held(&sandbox, &[]).success();
}

#[test]
fn drift_of_sources() {
    refuses(
        |sandbox| {
            sandbox.write("core/core/add.py", "def add(left, right): return 0\n");
            sandbox.write("web/web/new.py", "");
            sandbox.remove("web/web/view.py");
        },
        &[
            "source-changed core/core/add.py",
            "source-added web/web/new.py",
            "source-removed web/web/view.py",
        ],
    );
    refuses(
        |sandbox| sandbox.write("web/run-me.py", "print('changed')\n"),
        &["source-changed web/run-me.py"],
    );
}

#[test]
fn drift_of_members_and_settings() {
    let manifest =
        |text: &'static str| move |sandbox: &Sandbox| sandbox.write("bytekiln.toml", text);
    refuses(
        manifest("[workspace]\nmembers = [\"core\"]\n[profile.release]\nlayout = \"pycache\"\n"),
        &["member-removed web"],
    );
    refuses(
        |sandbox| {
            sandbox.write("extra/extra/__init__.py", "");
            let text = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
            sandbox.write("bytekiln.toml", text.replace("\"core\",", "\"core\", \"extra\","));
        },
        &["member-added extra"],
    );
    let Some(sandbox) = Sandbox::new(TWO_MEMBERS) else { return };
    let (major, minor, ..) = sandbox.interpreter().version;
    let label_is =
        |drift: &str, kind: &str| drift.starts_with(&format!("{kind} CPython {major}.{minor}."));
    let text = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    for (setting, kind) in [
        ("layout = \"legacy\"", "setting-changed"),
        ("mode = \"checked-hash\"\nlayout = \"pycache\"", "setting-changed"),
        ("optimize = [0, 2]\nlayout = \"pycache\"", "target-added"),
        ("optimize = [2]\nlayout = \"pycache\"", "target-"),
    ] {
        sandbox.write("bytekiln.toml", &text);
        sandbox.run(&["lock"]).success();
        sandbox.write("bytekiln.toml", text.replace("layout = \"pycache\"", setting));
        let output = held(&sandbox, &[]).code(1);
        let found = drift(&output);
        assert!(!found.is_empty(), "{}", output.shown());
        for drift in &found {
            assert!(
                label_is(drift, kind) || kind == "target-" && drift.starts_with(kind),
                "{drift}"
            );
        }
    }
    sandbox
        .write("bytekiln.toml", text.replace("layout", "path-prefix-map = [\"core=app\"]\nlayout"));
    assert_eq!(
        drift(&held(&sandbox, &[]).code(1)),
        ["recorded-path-changed core/core/__init__.py", "recorded-path-changed core/core/add.py"]
    );
}

#[test]
fn another_interpreter_is_drift() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    let own = sandbox.interpreter().name();
    let Some(other) = pythons::all().iter().find(|python| python.name() != own) else {
        pythons::skip("needs two interpreters");
        return;
    };
    let output = held(&sandbox, &["--python", &other.path.to_string_lossy()]).code(1);
    let messages = output.messages("lock-drift");
    assert_eq!(messages.len(), 1, "{}", output.shown());
    assert_eq!(messages[0]["kind"], "interpreter-changed");
    let version = |side: &str| messages[0][side]["version"].as_str().unwrap().to_owned();
    assert_ne!(version("locked"), version("found"));
    assert_eq!(sandbox.caches().len(), 0);
    let path = other.path.to_string_lossy();
    let people = sandbox.run(&["build", "--release", "--locked", "--python", &path]).code(1);
    people.says(&[
        &version("locked"),
        &version("found"),
        "build with the interpreter that is locked",
    ]);
}

#[test]
fn an_edited_digest_is_caught_and_its_output_never_written() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    let text = lock_text(&sandbox);
    let line = text.lines().find(|line| line.contains("view.py")).unwrap();
    let (before, digest) = line.rsplit_once('"').unwrap().0.rsplit_once('"').unwrap();
    let first = if digest.starts_with('0') { "1" } else { "0" };
    let edited = format!("{before}\"{first}{}\"]", &digest[1..]);
    sandbox.write("bytekiln.lock", text.replace(line, &edited));
    let output = held(&sandbox, &[]).code(1);
    assert_eq!(drift(&output), ["output-differs web/web/view.py"]);
    let message = &output.messages("lock-drift")[0];
    assert_eq!(message["found"], digest);
    assert_eq!(message["locked"], format!("{first}{}", &digest[1..]));
    assert!(sandbox.caches().iter().all(|path| !path.contains("view")), "{:?}", sandbox.caches());
    assert_eq!(sandbox.caches().len(), 3, "the others are as locked");
    let people = sandbox.run(&["build", "--release", "--locked"]).code(1);
    people.says(&["web/web/view.py", digest, "bytekiln diff", "bytekiln lock"]);
    // An output that stands already is held to the lock too.
    sandbox.build(&["--release"]).success();
    let output = held(&sandbox, &[]).code(1);
    assert_eq!(drift(&output), ["output-differs web/web/view.py"]);
    let check = sandbox.run(&["lock", "--check", "--message-format", "json"]).code(1);
    assert_eq!(drift(&check), ["output-differs web/web/view.py"]);
    sandbox.write("bytekiln.lock", &text);
    held(&sandbox, &[]).success();
}

#[test]
fn tampered_caches_and_outputs_are_made_again() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    held(&sandbox, &[]).success();
    let right = sandbox.cache_bytes();
    // A valid cache of another module in the place of each: objects of the cache, then outputs.
    let foreign = &right.iter().find(|(path, _)| path.contains("view")).unwrap().1;
    let mut objects = Vec::new();
    let mut folders = vec![sandbox.beside("cache")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.path().components().any(|part| part.as_os_str() == "objects") {
                objects.push(entry.path());
            }
        }
    }
    assert!(objects.len() >= 4, "{objects:?}");
    for object in objects {
        fs::remove_file(&object).unwrap();
        fs::write(&object, foreign).unwrap();
    }
    for (path, _) in &right {
        sandbox.remove(path);
    }
    let output = held(&sandbox, &[]).success();
    assert!(!output.messages("cache-trouble").is_empty(), "{}", output.shown());
    assert_eq!(sandbox.cache_bytes(), right);
    for (path, _) in &right {
        sandbox.remove(path);
        sandbox.write(path, foreign);
    }
    held(&sandbox, &[]).success();
    assert_eq!(sandbox.cache_bytes(), right);
}

/// It says who it is, and compiles otherwise.
#[test]
fn a_compiler_that_compiles_otherwise_is_caught() {
    let Some(python) = pythons::all().iter().find(|python| python.version >= (3, 11)) else {
        pythons::skip("needs CPython 3.11 or later");
        return;
    };
    let sandbox = Sandbox::with_python(TWO_MEMBERS, python);
    sandbox.run(&["lock"]).success();
    let text = lock_text(&sandbox);
    sandbox.script_python("exec REAL -X no_debug_ranges \"$@\"");
    let path = sandbox.beside("bin/python3");
    let path = path.to_string_lossy();
    let options = ["--python", &path, "--no-cache"];
    let output = held(&sandbox, &options).code(1);
    assert_eq!(output.messages("lock-drift").len(), 4, "{}", output.shown());
    assert!(drift(&output).iter().all(|drift| drift.starts_with("output-differs ")));
    assert_eq!(sandbox.caches().len(), 0);
    assert_eq!(lock_text(&sandbox), text);
}

#[test]
fn one_member_at_a_time() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    let text = lock_text(&sandbox);
    sandbox.write("core/core/add.py", "changed = 1\n");
    sandbox.write("web/web/view.py", "changed = 1\n");
    assert_eq!(
        drift(&held(&sandbox, &["-p", "core"]).code(1)),
        ["source-changed core/core/add.py"]
    );
    sandbox.run(&["lock", "-p", "core"]).success();
    let new = lock_text(&sandbox);
    let changed: Vec<(&str, &str)> =
        text.lines().zip(new.lines()).filter(|(old, new)| old != new).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].0.starts_with("\"core/core/add.py\""));
    held(&sandbox, &["-p", "core"]).success();
    held(&sandbox, &["-p", "core"]).success();
    assert_eq!(drift(&held(&sandbox, &[]).code(1)), ["source-changed web/web/view.py"]);
}

#[test]
fn profiles_are_kept_apart() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    sandbox.run(&["build", "--locked"]).code(1).says(&["has no profile `dev`", "release"]);
    sandbox.run(&["lock", "--profile", "dev"]).success();
    let both = lock_text(&sandbox);
    assert!(both.contains("[profile.dev]") && both.contains("[profile.release]"), "{both}");
    sandbox.run(&["build", "--locked"]).success();
    sandbox.write("core/core/add.py", "changed = 1\n");
    sandbox.run(&["lock", "--check"]).code(1).says(&["profile `dev`", "profile `release`"]);
    sandbox.run(&["lock"]).success();
    sandbox.run(&["lock", "--check"]).success();
}

#[test]
fn what_may_fail_is_locked_as_failing() {
    let fixture = format!(
        "{TWO_MEMBERS}//- /core/core/old.py\n    print 'old'\n    //- /core/core/other.py\n"
    );
    let Some(sandbox) = Sandbox::new(&fixture) else { return };
    let refused = sandbox.run(&["lock"]).code(1).says(&["core/core/old.py", "cannot be locked"]);
    assert!(!sandbox.path("bytekiln.lock").exists(), "{}", refused.shown());
    let mut manifest = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    manifest.push_str(
        "\n[[allow-failure]]\npath = \"core/core/old.py\"\nreason = \"old\"\nexpires = 2199-01-01\n",
    );
    sandbox.write("bytekiln.toml", manifest);
    sandbox.run(&["lock"]).success();
    assert!(lock_text(&sandbox).contains("\"rejected\""));
    for _ in 0..2 {
        held(&sandbox, &[]).success();
        sandbox.run(&["lock", "--check"]).success();
    }
}

#[test]
fn unusable_locks() {
    let Some(sandbox) = Sandbox::new(TWO_MEMBERS) else { return };
    held(&sandbox, &[]).code(1).says(&["bytekiln.lock", "no lock file", "bytekiln lock"]);
    sandbox.run(&["lock", "--check"]).code(1).says(&["no lock file"]);
    sandbox.run(&["lock"]).success();
    let text = lock_text(&sandbox);
    let conflict = text.replace(
        "[profile.release.member.core]\n",
        "[profile.release.member.core]\n<<<<<<< HEAD\n=======\n>>>>>>> other\n",
    );
    let marker = conflict.lines().position(|line| line == "<<<<<<< HEAD").unwrap() + 1;
    let place = format!("bytekiln.lock:{marker}`");
    for (bad, says) in [
        (conflict, [place.as_str(), "merge conflict", "run `bytekiln lock`"]),
        (text.replace("version = 1\n", "version = 99\n"), [":3`", "99", "Bytekiln that wrote it"]),
        (
            text.replace("magic", "magik"),
            ["a key of a target", "is wanted", "not meant to be edited"],
        ),
        (String::new(), [":1`", "`version = 1`", "remove it"]),
    ] {
        sandbox.write("bytekiln.lock", &bad);
        for arguments in [&["build", "--release", "--locked"][..], &["lock"], &["lock", "--check"]]
        {
            let output = sandbox.run(arguments).code(2).says(&says);
            assert_eq!(output.stderr.matches("error").count(), 1, "{}", output.shown());
        }
        assert_eq!(lock_text(&sandbox), bad);
        assert_eq!(sandbox.caches().len(), 0);
    }
    // Other builds do not look at it.
    sandbox.run(&["build"]).success();
}

/// The second build compares nothing, and still sees everything.
#[test]
fn nothing_to_do_is_found_without_comparing() {
    let Some(sandbox) = locked(TWO_MEMBERS) else { return };
    for file in ["core/core/__init__.py", "core/core/add.py", "web/web/view.py"] {
        sandbox.touch(file, 60);
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    held(&sandbox, &[]).success();
    let state = sandbox.path(".bytekiln/release.locked");
    assert!(state.is_file(), "the comparison was not remembered");
    // Damage of what is remembered costs a comparison and nothing else.
    fs::write(&state, "damaged").unwrap();
    held(&sandbox, &[]).success();
    let text = lock_text(&sandbox);
    sandbox.write("bytekiln.lock", text.replace("\"web/web/view.py\"", "\"web/web/view2.py\""));
    let output = held(&sandbox, &[]).code(1);
    assert_eq!(drift(&output), ["source-added web/web/view.py", "source-removed web/web/view2.py"]);
    sandbox.write("bytekiln.lock", &text);
    held(&sandbox, &[]).success();
    // A build that is not held to it must not vouch for it.
    sandbox.write("web/web/view.py", "changed = 1\n");
    sandbox.build(&["--release"]).success();
    sandbox.build(&["--release"]).success();
    assert_eq!(drift(&held(&sandbox, &[]).code(1)), ["source-changed web/web/view.py"]);
}
