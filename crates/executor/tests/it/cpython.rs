//! Real interpreters: every one that is found.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytekiln_action::RecordedPath;
use bytekiln_cache::{DiskOptions, DiskStore};
use bytekiln_executor::{
    Event, Failure, InterpreterEngine, InterpreterOptions, JobEnd, Options, Order, Unplaced,
    execute,
};
use bytekiln_python::OptimizationLevel;
use bytekiln_test_support::{Scratch, pythons};
use expect_test::expect;

use crate::project::{Project, compiler, ends, options, patient_interpreters, run};

/// Sources of all kinds that compile, with what they are to evaluate to as `value`.
fn good_sources() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("pkg/__init__.py", b"value = 1\n".to_vec()),
        ("pkg/empty.py", Vec::new()),
        ("pkg/sets.py", b"value = 1 if 'b' in {'a', 'b', 'c', 'd', 'e'} else 0\n".to_vec()),
        ("pkg/latin.py", b"# coding: latin-1\nvalue = ord('\xe9')\n".to_vec()),
        ("pkg/bom.py", b"\xef\xbb\xbfvalue = ord('\xc3\xa9')\n".to_vec()),
        ("pkg/japanese.py", b"# -*- coding: shift_jis -*-\nvalue = ord('\x82\xa0')\n".to_vec()),
        ("pkg/windows.py", b"value = '''a\r\nb'''\r\n".to_vec()),
        (
            "pkg/nested.py",
            b"class A:\n    class B:\n        def f(self): return lambda: {1, 2}\n".to_vec(),
        ),
    ]
}

#[test]
fn what_it_makes_is_what_cpython_imports() {
    for python in pythons::all() {
        let project = Project::new(&good_sources());
        let work = project.work(&compiler(&python.path));
        let (report, _) = run(&work, &patient_interpreters(), None, &options());
        assert!(
            report.ends.iter().all(|end| matches!(end, JobEnd::Compiled { .. })),
            "{}: {}",
            python.name(),
            ends(&work, &report)
        );
        let script = "import pkg, pkg.empty, pkg.sets, pkg.latin, pkg.bom, pkg.japanese, pkg.windows, pkg.nested\n\
            assert (pkg.value, pkg.sets.value, pkg.latin.value) == (1, 1, 0xe9)\n\
            assert (pkg.bom.value, pkg.japanese.value, pkg.windows.value) == (0xe9, 0x3042, 'a\\nb')\n\
            assert pkg.__cached__.endswith('.pyc') if hasattr(pkg, '__cached__') else True\n";
        let said = Command::new(&python.path)
            .args(["-B", "-v", "-c", script])
            .current_dir(project.root())
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{}: {log}", python.name());
        for job in &work.jobs {
            let output = project.path(job.output.as_ref().unwrap().path.as_bytes());
            let matched = log
                .lines()
                .any(|line| line.contains("matches") && line.contains(&job.source.to_string()));
            assert!(matched && output.exists(), "{} {}: {log}", python.name(), job.source);
        }
    }
}

#[test]
fn fresh_or_warm_and_on_any_number_of_workers_the_bytes_are_the_same() {
    for python in pythons::all() {
        let compiler = compiler(&python.path);
        // Enough for two workers, each long-lived.
        let mut sources: Vec<(String, Vec<u8>)> =
            good_sources().into_iter().map(|(name, content)| (name.to_owned(), content)).collect();
        for number in 0..60 {
            let body = format!(
                "    def f{number}(self, x={number}.5): return x in ('a', {{'é', 'b', 'c'}})\n"
            );
            let text = format!("import os, sys\nclass C{number}:\n{}", body.repeat(80));
            sources.push((format!("many/m{number}.py"), text.into_bytes()));
        }
        let sources: Vec<(&str, &[u8])> =
            sources.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let mut trees = Vec::new();
        for jobs in [1, 2] {
            let project = Project::new(&sources);
            let jobs = NonZeroUsize::new(jobs).unwrap();
            run(
                &project.work(&compiler),
                &patient_interpreters(),
                None,
                &Options { jobs, ..options() },
            );
            trees.push(project.made());
        }
        assert_eq!(trees[0].len(), sources.len(), "{}", python.name());
        assert!(trees[0] == trees[1], "{} differs by number of workers", python.name());
        // A worker for each of some files alone.
        let warm: BTreeMap<_, _> = trees.remove(0).into_iter().collect();
        for (name, content) in sources.iter().step_by(17) {
            let project = Project::new(&[(*name, *content)]);
            run(&project.work(&compiler), &patient_interpreters(), None, &options());
            let [(path, bytes)] = &project.made()[..] else { panic!("one output is expected") };
            assert!(warm[path] == *bytes, "{} {name} differs by worker history", python.name());
        }
    }
}

#[test]
fn what_does_not_compile_is_said_with_its_place() {
    let Some(python) = pythons::find_or_skip(3, 11) else { return };
    let project = Project::new(&[
        ("call.py", b"x = 1\nprint((1, 2)\ny = 3\n".as_slice()),
        ("indent.py", b"if 1:\nx = 1\n"),
        ("tabs.py", b"if 1:\n\tx = 1\n        y = 2\n"),
        ("latin.py", b"a = 1\nb = '\xe9'\n"),
        ("null.py", b"a = 1\nb = '\0'\n"),
        ("two.py", b"print 'hello'\n"),
        ("unknown.py", b"#!/usr/bin/python\n# coding: klingon\n"),
        ("japanese.py", b"# coding: shift_jis\nx = '\x82\xa0' +\n"),
        ("outside.py", b"x = 1\n\nreturn x\n"),
        ("tuple.py", b"def f(a, a): pass\n"),
        ("warned.py", b"x = '\\d'\nassert (x, 'yes')\nx is 1\n"),
        ("both.py", b"x = '\\d'\nbreak\n"),
        ("number.py", b"x = 1_\n"),
        ("good.py", b"x = 1\n"),
    ]);
    let work = project.work(&compiler(&python.path));
    let (report, _) = run(&work, &patient_interpreters(), None, &options());
    expect![[r#"
        call.py: rejected, 2:6 SyntaxError: '(' was never closed | print((1, 2)
        indent.py: rejected, 2:1 IndentationError: expected an indented block after 'if' statement on line 1 | x = 1
        tabs.py: rejected, 3:1 TabError: inconsistent use of tabs and spaces in indentation |         y = 2
        latin.py: rejected, 2:6 SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xe9 in position 0: unexpected end of data | b = '\xe9'
        null.py: rejected, 2 SyntaxError: source code string cannot contain null bytes | b = '\0'
        two.py: rejected, 1:1 SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? | print 'hello'
        unknown.py: rejected, 2 SyntaxError: unknown encoding: klingon | # coding: klingon
        japanese.py: rejected, 2:10 SyntaxError: invalid syntax | x = 'あ' +
        outside.py: rejected, 3:1 SyntaxError: 'return' outside function | return x
        tuple.py: rejected, 1:10 SyntaxError: duplicate argument 'a' in function definition | def f(a, a): pass
        warned.py: compiled, 1 DeprecationWarning: invalid escape sequence '\d' | x = '\d'; 2 SyntaxWarning: assertion is always true, perhaps remove parentheses? | assert (x, 'yes'); 3 SyntaxWarning: "is" with a literal. Did you mean "=="? | x is 1
        both.py: rejected, 2:1 SyntaxError: 'break' outside loop | break; 1 DeprecationWarning: invalid escape sequence '\d' | x = '\d'
        number.py: rejected, 1:6 SyntaxError: invalid decimal literal | x = 1_
        good.py: compiled
    "#]].assert_eq(&ends(&work, &report));
}

#[test]
fn every_version_names_file_and_line() {
    for python in pythons::all() {
        let project = Project::new(&[
            ("latin.py", b"a = 1\nb = '\xe9'\n".as_slice()),
            ("null.py", b"a = 1\nb = '\0'\n"),
            ("outside.py", b"x = '\xc3\xa9'\nif x:\n    return x\n"),
            ("paren.py", b"x = 1\ny = (\n"),
            ("unknown.py", b"#\n# coding: klingon\n"),
            ("good.py", b"x = '\\d'\n"),
        ]);
        let work = project.work(&compiler(&python.path));
        let (report, _) = run(&work, &patient_interpreters(), None, &options());
        for (job, end) in work.jobs.iter().zip(&report.ends) {
            let name = format!("{} {}: {end:?}", python.name(), job.source);
            match end {
                JobEnd::Rejected { error, .. } => {
                    let line = error.start.unwrap_or_else(|| panic!("{name} names no line")).line;
                    assert!((2..=3).contains(&line), "{name}");
                    assert!(
                        !error.message.contains('/') || error.message.contains("peps"),
                        "{name}"
                    );
                    assert!(!error.message.contains("<source>"), "{name}");
                }
                JobEnd::Compiled { warnings, .. } => {
                    let [warning] = warnings.as_slice() else {
                        panic!("{name}: one warning expected")
                    };
                    assert_eq!(warning.start.map(|start| start.line), Some(1), "{name}");
                    assert_eq!(warning.line_text.as_deref(), Some("x = '\\d'"), "{name}");
                }
                JobEnd::Cached { .. } | JobEnd::Failed(_) => panic!("{name}"),
            }
        }
    }
}

#[test]
fn an_existing_file_under_the_recorded_path_is_not_looked_at() {
    for python in pythons::all() {
        let project = Project::new(&[("a.py", "x = 1\nreturn x\n")]);
        let decoy = Project::new(&[("a.py", "\n  decoy = 'not this'\n")]);
        let mut work = project.work(&compiler(&python.path));
        work.jobs[0].action.recorded_path =
            RecordedPath::from_file_system(decoy.path(b"a.py").as_os_str().as_encoded_bytes());
        let (report, _) = run(&work, &patient_interpreters(), None, &options());
        let said = ends(&work, &report);
        assert!(
            said.contains("| return x") && !said.contains("decoy"),
            "{}: {said}",
            python.name()
        );
    }
}

#[test]
fn large_and_deep_sources() {
    let large: String = (0..280_000)
        .map(|number| format!("name_{number:06} = {{'key': 'a value of some length {number}'}}\n"))
        .collect();
    assert!(large.len() > 15_000_000);
    let deep = format!("x = {}1{}\n", "(".repeat(5000), ")".repeat(5000));
    let unary = format!("x = {}1\n", "-".repeat(100_000));
    for python in pythons::all() {
        let mut project = Project::new(&[("deep.py", deep.as_str()), ("good.py", "x = 1\n")]);
        project.add(b"unary.py", unary.as_bytes());
        // One version is enough for what is only large.
        if python.version == (3, 11) {
            project.add(b"large.py", large.as_bytes());
        }
        let work = project.work(&compiler(&python.path));
        let patient = Options { timeout: Duration::from_secs(300), ..options() };
        let (report, _) = run(&work, &patient_interpreters(), None, &patient);
        let name = format!("{}: {}", python.name(), ends(&work, &report));
        let refused = |end: &JobEnd| {
            matches!(
                end,
                JobEnd::Rejected { .. }
                    | JobEnd::Failed(Failure::OutOfResources(_) | Failure::WorkerDied(_))
            )
        };
        assert!(refused(&report.ends[0]), "{name}");
        assert!(matches!(report.ends[1], JobEnd::Compiled { .. }), "{name}");
        // Some versions die of this one, some compile it; none may take another file with it.
        assert!(
            refused(&report.ends[2]) || matches!(report.ends[2], JobEnd::Compiled { .. }),
            "{name}"
        );
        if let Some(end) = report.ends.get(3) {
            assert!(matches!(end, JobEnd::Compiled { .. }), "{name}");
        }
    }
}

#[test]
fn strange_names() {
    for python in pythons::all() {
        let mut project = Project::new(&[("a b.py", "x = 1\n")]);
        project.add(b"new\nline.py", b"x = 1\n");
        project.add(b"caf\xe9.py", b"x = 1\n");
        let work = project.work(&compiler(&python.path));
        let (report, _) = run(&work, &patient_interpreters(), None, &options());
        assert_eq!(
            ends(&work, &report),
            "a b.py: compiled\nnew\\x0aline.py: compiled\ncaf\\xe9.py: compiled\n",
            "{}",
            python.name()
        );
        let output = project.path(work.jobs[2].output.as_ref().unwrap().path.as_bytes());
        let pyc = std::fs::read(output).unwrap();
        assert!(pyc.windows(6).any(|window| window == b"caf\xed\xb3\xa9"), "{}", python.name());
    }
}

#[test]
fn levels_and_flags_reach_the_compiler() {
    let Some(python) = pythons::find_or_skip(3, 11) else { return };
    let source = "def f():\n    'documented'\n    assert f\n    return f\n";
    let mut sizes = Vec::new();
    for (level, debug_ranges) in [
        (OptimizationLevel::Zero, true),
        (OptimizationLevel::One, true),
        (OptimizationLevel::Two, true),
        (OptimizationLevel::Two, false),
    ] {
        let project = Project::new(&[("a.py", source)]);
        let mut work = project.work(&compiler(&python.path));
        work.jobs[0].action.level = level;
        work.jobs[0].action.flags.debug_ranges = debug_ranges;
        run(&work, &patient_interpreters(), None, &options());
        sizes.push(project.made()[0].1.len());
    }
    assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
}

#[test]
fn an_interruption_leaves_the_tree_whole_and_the_next_build_finishes_it() {
    let Some(python) = pythons::any_or_skip() else { return };
    let sources: Vec<(String, String)> = (0..400)
        .map(|number| {
            let line = format!("def f{number}(a, b): return [a, b, 'x{number}']\n");
            (format!("p{}/m{number}.py", number % 7), line.repeat(100))
        })
        .collect();
    let sources: Vec<(&str, &str)> =
        sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let cache = Scratch::new();
    let store = DiskStore::open(&cache.join("cache"), DiskOptions::default()).unwrap();
    let project = Project::new(&sources);
    let work = project.work(&compiler(&python.path));
    let cancel = AtomicBool::new(false);
    let cancelled = std::sync::Mutex::new(None);
    let subscriber = |event: &Event<'_>| {
        if matches!(event, Event::JobEnded { .. }) && !cancel.swap(true, Ordering::Relaxed) {
            *cancelled.lock().unwrap() = Some(Instant::now());
        }
    };
    let engine = patient_interpreters();
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine: &engine,
        store: Some(&store),
        remote: None,
        elsewhere: None,
        options: &options(),
        events: &subscriber,
        cancel: &cancel,
    });
    let since = cancelled.into_inner().unwrap().unwrap().elapsed();
    assert!(since < Duration::from_secs(10), "{since:?}");
    assert!(report.interrupted);
    let done = report.ends.iter().filter(|end| matches!(end, JobEnd::Compiled { .. })).count();
    assert!(done > 0 && done < 400, "{done}");
    assert_eq!(project.made().len(), done);
    let (report, _) = run(&work, &engine, Some(&store), &options());
    let cached = report.ends.iter().filter(|end| matches!(end, JobEnd::Cached { .. })).count();
    assert_eq!(cached, done, "what was done is known");
    let whole = Project::new(&sources);
    run(&whole.work(&compiler(&python.path)), &engine, None, &options());
    assert!(project.made() == whole.made());
}

#[test]
fn several_builds_of_one_tree_at_once() {
    let Some(python) = pythons::any_or_skip() else { return };
    let sources: Vec<(String, String)> =
        (0..60).map(|number| (format!("p/m{number}.py"), format!("x = {number}\n"))).collect();
    let sources: Vec<(&str, &str)> =
        sources.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let project = Project::new(&sources);
    let work = project.work(&compiler(&python.path));
    let cache = Scratch::new();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let (work, cache) = (&work, cache.join("cache"));
            scope.spawn(move || {
                let store = DiskStore::open(&cache, DiskOptions::default()).unwrap();
                let store = (number > 0).then_some(&store as &dyn bytekiln_cache::Store);
                let (report, _) = run(work, &patient_interpreters(), store, &options());
                let good =
                    |end: &JobEnd| matches!(end, JobEnd::Compiled { .. } | JobEnd::Cached { .. });
                assert!(report.ends.iter().all(good), "{}", ends(work, &report));
            });
        }
    });
    let made = project.made();
    assert_eq!(made.len(), 60);
    let alone = Project::new(&sources);
    run(&alone.work(&compiler(&python.path)), &patient_interpreters(), None, &options());
    assert!(made == alone.made());
}

#[test]
fn nothing_is_executed_and_nothing_of_the_environment_is_seen() {
    let Some(python) = pythons::any_or_skip() else { return };
    let witness = Scratch::new();
    let mark = witness.join("mark");
    let text = format!("open({:?}, 'w')\nimport os; os.abort()\n", mark.display().to_string());
    let project = Project::new(&[("a.py", text.as_str()), ("warnings.py", text.as_str())]);
    let work = project.work(&compiler(&python.path));
    let (report, _) = run(&work, &patient_interpreters(), None, &options());
    assert_eq!(ends(&work, &report), "a.py: compiled\nwarnings.py: compiled\n");
    assert!(!Path::new(&mark).exists());
    let made = project.made();
    let engine = InterpreterEngine::new(InterpreterOptions {
        start_timeout: Duration::from_secs(60),
        environment: vec![("PYTHONNODEBUGRANGES".into(), "1".into())],
    });
    std::fs::remove_dir_all(project.path(b"__pycache__")).unwrap();
    run(&work, &engine, None, &options());
    assert!(project.made() == made);
}
