//! Loads and records of small trees, and what the next load makes of changes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath, Toolchain};
use bytekiln_planner::{Options, Plan, Problem, Recorded, Skipped, plan};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};
use expect_test::Expect;

use super::{Completion, Filled, LoadError, Loaded, LoadedInputs, Request, load, record};
use crate::index::CheckDepth;
use crate::{
    CacheSettings, Date, Interpreter, LayoutSetting, Member, MemberOrigin, OrphanPolicy, Profile,
    RecordedPathPolicy, Workspace,
};

mod changes;
mod layouts;
mod scanning;

const TODAY: Date = Date { year: 2026, month: 11, day: 22 };

/// A workspace in a temporary folder.
struct Tree {
    #[expect(dead_code, reason = "removed when dropped")]
    folder: tempfile::TempDir,
    workspace: Workspace,
    profile: Profile,
    packages: Vec<String>,
    depth: CheckDepth,
    minor: u8,
    today: Date,
}

fn member(path: &str) -> Member {
    let folder = RepoPath::new(path.as_bytes()).unwrap();
    Member {
        name: if path.is_empty() { "tree".to_owned() } else { path.to_owned() },
        path: folder.clone(),
        import_roots: vec![folder],
        include: vec![],
        exclude: vec![],
        origin: MemberOrigin::Listed,
    }
}

impl Tree {
    fn new(files: &[(&str, &str)], members: Vec<Member>) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let profile = Profile {
            name: "dev".to_owned(),
            mode: InvalidationMode::CheckedHash,
            levels: vec![OptimizationLevel::Zero],
            interpreters: vec![],
            layout: LayoutSetting::Pycache,
            recorded_path: RecordedPathPolicy::Workspace,
            path_prefix_map: vec![],
            debug_ranges: true,
            deny_warnings: false,
            orphans: OrphanPolicy::Report,
            link: true,
        };
        let workspace = Workspace {
            root,
            manifest: None,
            watched: vec![],
            members,
            profiles: [("dev".to_owned(), profile.clone())].into(),
            allowances: vec![],
            cache: CacheSettings::default(),
            graph: crate::GraphSettings::default(),
            artifacts: Vec::new(),
            startup: vec![],
            problems: vec![],
        };
        let tree = Tree {
            folder,
            workspace,
            profile,
            packages: vec![],
            depth: CheckDepth::Folders,
            minor: 11,
            today: TODAY,
        };
        for (path, content) in files {
            tree.write(path, content);
        }
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.workspace.root.join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn load(&self) -> Result<Loaded, LoadError> {
        // Files just written are too young to be trusted until the clock has ticked.
        std::thread::sleep(std::time::Duration::from_millis(12));
        self.load_at_once()
    }

    fn load_at_once(&self) -> Result<Loaded, LoadError> {
        load(Request {
            workspace: &self.workspace,
            profile: &self.profile,
            packages: &self.packages,
            state_dir: self.path(".bytekiln"),
            today: self.today,
            interpreters: vec![interpreter(self.minor, "x")],
            depth: self.depth,
            invocation: Some([7; 32]),
            source_hashes: Vec::new(),
            threads: NonZeroUsize::new(2).unwrap(),
        })
    }

    fn open(&self) -> Box<LoadedInputs> {
        match self.load().unwrap() {
            Loaded::Open(loaded) => loaded,
            Loaded::Settled(_) => panic!("the load was settled"),
        }
    }

    /// What the scan finds: sources with what is recorded of them, and all that is to be told.
    fn scan(&self) -> String {
        let loaded = match self.load() {
            Ok(Loaded::Settled(_)) => return "settled\n".to_owned(),
            Ok(Loaded::Open(loaded)) => loaded,
            Err(error) => {
                let hint = error.hint().unwrap_or_default();
                return format!("{error}\n{hint}\n").replace(&self.root_text(), "ROOT");
            }
        };
        let mut text = String::new();
        for source in &loaded.inputs().sources {
            let kind = match source.kind {
                bytekiln_planner::SourceKind::Module => String::new(),
                bytekiln_planner::SourceKind::Script(reason) => format!(" {reason:?}"),
            };
            let allowance =
                source.allowance.as_ref().map(|allowance| format!(" ({})", allowance.reason));
            text += &format!(
                "{} [{}] {}{kind}{}\n",
                source.path,
                source.import_root,
                source.recorded_path,
                allowance.unwrap_or_default()
            );
        }
        for path in &loaded.inputs().out_of_scope {
            text += &format!("out of scope: {path}\n");
        }
        tell(&mut text, &loaded.inputs().skipped, &loaded.inputs().problems);
        text.replace(&self.root_text(), "ROOT")
    }

    /// Loads and carries the plan out; what it had to do, or `settled`.
    fn build(&self) -> String {
        let loaded = match self.load() {
            Ok(Loaded::Settled(summary)) => {
                return format!("settled: {} sources\n", summary.sources);
            }
            Ok(Loaded::Open(loaded)) => loaded,
            Err(error) => return format!("{error}\n").replace(&self.root_text(), "ROOT"),
        };
        let plan = make_plan(&loaded);
        let text = show(&plan);
        let roots = loaded.roots().to_vec();
        let filled = plan.steps.iter().map(|step| carry_out(step, &loaded)).collect();
        let removed: Vec<_> = plan.removals.iter().map(|removal| removal.output.clone()).collect();
        for output in &removed {
            let root = &roots[usize::from(output.root.0)];
            std::fs::remove_file(crate::path::absolute(root, &output.path)).unwrap();
        }
        record(*loaded, filled, &removed, Completion::Complete).unwrap();
        text.replace(&self.root_text(), "ROOT")
    }

    fn root_text(&self) -> String {
        self.workspace.root.to_str().unwrap().to_owned()
    }
}

fn interpreter(minor: u8, build: &str) -> Interpreter {
    let release = Release::from_minor(minor).unwrap();
    let toolchain = Toolchain {
        release,
        implementation: "cpython".to_owned(),
        version: format!("3.{minor}.1"),
        build: build.to_owned(),
        cache_tag: format!("cpython-3{minor}"),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    };
    Interpreter::new(PathBuf::from("/nowhere/python"), Arc::new(toolchain))
}

fn make_plan(loaded: &LoadedInputs) -> Plan {
    let options = Options {
        force: false,
        remove_orphans: false,
        remove_other_targets: true,
        want_warnings: false,
    };
    plan(loaded.inputs(), &options)
}

fn carry_out(step: &bytekiln_planner::Step, loaded: &LoadedInputs) -> Filled {
    let target = &loaded.inputs().targets[step.target as usize];
    let source = loaded.inputs().sources.iter().find(|source| source.path == step.source).unwrap();
    let result = match &step.output {
        None => Recorded::Checked,
        Some(output) => {
            let path =
                crate::path::absolute(&loaded.roots()[usize::from(output.root.0)], &output.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut bytes = target.toolchain.release.magic_bytes().to_vec();
            bytes.extend_from_slice(&step.action.mode.header_flags().to_le_bytes());
            bytes.extend_from_slice(&step.action.digest().0);
            let fresh = path.with_extension("new");
            std::fs::write(&fresh, &bytes).unwrap();
            std::fs::rename(&fresh, &path).unwrap();
            Recorded::Written(Digest::of(&bytes))
        }
    };
    Filled {
        slot: bytekiln_planner::slot(source, target),
        source: step.source.clone(),
        action: step.action.clone(),
        result,
        warnings: 0,
    }
}

fn show(plan: &Plan) -> String {
    let mut text = String::new();
    for step in &plan.steps {
        let reasons: Vec<String> = step
            .reasons
            .iter()
            .map(|reason| {
                let reason = format!("{reason:?}");
                reason.split([' ', '(']).next().unwrap().to_owned()
            })
            .collect();
        text += &format!("{}: {}\n", step.source, reasons.join(", "));
    }
    for removal in &plan.removals {
        let reason = format!("{:?}", removal.reason);
        text += &format!("remove {}: {}\n", removal.output.path, reason.split(' ').next().unwrap());
    }
    for orphan in &plan.orphans {
        text += &format!("orphan {}\n", orphan.path);
    }
    tell(&mut text, &plan.skipped, &plan.problems);
    text += &format!("fresh: {}\n", plan.fresh.len());
    text
}

fn check(text: String, expect: Expect) {
    expect.assert_eq(&text);
}

fn tell(text: &mut String, skipped: &[Skipped], problems: &[Problem]) {
    for skipped in skipped {
        *text += &format!("{skipped:?}\n");
    }
    for problem in problems {
        let path = problem.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
        *text += &format!("{:?}: {path}{}\n", problem.severity, problem.message);
    }
}
