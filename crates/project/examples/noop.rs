//! Measures a no-op: `noop ROOT build` fills every output with a header (no compiler is needed),
//! `noop ROOT check` loads again and says how long that took, `noop ROOT load` loads everything.
//! For comparisons with `git status` on the same tree; knows nothing of manifests.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytekiln_action::{Digest, RepoPath, Toolchain};
use bytekiln_planner::{Options, Recorded, Slot, plan, slot};
use bytekiln_project::{
    CacheSettings, CheckDepth, Completion, Date, Filled, GraphSettings, Interpreter, LayoutSetting,
    Loaded, LoadedInputs, Member, MemberOrigin, OrphanPolicy, Profile, RecordedPathPolicy, Request,
    SettledQuery, Workspace, load, record, settled,
};
use bytekiln_python::{InvalidationMode, OptimizationLevel, Release};

type Failure = Box<dyn std::error::Error>;

const TODAY: Date = Date { year: 2026, month: 1, day: 1 };

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, command] = arguments.as_slice() else {
        return Err("usage: noop ROOT build|check|outputs|early|load".into());
    };
    let root = Path::new(root).canonicalize()?;
    let start = Instant::now();
    let what = match command.as_str() {
        "build" => build(&root)?,
        "check" => state(&load_at(&root, CheckDepth::Folders)?),
        "outputs" => state(&load_at(&root, CheckDepth::Outputs)?),
        "load" => state(&load_at(&root, CheckDepth::Load)?),
        "early" => early(&root),
        other => return Err(format!("no command `{other}`").into()),
    };
    say(&format!("{what} in {:.1} ms", start.elapsed().as_secs_f64() * 1000.0));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn say(text: &str) {
    println!("{text}");
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

fn early(root: &Path) -> String {
    let state_dir = root.join(".bytekiln");
    let query = SettledQuery {
        root,
        state_dir: &state_dir,
        profile: "dev",
        partial: false,
        invocation: [1; 32],
        today: TODAY,
        depth: CheckDepth::Folders,
        threads: threads(),
    };
    match settled(&query) {
        Some(summary) => format!("settled, {} sources,", summary.sources),
        None => "not settled".to_owned(),
    }
}

fn state(loaded: &Loaded) -> String {
    match loaded {
        Loaded::Settled(summary) => format!("settled, {} sources,", summary.sources),
        Loaded::Open(loaded) => {
            let inputs = loaded.inputs();
            format!("open, {} sources, {} caches,", inputs.sources.len(), inputs.observed.len())
        }
    }
}

fn load_at(root: &Path, depth: CheckDepth) -> Result<Loaded, Failure> {
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
    let member = Member {
        name: "tree".to_owned(),
        path: RepoPath::default(),
        import_roots: vec![RepoPath::default()],
        include: vec![],
        exclude: vec![],
        origin: MemberOrigin::Tree,
    };
    let workspace = Workspace {
        root: root.to_owned(),
        manifest: None,
        watched: vec![],
        members: vec![member],
        profiles: BTreeMap::new(),
        allowances: vec![],
        cache: CacheSettings::default(),
        graph: GraphSettings::default(),
        artifacts: vec![],
        startup: Vec::new(),
        problems: vec![],
    };
    let toolchain = Toolchain {
        release: Release::from_minor(11).ok_or("no such release")?,
        implementation: "cpython".to_owned(),
        version: "3.11.7".to_owned(),
        build: "example".to_owned(),
        cache_tag: "cpython-311".to_owned(),
        platform: "linux-x86_64".to_owned(),
        free_threaded: false,
        debug: false,
    };
    let loaded = load(Request {
        workspace: &workspace,
        profile: &profile,
        packages: &[],
        state_dir: root.join(".bytekiln"),
        today: TODAY,
        interpreters: vec![Interpreter::new(PathBuf::from("/bin/sh"), Arc::new(toolchain))],
        depth,
        invocation: Some([1; 32]),
        source_hashes: Vec::new(),
        threads: threads(),
    })?;
    Ok(loaded)
}

fn build(root: &Path) -> Result<String, Failure> {
    let loaded = match load_at(root, CheckDepth::Load)? {
        Loaded::Settled(summary) => return Ok(format!("settled, {} sources,", summary.sources)),
        Loaded::Open(loaded) => loaded,
    };
    let options = Options {
        force: false,
        remove_orphans: false,
        remove_other_targets: false,
        want_warnings: false,
    };
    let plan = plan(loaded.inputs(), &options);
    let filled = write_headers(root, &loaded, &plan)?;
    let steps = filled.len();
    let start = Instant::now();
    let summary = record(*loaded, filled, &[], Completion::Complete)?;
    let elapsed = start.elapsed().as_secs_f64() * 1000.0;
    Ok(format!("{steps} steps, settled: {}, recorded in {elapsed:.1} ms, all", summary.settled))
}

fn write_headers(
    root: &Path,
    loaded: &LoadedInputs,
    plan: &bytekiln_planner::Plan,
) -> Result<Vec<Filled>, Failure> {
    use std::os::unix::ffi::OsStrExt as _;
    let sources: BTreeMap<_, _> =
        loaded.inputs().sources.iter().map(|source| (&source.path, source)).collect();
    let mut filled = Vec::new();
    for step in &plan.steps {
        let source = sources.get(&step.source).ok_or("a step without a source")?;
        let target =
            loaded.inputs().targets.get(step.target as usize).ok_or("a step without a target")?;
        let slot = slot(source, target);
        let result = if let Slot::Output(output) = &slot {
            let path = root.join(std::ffi::OsStr::from_bytes(output.path.as_bytes()));
            let folder = path.parent().ok_or("an output without a folder")?;
            std::fs::create_dir_all(folder)?;
            let mut bytes = target.toolchain.release.magic_bytes().to_vec();
            bytes.extend_from_slice(&step.action.mode.header_flags().to_le_bytes());
            bytes.extend_from_slice(&[0; 8]);
            std::fs::write(&path, &bytes)?;
            Recorded::Written(Digest::of(&bytes))
        } else {
            Recorded::Checked
        };
        let (source, action) = (step.source.clone(), step.action.clone());
        filled.push(Filled { slot, source, action, result, warnings: 0 });
    }
    Ok(filled)
}
