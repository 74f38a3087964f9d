//! The planner against small worlds: one `check`, plans as text.

use std::fmt::Write as _;
use std::sync::Arc;

use bytekiln_action::{CompileFlags, Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::{
    Allowance, FoundCache, Layout, OutputPath, Reason, Recorded, ScriptReason, SourceKind,
};

fn path(text: &str) -> RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

fn toolchain(minor: u8, patch: u8) -> Toolchain {
    Toolchain {
        release: Release::from_minor(minor).unwrap(),
        implementation: "cpython".to_owned(),
        version: format!("3.{minor}.{patch}"),
        build: format!("3.{minor}.{patch} (main) [GCC]"),
        cache_tag: format!("cpython-3{minor}"),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    }
}

fn target(toolchain: Toolchain, level: u8) -> Target {
    Target {
        toolchain_digest: toolchain.digest(),
        toolchain: Arc::new(toolchain),
        level: OptimizationLevel::from_u8(level).unwrap(),
        mode: InvalidationMode::CheckedHash,
        flags: CompileFlags { debug_ranges: true },
        layout: Layout::Pycache,
    }
}

fn source(name: &str, text: &str) -> Source {
    Source {
        path: path(name),
        member: 0,
        import_root: RepoPath::default(),
        content: Digest::of(text.as_bytes()),
        kind: SourceKind::Module,
        recorded_path: RecordedPath::from_file_system(name.as_bytes()),
        allowance: None,
    }
}

/// What a build of these inputs would leave behind: every slot filled, untouched since.
fn built(inputs: &Inputs) -> Inputs {
    let mut after = inputs.clone();
    (after.records, after.observed) = (Vec::new(), Vec::new());
    for source in &inputs.sources {
        for target in &inputs.targets {
            let slot = slot(source, target);
            let result = match &slot {
                Slot::Output(output) => {
                    let state = ObservedState::AsRecorded;
                    after.observed.push(Observed { path: output.clone(), state });
                    Recorded::Written(Digest::of(b"pyc"))
                }
                Slot::Check(..) => Recorded::Checked,
            };
            after.records.push(Record {
                slot,
                source: source.path.clone(),
                content: source.content,
                recorded_path: source.recorded_path.clone(),
                toolchain: target.toolchain.clone(),
                toolchain_digest: target.toolchain_digest,
                level: target.level,
                mode: target.mode,
                flags: target.flags,
                canonical_form: inputs.canonical_form,
                result,
                warnings: 0,
            });
        }
    }
    after
}

fn world() -> Inputs {
    let mut tool = source("my-tool.py", "tool");
    tool.kind = SourceKind::Script(ScriptReason::NotAModuleName);
    Inputs {
        members: vec!["app".to_owned()],
        sources: vec![source("pkg/__init__.py", ""), source("pkg/mod.py", "x = 1"), tool],
        targets: vec![target(toolchain(11, 7), 0)],
        canonical_form: 1,
        ..Inputs::default()
    }
}

const PLAIN: Options = Options {
    force: false,
    remove_other_targets: true,
    remove_orphans: false,
    want_warnings: false,
};

fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let to = step.output.as_ref().map_or("-".to_owned(), |output| output.path.to_string());
        writeln!(out, "{} -> {to}: {:?}", step.source, step.reasons).unwrap();
    }
    for removal in &plan.removals {
        writeln!(out, "remove {}: {:?}", removal.output.path, removal.reason).unwrap();
    }
    for orphan in &plan.orphans {
        writeln!(out, "orphan {}", orphan.path).unwrap();
    }
    for problem in &plan.problems {
        writeln!(out, "{:?}: {}", problem.severity, problem.message).unwrap();
    }
    writeln!(out, "{} fresh", plan.fresh.len()).unwrap();
    out
}

#[track_caller]
fn check(inputs: &Inputs, options: Options, expect: &Expect) {
    expect.assert_eq(&text(&plan(inputs, &options)));
}

/// Builds the world, changes it, plans again.
#[track_caller]
fn check_change(change: impl Fn(&mut Inputs), expect: &Expect) {
    let mut inputs = built(&world());
    change(&mut inputs);
    check(&inputs, PLAIN, expect);
}

#[test]
fn first_build_and_second() {
    check(
        &world(),
        PLAIN,
        &expect![[r#"
        my-tool.py -> -: [New]
        pkg/__init__.py -> pkg/__pycache__/__init__.cpython-311.pyc: [New]
        pkg/mod.py -> pkg/__pycache__/mod.cpython-311.pyc: [New]
        0 fresh
    "#]],
    );
    check_change(
        |_| {},
        &expect![[r#"
        3 fresh
    "#]],
    );
}

#[test]
fn each_change_has_its_reason() {
    let mut all = String::new();
    type Change = &'static dyn Fn(&mut Inputs);
    let changes: [(&str, Change); 12] = [
        ("source", &|i| i.sources[1].content = Digest::of(b"x = 2")),
        ("mode", &|i| i.targets[0].mode = InvalidationMode::UncheckedHash),
        ("toolchain", &|i| i.targets[0] = target(toolchain(11, 8), 0)),
        ("build", &|i| {
            let mut other = toolchain(11, 7);
            other.build.push('+');
            i.targets[0] = target(other, 0);
        }),
        ("path", &|i| i.sources[1].recorded_path = RecordedPath::from_file_system(b"/app/mod.py")),
        ("ranges", &|i| i.targets[0].flags.debug_ranges = false),
        ("form", &|i| i.canonical_form = 2),
        ("missing", &|i| i.observed.retain(|seen| !seen.path.path.to_string().contains("mod"))),
        ("timestamp", &|i| {
            i.observed[1].state = ObservedState::Changed(FoundCache::Timestamp { magic: 3495 });
        }),
        ("damaged", &|i| i.observed[1].state = ObservedState::Changed(FoundCache::NotACache)),
        ("warned", &|i| i.records[1].warnings = 2),
        ("script", &|i| i.sources[2].kind = SourceKind::Module),
    ];
    for (name, change) in changes {
        let mut inputs = built(&world());
        change(&mut inputs);
        let options = Options { want_warnings: true, ..PLAIN };
        let plan = plan(&inputs, &options);
        let step = plan.steps.iter().find(|step| step.reasons != [Reason::New]);
        writeln!(all, "{name}: {} steps, {:?}", plan.steps.len(), step.map(|s| &s.reasons[0]))
            .unwrap();
    }
    expect![[r#"
        source: 1 steps, Some(SourceChanged { old: 8ff436def1451285599a1b1ad70800493b8dcafde2912e1a38345633054e4c26/5, new: 1431b986377b5430f01fd6900d873fa289d546f304bc58c18d42492f87f54016/5 })
        mode: 3 steps, Some(ModeChanged { old: CheckedHash, new: UncheckedHash })
        toolchain: 3 steps, Some(ToolchainChanged { old: "CPython 3.11.7", new: "CPython 3.11.8" })
        build: 3 steps, Some(ToolchainChanged { old: "3.11.7 (main) [GCC]", new: "3.11.7 (main) [GCC]+" })
        path: 1 steps, Some(RecordedPathChanged { old: "pkg/mod.py", new: "/app/mod.py" })
        ranges: 3 steps, Some(DebugRangesChanged { new: false })
        form: 3 steps, Some(CanonicalFormChanged { old: 1, new: 2 })
        missing: 1 steps, Some(OutputMissing)
        timestamp: 1 steps, Some(ModeDiffers { found: Timestamp { magic: 3495 }, wanted: CheckedHash })
        damaged: 1 steps, Some(OutputChanged(NotACache))
        warned: 1 steps, Some(WarningsWanted { count: 2 })
        script: 1 steps, None
    "#]].assert_eq(&all);
}

#[test]
fn lost_records_do_not_hide_the_mode() {
    // cpython#117204: a timestamp cache never stands in for a hash-based one.
    let mut inputs = built(&world());
    inputs.records.clear();
    inputs.observed[0].state = ObservedState::Unrecorded(FoundCache::Timestamp { magic: 3495 });
    inputs.observed[1].state = ObservedState::Unrecorded(FoundCache::Hash {
        magic: 3495,
        mode: InvalidationMode::CheckedHash,
    });
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        my-tool.py -> -: [New]
        pkg/__init__.py -> pkg/__pycache__/__init__.cpython-311.pyc: [ModeDiffers { found: Timestamp { magic: 3495 }, wanted: CheckedHash }]
        pkg/mod.py -> pkg/__pycache__/mod.cpython-311.pyc: [OutputUnrecorded(Hash { magic: 3495, mode: CheckedHash })]
        0 fresh
    "#]],
    );
}

#[test]
fn rejected_sources_are_said_again_unless_allowed() {
    let mut inputs = built(&world());
    inputs.records[1].result = Recorded::Rejected;
    inputs.observed.remove(1);
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        pkg/mod.py -> pkg/__pycache__/mod.cpython-311.pyc: [FailedBefore]
        2 fresh
    "#]],
    );
    let (reason, expires) = ("Python 2".to_owned(), "2027-01-01".to_owned());
    inputs.sources[1].allowance = Some(Allowance { reason, expires });
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        3 fresh
    "#]],
    );
}

#[test]
fn removal_is_part_of_the_plan() {
    let mut inputs = built(&world());
    inputs.sources.remove(1);
    let other = |name: &str| Observed {
        path: OutputPath { root: RootId::WORKSPACE, path: path(name) },
        state: ObservedState::Unrecorded(FoundCache::Timestamp { magic: 3495 }),
    };
    inputs.observed.extend([
        other("pkg/__pycache__/renamed.cpython-311.pyc"),
        other("pkg/__pycache__/__init__.cpython-312.pyc"),
        other("pkg/__pycache__/ignored.cpython-311.pyc"),
        other("pkg/__pycache__/notes.txt.pyc"),
    ]);
    inputs.out_of_scope.insert(path("pkg/ignored.py"));
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        remove pkg/__pycache__/mod.cpython-311.pyc: SourceGone { source: "pkg/mod.py" }
        orphan pkg/__pycache__/renamed.cpython-311.pyc
        2 fresh
    "#]],
    );
    let options = Options { remove_orphans: true, ..PLAIN };
    check(
        &inputs,
        options,
        &expect![[r#"
        remove pkg/__pycache__/mod.cpython-311.pyc: SourceGone { source: "pkg/mod.py" }
        remove pkg/__pycache__/renamed.cpython-311.pyc: Orphan
        2 fresh
    "#]],
    );
    let mut inputs = built(&world());
    inputs.targets[0] = target(toolchain(12, 1), 1);
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        my-tool.py -> -: [New]
        pkg/__init__.py -> pkg/__pycache__/__init__.cpython-312.opt-1.pyc: [New]
        pkg/mod.py -> pkg/__pycache__/mod.cpython-312.opt-1.pyc: [New]
        remove pkg/__pycache__/__init__.cpython-311.pyc: TargetGone { target: "cpython-311, level 0" }
        remove pkg/__pycache__/mod.cpython-311.pyc: TargetGone { target: "cpython-311, level 0" }
        0 fresh
    "#]],
    );
}

#[test]
fn layouts_name_their_outputs() {
    let mut out = String::new();
    let mut source = source("libs/money/src/money/coin.py", "");
    source.import_root = path("libs/money/src");
    let root = RootId(1);
    for layout in [
        Layout::Pycache,
        Layout::Prefix { root, workspace_at_run_time: path("srv/app") },
        Layout::Legacy,
        Layout::Sourceless { root },
    ] {
        let target = Target { layout, ..target(toolchain(13, 0), 2) };
        let output = output_path(&source, &target).unwrap();
        writeln!(out, "{} {}", output.root.0, output.path).unwrap();
    }
    expect![[r#"
        0 libs/money/src/money/__pycache__/coin.cpython-313.opt-2.pyc
        1 srv/app/libs/money/src/money/coin.cpython-313.opt-2.pyc
        0 libs/money/src/money/coin.pyc
        1 money/coin.pyc
    "#]]
    .assert_eq(&out);
}

#[test]
fn one_place_is_not_claimed_twice() {
    // drgn#410: a free-threaded build has the cache tag of the ordinary one.
    let mut inputs = world();
    let free_threaded = Toolchain { free_threaded: true, ..toolchain(11, 7) };
    inputs.targets.push(target(free_threaded, 0));
    inputs.sources.truncate(1);
    check(
        &inputs,
        PLAIN,
        &expect![[r#"
        pkg/__init__.py -> pkg/__pycache__/__init__.cpython-311.pyc: [New]
        Error: the output `pkg/__pycache__/__init__.cpython-311.pyc` is claimed by two targets: CPython 3.11.7 at level 0 and CPython 3.11.7 free-threaded at level 0
        0 fresh
    "#]],
    );
}

proptest! {
    #[test]
    fn the_order_of_inputs_does_not_matter(
        sources in Just(world().sources).prop_shuffle(),
        records in Just(built(&world()).records).prop_shuffle(),
        observed in Just(built(&world()).observed).prop_shuffle(),
        keep in 0usize..4,
    ) {
        let mut straight = built(&world());
        straight.sources[1].content = Digest::of(b"changed");
        let kept: Vec<Slot> = straight.records.iter().take(keep).map(|r| r.slot.clone()).collect();
        straight.records.retain(|record| kept.contains(&record.slot));
        let mut shuffled = Inputs { sources, records, observed, ..straight.clone() };
        for source in &mut shuffled.sources {
            if source.path == straight.sources[1].path {
                source.content = Digest::of(b"changed");
            }
        }
        shuffled.records.retain(|record| kept.contains(&record.slot));
        prop_assert_eq!(plan(&straight, &PLAIN), plan(&shuffled, &PLAIN));
    }
}
