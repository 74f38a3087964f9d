//! What the next build makes of a change.

use std::time::Duration;

use bytekiln_planner::Recorded;
use expect_test::expect;

use super::{Completion, Tree, carry_out, check, make_plan, member, record};
use crate::index::CheckDepth;

fn small() -> Tree {
    Tree::new(&[("pkg/__init__.py", ""), ("pkg/a.py", "A = 1\n")], vec![member("")])
}

#[test]
fn a_build_settles_and_changes_unsettle() {
    let tree = Tree::new(&[("pkg/__init__.py", ""), ("pkg/a.py", "A = 1\n")], vec![member("")]);
    check(
        tree.build(),
        expect![[r#"
        pkg/__init__.py: New
        pkg/a.py: New
        fresh: 0
    "#]],
    );
    check(tree.build(), expect!["settled: 2 sources\n"]);

    tree.write("pkg/a.py", "A = 2\n");
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: SourceChanged
        fresh: 1
    "#]],
    );
    check(tree.build(), expect!["settled: 2 sources\n"]);

    tree.write("pkg/b.py", "");
    check(
        tree.build(),
        expect![[r#"
        pkg/b.py: New
        fresh: 2
    "#]],
    );
    std::fs::remove_file(tree.path("pkg/b.py")).unwrap();
    check(
        tree.build(),
        expect![[r#"
        remove pkg/__pycache__/b.cpython-311.pyc: SourceGone
        fresh: 2
    "#]],
    );
    check(tree.build(), expect!["settled: 2 sources\n"]);

    std::fs::remove_file(tree.path("pkg/__pycache__/a.cpython-311.pyc")).unwrap();
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: OutputMissing
        fresh: 1
    "#]],
    );
    check(tree.build(), expect!["settled: 2 sources\n"]);
}

#[test]
fn touching_is_free() {
    let tree = small();
    tree.build();
    let now = std::time::SystemTime::now() + Duration::from_secs(5);
    for path in ["pkg/a.py", "pkg/__pycache__/a.cpython-311.pyc"] {
        let file = std::fs::File::options().append(true).open(tree.path(path)).unwrap();
        file.set_modified(now).unwrap();
    }
    check(
        tree.build(),
        expect![[r#"
        fresh: 2
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
}

/// The stamp of a file that was changed within one tick of the clock is the same before and after.
/// Whatever the file system's tick is, a build must see the second change.
#[test]
fn a_change_within_the_same_tick_is_seen() {
    let tree = small();
    for round in 0..40 {
        tree.write("pkg/a.py", &format!("A = {:03}\n", round));
        let loaded = match tree.load_at_once() {
            Ok(crate::Loaded::Open(loaded)) => loaded,
            _ => panic!("the change of round {round} was not seen"),
        };
        let path = bytekiln_action::RepoPath::new(b"pkg/a.py").unwrap();
        let source =
            loaded.inputs().sources.iter().find(|source| source.path == path).unwrap().clone();
        let now = std::fs::read(tree.path("pkg/a.py")).unwrap();
        assert_eq!(source.content, bytekiln_action::Digest::of(&now), "round {round}");
        let plan = make_plan(&loaded);
        let filled = plan.steps.iter().map(|step| carry_out(step, &loaded)).collect();
        record(*loaded, filled, &[], Completion::Complete).unwrap();
    }
}

#[test]
fn a_change_during_the_build_is_seen_afterwards() {
    let tree = small();
    let loaded = tree.open();
    let plan = make_plan(&loaded);
    tree.write("pkg/late.py", "");
    tree.write("pkg/a.py", "A = 'changed meanwhile'\n");
    let filled = plan.steps.iter().map(|step| carry_out(step, &loaded)).collect();
    record(*loaded, filled, &[], Completion::Complete).unwrap();
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: SourceChanged
        pkg/late.py: New
        fresh: 1
    "#]],
    );
}

#[test]
fn a_partial_build_never_settles() {
    let tree = small();
    let loaded = tree.open();
    let step = make_plan(&loaded).steps.remove(1);
    let mut filled = carry_out(&step, &loaded);
    std::fs::remove_file(tree.path("pkg/__pycache__/a.cpython-311.pyc")).unwrap();
    filled.result = Recorded::Rejected;
    let summary = record(*loaded, vec![filled], &[], Completion::Partial).unwrap();
    assert!(!summary.settled);
    check(
        tree.build(),
        expect![[r#"
        pkg/__init__.py: New
        pkg/a.py: FailedBefore
        fresh: 0
    "#]],
    );
}

#[test]
fn a_moved_workspace_keeps_its_records_and_a_copy_compares_bytes() {
    let mut tree = small();
    tree.build();
    let moved = tempfile::tempdir().unwrap();
    let root = moved.path().canonicalize().unwrap().join("moved");
    std::fs::rename(&tree.workspace.root, &root).unwrap();
    std::fs::create_dir(&tree.workspace.root).unwrap();
    tree.workspace.root = root.clone();
    check(
        tree.build(),
        expect![[r#"
        fresh: 2
    "#]],
    );

    let copy = moved.path().canonicalize().unwrap().join("copy");
    let done = std::process::Command::new("cp").args(["-a"]).arg(&root).arg(&copy).status();
    assert!(done.unwrap().success());
    tree.workspace.root = copy;
    check(
        tree.build(),
        expect![[r#"
        fresh: 2
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
}

#[test]
fn another_compiler_unsettles() {
    let mut tree = small();
    tree.build();
    tree.minor = 13;
    check(
        tree.build(),
        expect![[r#"
        pkg/__init__.py: New
        pkg/a.py: New
        remove pkg/__pycache__/__init__.cpython-311.pyc: TargetGone
        remove pkg/__pycache__/a.cpython-311.pyc: TargetGone
        fresh: 0
    "#]],
    );
    tree.minor = 11;
    check(
        tree.build(),
        expect![[r#"
        pkg/__init__.py: New
        pkg/a.py: New
        remove pkg/__pycache__/__init__.cpython-313.pyc: TargetGone
        remove pkg/__pycache__/a.cpython-313.pyc: TargetGone
        fresh: 0
    "#]],
    );
}

#[test]
fn outputs_written_in_place_are_seen_by_the_deep_check() {
    let mut tree = small();
    tree.build();
    tree.write("pkg/__pycache__/a.cpython-311.pyc", "not a cache at all");
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    tree.depth = CheckDepth::Outputs;
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: OutputChanged
        fresh: 1
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
}

#[test]
fn selecting_a_package_leaves_the_others_alone() {
    let mut tree = Tree::new(
        &[("one/a.py", "A = 1"), ("two/b.py", "B = 1")],
        vec![member("one"), member("two")],
    );
    tree.build();
    tree.write("one/a.py", "A = 2");
    std::fs::remove_file(tree.path("two/b.py")).unwrap();
    tree.write("two/c.py", "");
    tree.packages = vec!["one".to_owned()];
    check(
        tree.build(),
        expect![[r#"
        one/a.py: SourceChanged
        fresh: 0
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 1 sources
    "#]],
    );
    tree.packages = vec!["tow".to_owned()];
    check(
        tree.scan(),
        expect![[r#"
        no member of the workspace is called `tow`
        a member `two` exists
    "#]],
    );
    tree.packages = vec![];
    check(
        tree.build(),
        expect![[r#"
        two/c.py: New
        remove two/__pycache__/b.cpython-311.pyc: SourceGone
        fresh: 1
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
}

#[test]
fn concurrent_builds_do_not_mix() {
    let tree = small();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    if let Ok(crate::Loaded::Open(loaded)) = tree.load() {
                        record(*loaded, vec![], &[], Completion::Partial).unwrap();
                    }
                }
            });
        }
    });
    check(
        tree.build(),
        expect![[r#"
        pkg/__init__.py: New
        pkg/a.py: New
        fresh: 0
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
}

/// The tree changes all the time while it is walked: nothing is lost, nothing panics.
#[test]
fn a_tree_that_changes_during_the_walk() {
    let tree = small();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                round += 1;
                tree.write(&format!("pkg/sub{}/m.py", round % 7), "X = 1");
                let _ = std::fs::remove_dir_all(tree.path(&format!("pkg/sub{}", (round + 3) % 7)));
            }
        });
        for _ in 0..10 {
            let loaded = tree.open();
            let fixed: Vec<_> = loaded
                .inputs()
                .sources
                .iter()
                .filter(|source| !source.path.to_string().contains("sub"))
                .collect();
            assert_eq!(fixed.len(), 2);
            assert_eq!(loaded.inputs().problems, vec![]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn an_allowance_that_expires_unsettles() {
    let mut tree = small();
    tree.workspace.allowances = vec![crate::AllowanceRule {
        glob: "pkg/a.py".to_owned(),
        reason: "Python 2".to_owned(),
        expires: super::TODAY,
        place: "bytekiln.toml:3".to_owned(),
    }];
    tree.build();
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    tree.today.day += 1;
    check(
        tree.build(),
        expect![[r#"
        Error: bytekiln.toml:3: the allowance for `pkg/a.py` has expired on 2026-11-22 (Python 2)
        fresh: 2
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        Error: bytekiln.toml:3: the allowance for `pkg/a.py` has expired on 2026-11-22 (Python 2)
        fresh: 2
    "#]],
    );
}

#[test]
fn a_gitignore_above_the_workspace_counts_in_a_repository() {
    let mut tree = Tree::new(
        &[
            ("work/a.py", ""),
            ("work/b_gen.py", ""),
            (".gitignore", "*_gen.py\n"),
            (".git/HEAD", ""),
        ],
        vec![member("")],
    );
    let above = tree.workspace.root.clone();
    tree.workspace.root = above.join("work");
    check(
        tree.build(),
        expect![[r#"
        a.py: New
        fresh: 0
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 1 sources
    "#]],
    );
    std::fs::write(above.join(".gitignore"), "work/a.py\n").unwrap();
    check(
        tree.build(),
        expect![[r#"
        b_gen.py: New
        remove __pycache__/a.cpython-311.pyc: SourceGone
        fresh: 0
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 1 sources
    "#]],
    );
}

/// The fast answer, which reads no manifest, is given once these are old enough.
#[test]
fn a_manifest_that_changes_is_seen_before_it_is_read() {
    let mut tree = small();
    tree.write("bytekiln.toml", "");
    tree.workspace.watched = vec![tree.path("bytekiln.toml"), tree.path("absent.toml")];
    let state_dir = tree.path(".bytekiln");
    let fast = |tree: &Tree| {
        crate::settled(&crate::SettledQuery {
            root: &tree.workspace.root,
            state_dir: &state_dir,
            profile: "dev",
            partial: false,
            invocation: [7; 32],
            today: super::TODAY,
            depth: CheckDepth::Folders,
            threads: std::num::NonZeroUsize::MIN,
        })
        .is_some()
    };
    assert!(!fast(&tree));
    tree.build();
    assert!(!fast(&tree), "the manifest is younger than two seconds");
    std::thread::sleep(Duration::from_millis(2100));
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    assert!(fast(&tree));
    tree.write("absent.toml", "");
    assert!(!fast(&tree));
}

#[test]
fn inputs_do_not_depend_on_the_order_of_the_listing() {
    let mut names: Vec<String> = (0..40).map(|at| format!("pkg{}/m{at}.py", at % 4)).collect();
    let mut texts = Vec::new();
    for _ in 0..2 {
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        let tree = Tree::new(&files, vec![member("")]);
        texts.push((tree.scan(), tree.build()));
        names.reverse();
    }
    assert_eq!(texts[0], texts[1]);
}

/// What cannot be read is an error of its own, and costs it neither its record nor its output.
#[test]
fn an_unreadable_file_and_folder() {
    bytekiln_test_support::as_user_without_rights(unreadable_file_and_folder);
}

fn unreadable_file_and_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let tree = Tree::new(&[("a.py", ""), ("b.py", ""), ("closed/c.py", "")], vec![member("")]);
    tree.build();
    tree.write("b.py", "B = 2");
    let set = |path: &str, mode| {
        std::fs::set_permissions(tree.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("b.py", 0o000);
    set("closed", 0o000);
    check(
        tree.build(),
        expect![[r#"
            Error: b.py: file cannot be read: Permission denied (os error 13)
            Error: closed: folder cannot be read: Permission denied (os error 13)
            fresh: 1
        "#]],
    );
    set("b.py", 0o644);
    set("closed", 0o755);
    check(
        tree.build(),
        expect![[r#"
        b.py: SourceChanged
        fresh: 2
    "#]],
    );
}

#[test]
fn a_state_folder_that_cannot_be_made() {
    let tree = small();
    tree.write(".bytekiln", "a file");
    let loaded = tree.open();
    let trouble = loaded.state_trouble().unwrap();
    assert!(trouble.to_string().contains(".bytekiln"), "{trouble}");
    assert_eq!(make_plan(&loaded).steps.len(), 2);
    record(*loaded, vec![], &[], Completion::Partial).unwrap_err();
}
