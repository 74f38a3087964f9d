//! `importtime`: real programs, well-behaved and not, against what the interpreter says, and the ratchet.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, finish};

const APP: &str = "
//- /app/__init__.py
//- /app/main.py
import json
from app import money
print('ready')
//- /app/money.py
import decimal
//- /run.py
import app.main
";

/// Two runs in each way, as JSON.
fn measured(sandbox: &Sandbox, arguments: &[&str]) -> (Output, Value) {
    measured_runs(sandbox, "2", arguments)
}

/// So many runs in each way, as JSON.
pub(crate) fn measured_runs(sandbox: &Sandbox, runs: &str, arguments: &[&str]) -> (Output, Value) {
    let mut all = vec!["importtime", "--python", "python3", "-n", runs, "--format", "json"];
    all.extend_from_slice(arguments);
    let output = sandbox.run(&all);
    let value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}", output.shown()));
    (output, value)
}

pub(crate) fn import<'a>(document: &'a Value, name: &str) -> &'a Value {
    let found = document["imports"].as_array().unwrap().iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no import of `{name}`"))
}

fn names(document: &Value) -> Vec<&str> {
    let imports = document["imports"].as_array().unwrap();
    imports.iter().filter_map(|one| one["name"].as_str()).collect()
}

#[test]
fn every_way_loads_what_it_should() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let (output, document) = measured(&sandbox, &["run.py"]);
    let output = output.success();
    assert_eq!(document["schema"], "bytekiln-importtime/1");
    assert!(!output.stdout.contains("ready\n"), "{}", output.shown());
    let ways: Vec<&str> = document["variants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|way| way["id"].as_str().unwrap())
        .collect();
    assert_eq!(ways, ["as-is", "none", "timestamp", "checked", "unchecked"]);
    let main = import(&document, "app.main");
    let origins: Vec<&str> =
        main["origins"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(origins, ["compiled", "compiled", "cache", "cache", "cache"]);
    assert_eq!(main["phase"], "program");
    assert_eq!(import(&document, "site")["phase"], "interpreter");
    // The statement, and the importer that the interpreter saw.
    let money = import(&document, "app.money");
    assert_eq!(money["places"][0]["importer"], "app.main");
    assert_eq!(money["places"][0]["line"], 2);
    let parent = money["parent"].as_u64().unwrap() as usize;
    assert_eq!(document["imports"][parent]["name"], "app.main");
    for way in document["variants"].as_array().unwrap() {
        assert_eq!(way["walls"].as_array().unwrap().len(), 2);
        assert_eq!(way["doctor"]["differ"], Value::Array(Vec::new()), "{way:#}");
        assert!(way["doctor"]["agree"].as_u64().unwrap() >= 3, "{way:#}");
        let wall = &way["wall"];
        let number = |key: &str| wall[key].as_u64().unwrap();
        assert!(number("least") <= number("median") && number("median") <= number("most"));
        // An import cannot take longer than the process.
        let importing = way["importing"]["least"].as_u64().unwrap();
        assert!(importing > 0 && importing < 60_000_000);
    }
    assert_eq!(sandbox.caches(), [""; 0], "nothing is written beside the sources");
}

/// As it is: what the tree really has, stale ones too, held against doctor.
#[test]
fn caches_that_are_there() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    sandbox.python(&["-m", "compileall", "-q", "app"]).success();
    sandbox.touch("app/money.py", 100_000);
    sandbox.remove(&format!("app/__pycache__/main.{}.pyc", sandbox.tag()));
    let (output, document) = measured(&sandbox, &["--variant", "as-is", "run.py"]);
    output.success();
    let origin = |name: &str| import(&document, name)["origins"][0].as_str().unwrap().to_owned();
    assert_eq!(
        [origin("app"), origin("app.main"), origin("app.money")],
        ["cache", "compiled", "stale"]
    );
    assert_eq!(document["variants"][0]["doctor"]["differ"], Value::Array(Vec::new()));
    let stale = document["variants"][0]["origins"]["stale"].as_u64().unwrap();
    assert!(stale >= 1, "{stale}");
}

/// The program alone is without caches; with `-O` there are caches for that.
#[test]
fn the_standard_library_may_keep_its_caches() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let arguments = [
        "-O",
        "--variant",
        "none,checked",
        "--uncached",
        "program",
        "--python-option=-S",
        "run.py",
    ];
    let (output, document) = measured(&sandbox, &arguments);
    output.success();
    let origins = |name: &str| import(&document, name)["origins"].clone();
    assert_eq!(origins("app.money"), serde_json::json!(["compiled", "cache"]));
    assert_eq!(origins("decimal"), serde_json::json!(["cache", "cache"]));
    assert_eq!(document["variants"][0]["doctor"]["differ"], Value::Array(Vec::new()));
    assert_eq!(document["interpreter"]["options"], serde_json::json!(["-S"]));
    assert!(!names(&document).contains(&"site"));
}

#[test]
fn modules_code_and_their_arguments() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /tool/__init__.py
        //- /tool/__main__.py
        import sys
        assert sys.argv[1:] == ['--format', 'x', '-n', '9', '-q'], sys.argv
        import wave
        ",
    ) else {
        return;
    };
    let arguments = ["--variant", "none", "-m", "tool", "--format", "x", "-n", "9", "-q"];
    let (output, document) = measured(&sandbox, &arguments);
    output.success();
    assert_eq!(import(&document, "wave")["places"][0]["importer"], "__main__");
    assert_eq!(document["program"]["title"], "python -m tool --format x -n 9 -q");
    let code = "import sys; assert sys.argv[1:] == ['-x', '--help']; import wave";
    let (output, document) =
        measured(&sandbox, &["--variant", "as-is", "-c", code, "-x", "--help"]);
    output.success();
    assert!(names(&document).contains(&"wave"));
    let script = ["--variant", "as-is", "tool", "--format", "x", "-n", "9", "-q"];
    measured(&sandbox, &script).0.success();
}

#[test]
fn every_release() {
    for python in pythons::all() {
        let sandbox = Sandbox::with_python(APP, python);
        let (output, document) = measured(&sandbox, &["run.py"]);
        output.success();
        let wanted = ["compiled", "compiled", "cache", "cache", "cache"];
        assert_eq!(
            import(&document, "app.money")["origins"],
            serde_json::json!(wanted),
            "{python:?}"
        );
        for way in document["variants"].as_array().unwrap() {
            assert_eq!(way["doctor"]["differ"], Value::Array(Vec::new()), "{python:?} {way:#}");
        }
        // Nothing is compiled where everything was: the standard library has caches too.
        let compiled = &document["variants"][4]["origins"]["compiled"];
        assert!(compiled.is_null(), "{python:?} {:#}", document["variants"][4]);
    }
}

/// PEP 810: what is never used is never loaded.
#[test]
fn lazy_imports() {
    let Some(python) = pythons::find_or_skip(3, 15) else { return };
    let sandbox = Sandbox::with_python(
        "
        //- /run.py
        lazy import wave
        lazy import colorsys
        colorsys.rgb_to_hsv(1, 1, 1)
        ",
        python,
    );
    let (output, document) = measured(&sandbox, &["--variant", "none", "run.py"]);
    output.success();
    assert!(names(&document).contains(&"colorsys") && !names(&document).contains(&"wave"));
    let places = &import(&document, "colorsys")["places"];
    assert_eq!((&places[0]["line"], &places[0]["eager"]), (&2.into(), &false.into()));
}

#[test]
fn zips_run_too() {
    let Some(sandbox) =
        Sandbox::new("//- /app/__main__.py\nimport inside\n//- /app/inside.py\nimport wave\n")
    else {
        return;
    };
    sandbox.python(&["-m", "zipapp", "app"]).success();
    let (output, document) = measured(&sandbox, &["app.pyz"]);
    output.success();
    let zipped = import(&document, "inside");
    let compiled = ["compiled"; 5];
    assert_eq!(zipped["origins"], serde_json::json!(compiled), "no tree of caches is asked");
    assert_eq!(import(&document, "wave")["origins"][1], "compiled");
    assert_eq!(import(&document, "wave")["origins"][4], "cache");
}

/// What a program may do to whoever measures it.
#[test]
fn programs_that_misbehave() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /fails.py
        import wave
        raise SystemExit('out of tea')
        //- /raises.py
        import wave
        import broken
        //- /broken.py
        import colorsys
        1 / 0
        //- /killed.py
        import wave, os, signal
        os.kill(os.getpid(), signal.SIGKILL)
        //- /leaves.py
        import inner
        //- /inner.py
        import wave, os
        os._exit(0)
        //- /talks.py
        import sys
        sys.stderr.write('import time: no\\n' + 'x' * 5_000_000 + '\\n')
        import wave
        print('y' * 5_000_000)
        //- /forks.py
        import os, wave
        if os.fork() == 0:
            import colorsys
            os._exit(0)
        os.wait()
        //- /moves.py
        import os
        os.chdir('/')
        import wave
        //- /stays.py
        import subprocess, wave
        subprocess.Popen(['sleep', '100'])
        ",
    ) else {
        return;
    };
    let run = |name: &str| {
        let (output, document) = measured(&sandbox, &["--variant", "none,unchecked", name]);
        assert!(names(&document).contains(&"wave"), "{}", output.shown());
        assert_eq!(document["variants"][1]["origins"]["compiled"], Value::Null);
        (output, document)
    };
    let (output, document) = run("fails.py");
    output.code(1).says(&[
        "error: the program ended with status 1",
        "  | out of tea",
        "--ignore-failure",
    ]);
    assert_eq!((&document["success"], &document["runs"]), (&false.into(), &2.into()));
    measured(&sandbox, &["-i", "fails.py"]).0.success().says(&["warning: the program ended"]);
    let (output, document) = run("raises.py");
    output.code(1).says(&["ZeroDivisionError"]);
    assert_eq!(import(&document, "broken")["loaded"], false);
    assert_eq!(import(&document, "colorsys")["loaded"], true);
    run("killed.py").0.code(1).says(&["the program was killed by SIGKILL"]);
    let (output, document) = run("leaves.py");
    output.success().says(&["warning: 1 imports had not ended when the process did"]);
    let wave = import(&document, "wave")["parent"].as_u64().unwrap() as usize;
    assert_eq!(document["imports"][wave]["name"], Value::Null);
    let (output, _) = run("talks.py");
    assert!(output.stderr.len() < 10_000 && output.stdout.len() < 1_000_000);
    output.success().says(&["1 lines of the interpreter were mixed"]);
    let (output, document) = run("forks.py");
    output.success();
    assert!(names(&document).contains(&"colorsys"));
    run("moves.py").0.success();
    let started = Instant::now();
    run("stays.py").0.success().says(&["left processes behind, which were ended"]);
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn programs_that_hang() {
    let Some(sandbox) = Sandbox::new("//- /hangs.py\nimport wave\nimport time\ntime.sleep(1000)\n")
    else {
        return;
    };
    let started = Instant::now();
    let (output, document) = measured(&sandbox, &["--timeout", "2", "hangs.py"]);
    assert!(started.elapsed() < Duration::from_secs(30));
    output.code(1).says(&[
        "error: the program had not ended after 2 s and was killed",
        "these figures are of one run",
        "Failed what is shown is what there was up to then",
    ]);
    assert!(names(&document).contains(&"wave"));
    assert_eq!(document["failure"], "had not ended after 2 s and was killed");
}

/// Ctrl-C ends the program too, and leaves no tree of caches behind.
#[test]
fn interrupts() {
    let Some(sandbox) =
        Sandbox::new("//- /hangs.py\nimport time\ntime.sleep(1000)\n//- /tmp/.keep\n")
    else {
        return;
    };
    let mut command = sandbox.command(&["importtime", "hangs.py"]);
    command.env("TMPDIR", sandbox.path("tmp")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Its first word is that it runs the program.
    let mut word = [0; 12];
    child.stderr.as_mut().unwrap().read_exact(&mut word).unwrap();
    assert_eq!(&word, b"     Running");
    std::thread::sleep(Duration::from_millis(300));
    let number = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains(" Interrupted after ") && !said.contains("error"), "{said}");
    let left = std::fs::read_dir(sandbox.path("tmp")).unwrap().count();
    assert_eq!(left, 1, "only what was there");
}

#[test]
fn wrong_arguments() {
    let Some(sandbox) = Sandbox::new("//- /run.py\n") else { return };
    let run = |arguments: &[&str]| {
        let mut all = vec!["importtime"];
        all.extend_from_slice(arguments);
        sandbox.run(&all).code(2)
    };
    run(&[]).says(&["error: no program is named", "-m MODULE"]);
    run(&["gone.py"]).says(&["there is no script or command `gone.py`"]);
    run(&["./gone.py"]).says(&["there is no `"]);
    run(&["--no-such", "run.py"]).says(&["unknown option `--no-such`", "--python-option="]);
    run(&["sh"]).says(&["is no Python script"]);
    run(&["--python", "9", "run.py"]).says(&["--python `9`"]);
    run(&["--check"]).says(&["the manifest has no `[startup.NAME]`"]);
    run(&["--update", "run.py"]).says(&["--check"]);
    run(&["--compare", "run.py", "run.py"]).says(&["is no JSON", "--format json"]);
    sandbox.write("old.json", "{\"schema\": \"bytekiln-importtime/99\"}");
    run(&["--compare", "old.json", "old.json"]).says(&["`bytekiln-importtime/1` is wanted"]);
    let gone = sandbox.run(&["importtime", "--python", "./no/python", "run.py"]);
    gone.code(3).says(&["no/python"]);
}

#[test]
fn other_formats() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let run = |format: &str| -> Value {
        let arguments =
            ["importtime", "-n", "1", "--variant", "none,checked", "--format", format, "run.py"];
        let output = sandbox.run(&arguments).success();
        serde_json::from_str(&output.stdout).unwrap()
    };
    let speedscope = run("speedscope");
    for profile in speedscope["profiles"].as_array().unwrap() {
        // Every frame that is opened is closed, in turn, and time never runs backwards.
        let (mut open, mut last) = (Vec::new(), 0);
        for event in profile["events"].as_array().unwrap() {
            let (frame, at) = (&event["frame"], event["at"].as_u64().unwrap());
            assert!(at >= last, "{event}");
            last = at;
            match event["type"].as_str().unwrap() {
                "O" => open.push(frame),
                _ => assert_eq!(open.pop(), Some(frame)),
            }
        }
        assert!(open.is_empty());
        assert_eq!(profile["endValue"].as_u64().unwrap(), last);
    }
    let chrome = run("chrome");
    let events = chrome["traceEvents"].as_array().unwrap();
    let named = |name: &str| events.iter().filter(|event| event["name"] == name).count();
    assert_eq!((named("app.money"), named("thread_name")), (2, 2));
}

#[test]
fn comparing() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let run = |file: &str| {
        let (output, _) = measured(&sandbox, &["--variant", "none", "run.py"]);
        sandbox.write(file, &output.success().stdout);
    };
    run("old.json");
    sandbox.write("app/money.py", "import colorsys\nimport wave\n");
    run("new.json");
    let output = sandbox.run(&["importtime", "--compare", "old.json", "new.json"]).success();
    for part in ["no cache", "Added, ms", "colorsys, by app/money.py:1", "Removed, ms", "decimal"] {
        assert!(output.stdout.contains(part), "{part}\n{}", output.shown());
    }
    let arguments = ["importtime", "--format", "json", "--compare", "old.json", "new.json"];
    let json: Value = serde_json::from_str(&sandbox.run(&arguments).success().stdout).unwrap();
    assert_eq!(json["schema"], "bytekiln-importtime-comparison/1");
    let added = json["added"].as_array().unwrap().iter().any(|one| one["module"] == "colorsys");
    assert!(added, "{json:#}");
}

#[test]
fn the_ratchet() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    let manifest = "# Ours.\n[startup.cli]  # what users wait for\nentry = 'app.main'\n\
                    max-modules = 100\nallowed = []\nbudget = '60s'\n";
    sandbox.write("bytekiln.toml", manifest);
    let check = |more: &[&str]| {
        let mut all = vec!["importtime", "--check"];
        all.extend_from_slice(more);
        sandbox.run(&all)
    };
    check(&[]).code(1).says(&["`startup.cli` loads `app.main`"]);
    check(&["cli", "--update"]).success().says(&["Updated `bytekiln.toml`: `startup.cli` allows"]);
    let text = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    assert!(text.starts_with("# Ours.\n[startup.cli]  # what users wait for\n"), "{text}");
    assert!(
        text.contains("\n    \"decimal\",\n") && text.ends_with("]\nbudget = '60s'\n"),
        "{text}"
    );
    check(&[]).success().says(&["Finished `startup.cli`: ", " ms in the fastest of 5 runs"]);
    check(&["--update"]).success().says(&["Unchanged `startup.cli`"]);
    // A new module is told with the chain of imports by which it came in, and what it brings.
    sandbox.write("app/money.py", "import decimal\nimport app.rates\n");
    sandbox.write("app/rates.py", "\nimport colorsys\n");
    let output = check(&[]).code(1).says(&[
        "error: `startup.cli` loads `app.rates`, and 1 more with it, which is not allowed\n    python -c \
         'import app.main'\n  app.main\n    app/main.py:2: from app import money\n  app.money\n    \
         app/money.py:2: import app.rates\n  app.rates\n",
        "  = help: `bytekiln importtime --check cli --update` allows",
    ]);
    assert!(!output.stderr.contains("`colorsys`"), "{}", output.shown());
    let json = check(&["--format", "json"]).code(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["startups"][0]["new"][0]["module"], "app.rates");
    // What is gone is worth a word, and no failure.
    sandbox.write("app/money.py", "");
    check(&[]).success().says(&["warning: `startup.cli` allows ", "decimal"]);
    check(&["--update"]).success();
    let text = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    assert!(!text.contains("decimal"), "{text}");
    // Limits of number and time.
    let low = text.replace("max-modules = 100", "max-modules = 1").replace("60s", "1ms");
    sandbox.write("bytekiln.toml", low);
    check(&[]).code(1).says(&["modules, and at most 1 are allowed", "and the budget is 1 ms"]);
    sandbox.write("app/main.py", "1 / 0\n");
    check(&[]).code(1).says(&["bytekiln.toml:2", "the program ended with status 1"]);
    check(&["clj"]).code(2).says(&["did you mean `cli`?"]);
}

#[test]
fn the_ratchet_in_a_file() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    sandbox.write(
        "bytekiln.toml",
        "[startup.run]\ncommand = ['run.py']\nallowed = 'startup.txt'\n[startup.light]\nentry = 'app'\nmax-modules = 1\n",
    );
    let first = sandbox.run(&["importtime", "--check"]).code(1);
    first.says(&["run.py:1: import app.main", "Finished `startup.light`: 1 module\n"]);
    sandbox.run(&["importtime", "--check", "--update"]).success();
    let text = String::from_utf8(sandbox.read("startup.txt")).unwrap();
    assert!(text.lines().any(|line| line == "app.money"), "{text}");
    sandbox.run(&["importtime", "--check"]).success();
}

/// The command of a virtual environment, by its name, and with the interpreter of its first line.
#[test]
fn commands_by_name() {
    let Some(sandbox) = Sandbox::new("//- /run.py\n") else { return };
    sandbox.python(&["-m", "venv", "--without-pip", ".venv"]).success();
    let python = sandbox.path(".venv/bin/python");
    let script =
        format!("#!{}\nimport wave, sys\nassert '.venv' in sys.prefix\n", python.display());
    sandbox.write(".venv/bin/tool", script);
    let mut command = sandbox.command(&["importtime", "-n", "1", "--variant", "none", "tool"]);
    let output = finish(&mut command).success();
    assert!(output.stdout.contains("wave"), "{}", output.shown());
}
