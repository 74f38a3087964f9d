//! The text of a lock and back, what is refused with which line, and what differs.

use std::sync::Arc;

use bytekiln_action::{CompileFlags, Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_planner::{Inputs, Layout, Source, SourceKind, Target};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn target(minor: u8, level: u8) -> Target {
    let toolchain = Toolchain {
        release: Release::from_minor(minor).unwrap(),
        implementation: "cpython".to_owned(),
        version: format!("3.{minor}.1"),
        build: format!("3.{minor}.1 (main)\n[GCC \"12\"]"),
        cache_tag: format!("cpython-3{minor}"),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    };
    Target {
        toolchain_digest: toolchain.digest(),
        toolchain: Arc::new(toolchain),
        level: OptimizationLevel::from_u8(level).unwrap(),
        mode: InvalidationMode::UncheckedHash,
        flags: CompileFlags { debug_ranges: true },
        layout: Layout::Pycache,
    }
}

fn source(member: u32, path: &str, text: &str) -> Source {
    Source {
        path: RepoPath::parse_display(path).unwrap(),
        member,
        import_root: RepoPath::default(),
        content: Digest::of(text.as_bytes()),
        kind: SourceKind::Module,
        recorded_path: RecordedPath::from_file_system(path.as_bytes()),
        allowance: None,
    }
}

fn inputs() -> Inputs {
    let mut moved = source(1, "tools/run.py", "run");
    moved.recorded_path = RecordedPath::from_file_system(b"/app/run.py");
    Inputs {
        members: vec!["core".to_owned(), "to ols".to_owned()],
        sources: vec![source(0, "core/b.py", "b"), source(0, "core/a\\xff.py", "a"), moved],
        targets: vec![target(13, 0), target(11, 2)],
        canonical_form: 1,
        ..Inputs::default()
    }
}

fn output(source: &Source, target: u32) -> Option<LockedOutput> {
    Some(match (source.path.to_string().as_str(), target) {
        ("tools/run.py", 0) => LockedOutput::Checked,
        ("tools/run.py", _) => LockedOutput::Rejected,
        (path, _) => LockedOutput::Written(Digest::of(format!("{path} {target}").as_bytes())),
    })
}

fn locked() -> LockFile {
    let profile = LockedProfile::of(&inputs(), output).unwrap();
    LockFile { profiles: [("release".to_owned(), profile)].into() }
}

/// With short digests.
fn shown(text: &str) -> String {
    let mut out = String::new();
    let mut run = 0;
    for character in text.chars() {
        run = if character.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run <= 8 {
            out.push(character);
        }
    }
    out
}

#[test]
fn the_text() {
    let lock = locked();
    let text = render_lock(&lock);
    assert_eq!(parse_lock(&text).unwrap(), lock);
    expect![[r#"
        # Written by `bytekiln lock`; not meant to be edited. Each source: its digest, then the digest of
        # its output for each target, in their order. `bytekiln lock --check` compares it with the tree.
        version = 1

        [profile.release]
        canonical-form = 1

        [[profile.release.target]]
        implementation = "cpython"
        version = "3.11.1"
        build = "3.11.1 (main)\u000A[GCC \"12\"]"
        cache-tag = "cpython-311"
        platform = "linux-x86_64"
        invalidation-mode = "unchecked-hash"
        layout = "pycache"
        magic = 3495
        free-threaded = false
        debug = false
        optimization = 2
        debug-ranges = true

        [[profile.release.target]]
        implementation = "cpython"
        version = "3.13.1"
        build = "3.13.1 (main)\u000A[GCC \"12\"]"
        cache-tag = "cpython-313"
        platform = "linux-x86_64"
        invalidation-mode = "unchecked-hash"
        layout = "pycache"
        magic = 3571
        free-threaded = false
        debug = false
        optimization = 0
        debug-ranges = true

        [profile.release.member.core]
    "#]]
    .assert_eq(shown(&text).split_inclusive('\n').take(36).collect::<String>().as_str());
    let member = text.split_once(".member.\"to ols\"]\n").unwrap().1;
    assert_eq!(
        shown(member),
        "\"tools/run.py\" = [\"acba2551/3\", \"rejected\", \"checked\", \"co_filename=/app/run.py\"]\n"
    );
}

#[test]
fn it_is_toml() {
    let text = render_lock(&locked());
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    let core = &document["profile"]["release"]["member"]["core"];
    assert_eq!(core.as_table().unwrap().len(), 2);
    assert!(core["core/a\\xff.py"].is_array());
    assert_eq!(document["profile"]["release"]["target"][0]["magic"].as_integer(), Some(3495));
}

#[track_caller]
fn refused(change: impl Fn(&str) -> String, expect: Expect) {
    let (line, fault) = parse_lock(&change(&render_lock(&locked()))).unwrap_err();
    let error = LockFileError { path: "bytekiln.lock".into(), line: Some(line), fault };
    expect.assert_eq(&format!("{}\n{}", shown(&error.to_string()), error.hint()));
}

#[test]
fn what_is_refused() {
    refused(
        |text| text.replace("\n[profile.release.member.core]", "\n<<<<<<< HEAD\n"),
        expect![[r#"
            `bytekiln.lock:36`: an unsettled merge conflict
            settle the merge of the sources, remove this file and run `bytekiln lock`: it is made from the tree, not merged by hand"#]],
    );
    refused(
        |text| text.replace("version = 1\n", "version = 2\n"),
        expect![[r#"
            `bytekiln.lock:3`: the lock file is of version 2, and this Bytekiln knows version 1
            use the Bytekiln that wrote it, or remove it and run `bytekiln lock`"#]],
    );
    refused(
        |text| text.replace("\"checked\"", "\"acba\""),
        expect![[r#"
            `bytekiln.lock:41`: `acba` is no value of `output digest`
            it is not meant to be edited: restore it, or remove it and run `bytekiln lock`"#]],
    );
    let syntax = |change: &dyn Fn(&str) -> String, expect: &str| {
        let (line, fault) = parse_lock(&change(&render_lock(&locked()))).unwrap_err();
        let error = LockFileError { path: "l".into(), line: Some(line), fault };
        assert_eq!(error.to_string(), expect);
    };
    syntax(&|_| String::new(), "`l:1`: `version = 1` is wanted here");
    syntax(&|text| text.replace("3571", "9999"), "`l:22`: `9999` is no value of `magic`");
    syntax(
        &|text| text.replace("debug = false\n", ""),
        "`l:8`: the rest of the target, whose keys are all needed, is wanted here",
    );
    syntax(
        &|text| text.replace("canonical-form = 1", "canonical-form = x"),
        "`l:6`: `x` is no value of `canonical-form`",
    );
    syntax(
        &|text| text.replace(", \"checked\"", ""),
        "`l:41`: `\"SOURCE\" = [\"DIGEST\", …]` with the source's digest and one output a target is wanted here",
    );
    syntax(
        &|text| format!("{text}\n[profile.release]\n"),
        "`l:43`: profile `release` is there twice",
    );
    syntax(
        &|text| format!("{text}{}\n", text.lines().last().unwrap()),
        "`l:42`: source `tools/run.py` is there twice",
    );
}

#[track_caller]
fn drift(change: impl Fn(&mut Inputs), packages: &[&str], expect: Expect) {
    let mut now = inputs();
    change(&mut now);
    let packages: Vec<String> = packages.iter().map(|name| (*name).to_owned()).collect();
    let lock = locked();
    let found = compare_sources(&lock.profiles["release"], &now, &packages);
    let lines: String = found.iter().map(|drift| format!("{drift:?}\n")).collect();
    let lines = lines.replace('\\', "");
    expect.assert_eq(&shown(&lines));
}

#[test]
fn what_differs() {
    drift(|_| {}, &[], expect![""]);
    drift(|now| now.targets.reverse(), &[], expect![""]);
    drift(|now| now.sources.reverse(), &[], expect![""]);
    drift(
        |now| {
            now.sources[0].content = Digest::of(b"B");
            now.sources[1].path = RepoPath::new(b"core/c.py").unwrap();
            now.sources[2].recorded_path = RecordedPath::from_file_system(b"run.py");
            now.canonical_form = 2;
        },
        &[],
        expect![[r#"
            CanonicalForm { locked: 1, found: 2 }
            SourceRemoved { member: "core", source: "core/axff.py" }
            SourceChanged { member: "core", source: "core/b.py", locked: 3e23e816/1, found: df7e70e5/1 }
            SourceAdded { member: "core", source: "core/c.py" }
            RecordedPath { member: "to ols", source: "tools/run.py", locked: "/app/run.py", found: "run.py" }
        "#]],
    );
    drift(
        |now| {
            now.members[1] = "instruments".to_owned();
            now.targets[0].mode = InvalidationMode::CheckedHash;
            now.targets[1].layout = Layout::Legacy;
        },
        &[],
        expect![[r#"
            Setting { target: "CPython 3.11.1 -OO", name: "layout", locked: "pycache", found: "legacy" }
            Setting { target: "CPython 3.13.1", name: "invalidation-mode", locked: "unchecked-hash", found: "checked-hash" }
            MemberAdded { member: "instruments", sources: 1 }
            MemberRemoved { member: "to ols", sources: 1 }
        "#]],
    );
}

#[test]
fn targets_differ() {
    let mut now = inputs();
    now.targets = vec![target(14, 0), target(11, 1)];
    let lock = locked();
    let found = compare_sources(&lock.profiles["release"], &now, &[]);
    let mut labels = Vec::new();
    for drift in found {
        labels.push(match drift {
            LockDrift::Interpreter { locked, found, facts } => {
                format!("{} → {} in {}", locked.label(), found.label(), facts.join(", "))
            }
            LockDrift::TargetAdded(target) => format!("+ {}", target.label()),
            LockDrift::TargetRemoved(target) => format!("- {}", target.label()),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(
        labels,
        [
            "CPython 3.13.1 → CPython 3.14.1 in version, build, magic, cache-tag",
            "- CPython 3.11.1 -OO",
            "+ CPython 3.11.1 -O",
        ]
    );
}

#[test]
fn one_member_says_nothing_about_the_others() {
    drift(|now| now.sources.truncate(2), &["core"], expect![""]);
    drift(
        |now| drop(now.sources.remove(0)),
        &["to ols", "core"],
        expect![[r#"
        SourceRemoved { member: "core", source: "core/b.py" }
    "#]],
    );
}

#[test]
fn outputs_differ() {
    let (lock, now) = (locked(), inputs());
    let index = LockIndex::new(&lock.profiles["release"], &now);
    assert_eq!(compare_outputs(&index, &now, output), []);
    let other = |source: &Source, target: u32| match (source.path.as_bytes(), target) {
        (b"core/b.py", 1) => Some(LockedOutput::Written(Digest::of(b"other"))),
        (b"core/b.py", _) => None,
        _ => output(source, target),
    };
    let found = compare_outputs(&index, &now, other);
    let [LockDrift::Output { source, target, .. }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((source.to_string().as_str(), target.as_str()), ("core/b.py", "CPython 3.11.1 -OO"));
    let missing = RepoPath::new(b"new.py").unwrap();
    assert_eq!(index.output(&missing, 0), None);
}

proptest! {
    #[test]
    fn any_path_comes_back(path in "[^\\x00/]{1,12}", member in ".{0,8}", build in ".{0,20}") {
        prop_assume!(path != "." && path != "..");
        let mut now = inputs();
        now.members[0] = format!("m{member}");
        now.sources[0].path = RepoPath::new(path.as_bytes()).unwrap();
        let mut toolchain = (*now.targets[0].toolchain).clone();
        toolchain.build = build;
        now.targets[0].toolchain = Arc::new(toolchain);
        let profile = LockedProfile::of(&now, output).unwrap();
        let lock = LockFile { profiles: [(path, profile)].into() };
        prop_assert_eq!(parse_lock(&render_lock(&lock)).unwrap(), lock);
    }

    #[test]
    fn damage_is_an_error_or_another_lock(at in 0_usize..4000, byte in any::<u8>()) {
        let mut text = render_lock(&locked()).into_bytes();
        let at = at % text.len();
        text[at] = byte;
        if let Ok(lock) = parse_lock(&String::from_utf8_lossy(&text)) {
            prop_assert_eq!(parse_lock(&render_lock(&lock)).unwrap(), lock);
        }
    }
}
