//! The load itself, on one screen: is anything to look at, walk, hash, observe, lower.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_codec::{CANONICAL_FORM_VERSION, SourceHash};
use bytekiln_planner::{Inputs, Layout, Source, Target};
use bytekiln_python::Release;
use rustix::fs::{Mode, OFlags};

use super::caches::{Caches, observe_caches};
use super::sources::{Hashes, hash_sources, two_sources};
use super::{LoadError, LoadErrorKind};
use crate::index::{self, CheckDepth, SettledSummary, StateError, StoredRecord, Watch};
use crate::lower::{self, Allowances};
use crate::path::{absolute, bytes};
use crate::scan::{
    self, FileClock, FoundFolder, MemberRules, Stamp, WalkRequest, Wanted, file_clock,
};
use crate::{Date, Interpreter, Profile, Workspace};

/// What to load.
#[derive(Debug)]
pub struct Request<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The profile, with what the command line overrides.
    pub profile: &'a Profile,
    /// Names of members to build; empty means all.
    pub packages: &'a [String],
    /// Where state is kept: see [`crate::prepare_state`].
    pub state_dir: PathBuf,
    /// Today, for allowances.
    pub today: Date,
    /// The interpreters that the profile asks for.
    pub interpreters: Vec<Interpreter>,
    /// How closely to look before everything is loaded. With [`CheckDepth::Outputs`] a load also
    /// reads outputs whose stamps are as recorded.
    pub depth: CheckDepth,
    /// A digest of what leads to this request from outside the workspace (arguments, variables of
    /// the environment that were looked at); lets [`crate::settled`] answer before the manifests
    /// are read.
    pub invocation: Option<[u8; 32]>,
    /// Of these releases [`LoadedInputs::source_hashes`] are wanted.
    pub source_hashes: Vec<Release>,
    /// On so many threads.
    pub threads: NonZeroUsize,
}

/// What a release (its minor version) has in its caches for the source with a digest.
pub type SourceHashes = BTreeMap<(u8, Digest), SourceHash>;

/// What a load gives.
#[derive(Debug)]
pub enum Loaded {
    /// The last build left nothing to do, and nothing has changed.
    Settled(SettledSummary),
    /// Plan with this.
    Open(Box<LoadedInputs>),
}

/// Inputs of the planner, and what [`super::record`] needs to know of how they were found.
#[derive(Debug)]
pub struct LoadedInputs {
    pub(super) inputs: Inputs,
    pub(super) roots: Vec<PathBuf>,
    pub(super) interpreters: Vec<Interpreter>,
    pub(super) state_trouble: Option<StateError>,
    pub(super) source_hashes: SourceHashes,
    pub(super) memory: Memory,
}

impl LoadedInputs {
    /// What to plan with.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The folder of each [`bytekiln_planner::RootId`].
    pub fn roots(&self) -> &[PathBuf] {
        &self.roots
    }

    /// The interpreters; target `i` belongs to the one with its toolchain.
    pub fn interpreters(&self) -> &[Interpreter] {
        &self.interpreters
    }

    /// For [`Request::source_hashes`], of those sources that this load has read.
    pub fn source_hashes(&self) -> &SourceHashes {
        &self.source_hashes
    }

    /// The state could not be written; the next load will have to find out everything again.
    pub fn state_trouble(&self) -> Option<&StateError> {
        self.state_trouble.as_ref()
    }
}

/// What the load saw, for recording.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) root: PathBuf,
    pub(super) state_dir: PathBuf,
    pub(super) profile: String,
    pub(super) partial: bool,
    pub(super) request: [u8; 32],
    pub(super) invocation: Option<[u8; 32]>,
    pub(super) days: (Date, Date),
    pub(super) clock: FileClock,
    pub(super) threads: NonZeroUsize,
    /// Folders never entered.
    pub(super) closed: BTreeSet<RepoPath>,
    pub(super) folders: Vec<FoundFolder>,
    /// Files that the scan depends on, by path.
    pub(super) files: Vec<(RepoPath, Stamp)>,
    /// What led to the request: manifests, interpreters.
    pub(super) watches: Vec<Watch>,
    /// What the scan looked at outside of the folders that it listed.
    pub(super) scan_watches: Vec<Watch>,
    /// Folders of output trees.
    pub(super) trees: Vec<(PathBuf, Stamp)>,
    /// Stamps of the outputs of `inputs.records`, in their order.
    pub(super) stamps: Vec<Option<Stamp>>,
    /// Some of them are not those on disk.
    pub(super) stamps_refreshed: bool,
    /// Records that this load says nothing about.
    pub(super) untouched: Vec<StoredRecord>,
}

/// Loads.
pub fn load(request: Request<'_>) -> Result<Loaded, LoadError> {
    let (workspace, profile) = (request.workspace, request.profile);
    let selected = select(workspace, request.packages)?;
    let partial = !request.packages.is_empty();
    let (layout, targets) = targets(&request)?;
    let mut allowances = Allowances::new(&workspace.allowances, request.today)
        .map_err(|error| LoadErrorKind::Glob { owner: "allow-failure".to_owned(), error })?;
    let members = member_rules(workspace)?;

    let key = request_digest(&request);
    let settled_path = index::file_name(&request.state_dir, &profile.name, partial);
    let depth = request.depth;
    let other_invocation = std::cell::Cell::new(false);
    let settled = index::check(
        &settled_path,
        &workspace.root,
        request.today,
        depth,
        request.threads,
        |state| {
            other_invocation.set(state.invocation != request.invocation);
            state.request == key
        },
    );
    if let Some(summary) = settled {
        if let Some(invocation) = request.invocation
            && other_invocation.get()
            && let Ok(clock) = file_clock(&request.state_dir, &workspace.root)
        {
            // A state that cannot be written costs the next no-op the reading of the manifests.
            let _ = index::adopt(&settled_path, invocation, clock.long_before());
        }
        return Ok(Loaded::Settled(summary));
    }

    let root = open_folder(&workspace.root)
        .map_err(|error| LoadErrorKind::Root { path: workspace.root.clone(), error })?;
    let mut state_trouble = index::prepare_state(&request.state_dir).err();
    // Before any stamp is taken: what changes from here on must show.
    let clock = file_clock(&request.state_dir, &workspace.root).unwrap_or_default();
    let watches = watches(&request);
    let mut scan_watches = watches_above(&workspace.root);

    let closed = closed_folders(&request);
    let walk = WalkRequest {
        root: root.as_fd(),
        root_path: &workspace.root,
        members: &members,
        selected: &selected,
        closed: &closed,
        wanted: Wanted::Caches { legacy: layout == Layout::Legacy },
        stamps: true,
        threads: request.threads,
    };
    let mut scan = scan::walk(&walk);
    let Hashes { contents, stamps, source_hashes, trouble } =
        hash_sources(root.as_fd(), &request, clock, &members, &selected, &mut scan);
    state_trouble = state_trouble.or(trouble);

    let mut inputs = Inputs {
        members: workspace.members.iter().map(|member| member.name.clone()).collect(),
        targets,
        canonical_form: CANONICAL_FORM_VERSION,
        ..Inputs::default()
    };
    for (file, content) in scan.files.iter().zip(&contents) {
        let Some((content, kind)) = *content else { continue };
        let at = file.member as usize;
        let (Some(rules), Some(member)) = (members.get(at), workspace.members.get(at)) else {
            continue;
        };
        let import_root = rules.import_root(&file.path);
        let (policy, map) = (profile.recorded_path, &profile.path_prefix_map);
        inputs.sources.push(Source {
            path: file.path.clone(),
            member: file.member,
            import_root: import_root.clone(),
            content,
            kind,
            recorded_path: lower::recorded_path(&file.path, member, import_root, policy, map),
            allowance: allowances.find(&file.path),
        });
    }
    if inputs.sources.is_empty() && scan.problems.is_empty() {
        return Err(nothing_python(workspace, &members, &selected));
    }
    inputs.problems.clone_from(&workspace.problems);
    inputs.problems.append(&mut scan.problems);
    let mut two = two_sources(inputs.sources.iter().map(|source| &source.path));
    inputs.problems.append(&mut two);
    inputs.problems.extend(allowances.problems(!partial));
    inputs.skipped = std::mem::take(&mut scan.skipped);
    inputs.out_of_scope = std::mem::take(&mut scan.out_of_scope);

    let roots = lower::roots(&workspace.root, &profile.layout);
    let Caches { roots, stamps: output_stamps, refreshed, untouched, trees } =
        observe_caches(&request, roots, &members, &selected, &mut scan, &mut inputs)?;

    let mut files: Vec<(RepoPath, Stamp)> =
        scan.files.iter().zip(stamps).map(|(file, stamp)| (file.path.clone(), stamp)).collect();
    for folder in &scan.folders {
        if let Some(stamp) = &folder.ignore_file {
            files.push((folder.path.join(b".gitignore"), **stamp));
        }
    }
    files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    scan_watches
        .extend(scan.watched.iter().map(|path| Watch::take(absolute(&workspace.root, path))));
    let memory = Memory {
        root: workspace.root.clone(),
        state_dir: request.state_dir,
        profile: profile.name.clone(),
        partial,
        request: key,
        invocation: request.invocation,
        days: allowances.days,
        clock,
        threads: request.threads,
        closed,
        folders: scan.folders,
        files,
        watches,
        scan_watches,
        trees,
        stamps: output_stamps,
        stamps_refreshed: refreshed,
        untouched,
    };
    let interpreters = request.interpreters;
    Ok(Loaded::Open(Box::new(LoadedInputs {
        inputs,
        roots,
        interpreters,
        state_trouble,
        source_hashes,
        memory,
    })))
}

pub(crate) fn open_folder(path: &Path) -> std::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Which members are meant; none means all.
pub(crate) fn select(workspace: &Workspace, packages: &[String]) -> Result<Vec<bool>, LoadError> {
    for name in packages {
        if !workspace.members.iter().any(|member| member.name == *name) {
            let nearest = workspace
                .members
                .iter()
                .map(|member| (strsim::damerau_levenshtein(name, &member.name), &member.name))
                .filter(|(distance, _)| *distance <= name.chars().count().div_ceil(3))
                .min()
                .map(|(_, name)| name.clone());
            return Err(LoadErrorKind::UnknownPackage { name: name.clone(), nearest }.into());
        }
    }
    let is_selected = |name: &String| packages.is_empty() || packages.contains(name);
    Ok(workspace.members.iter().map(|member| is_selected(&member.name)).collect())
}

pub(crate) fn member_rules(workspace: &Workspace) -> Result<Vec<MemberRules>, LoadError> {
    workspace
        .members
        .iter()
        .map(|member| {
            MemberRules::new(member).map_err(|error| {
                let owner = format!("member `{}`", member.name);
                LoadErrorKind::Glob { owner, error }.into()
            })
        })
        .collect()
}

fn targets(request: &Request<'_>) -> Result<(Layout, Vec<Target>), LoadError> {
    let (workspace, profile) = (request.workspace, request.profile);
    let layout = lower::layout(&workspace.root, &profile.layout).ok_or_else(|| {
        let path = match &profile.layout {
            crate::LayoutSetting::Prefix { deploy_root: Some(path), .. } => path.clone(),
            _ => workspace.root.clone(),
        };
        LoadErrorKind::DeployRoot { path }
    })?;
    let mut distinct: Vec<Interpreter> = Vec::new();
    for interpreter in &request.interpreters {
        if !distinct.iter().any(|other| other.toolchain == interpreter.toolchain) {
            distinct.push(interpreter.clone());
        }
    }
    let targets = lower::targets(profile, &distinct, &layout);
    if targets.is_empty() {
        return Err(LoadErrorKind::NoInterpreter.into());
    }
    let name = |target: &Target| match layout {
        Layout::Pycache | Layout::Prefix { .. } => {
            bytekiln_python::cache_file_name(b"m", &target.toolchain.cache_tag, target.level)
        }
        Layout::Legacy | Layout::Sourceless { .. } => bytekiln_python::legacy_file_name(b"m"),
    };
    for (at, target) in targets.iter().enumerate() {
        let output = name(target);
        if let Some(other) = targets.iter().take(at).find(|other| name(other) == output) {
            let label =
                |target: &Target| format!("{} at level {}", target.toolchain.label(), target.level);
            return Err(LoadErrorKind::CollidingTargets {
                first: label(other),
                second: label(target),
                output: String::from_utf8_lossy(&output).into_owned(),
            }
            .into());
        }
    }
    Ok((layout, targets))
}

/// Folders never entered.
fn closed_folders(request: &Request<'_>) -> BTreeSet<RepoPath> {
    lower::closed_folders(request.workspace, [request.profile], &request.state_dir)
}

/// What this load depends on outside of the scanned folders.
fn watches(request: &Request<'_>) -> Vec<Watch> {
    let mut watches: Vec<Watch> =
        request.workspace.watched.iter().map(|path| Watch::take(path.clone())).collect();
    for interpreter in &request.interpreters {
        watches.extend(interpreter.evidence.iter().cloned());
    }
    watches
}

/// The `.gitignore` files of a git repository that the workspace is part of, wherever they may be.
pub(crate) fn watches_above(root: &Path) -> Vec<Watch> {
    root.ancestors()
        .flat_map(|folder| [folder.join(".git"), folder.join(".gitignore")])
        // The workspace's own is a file of the scan, and git changes its folder all the time.
        .filter(|path| *path != root.join(".gitignore"))
        .map(Watch::presence_or_stamp)
        .collect()
}

fn nothing_python(workspace: &Workspace, members: &[MemberRules], selected: &[bool]) -> LoadError {
    let mut folders: Vec<PathBuf> = members
        .iter()
        .zip(selected)
        .filter(|(_, selected)| **selected)
        .flat_map(|(member, _)| member.starts())
        .map(|start| absolute(&workspace.root, &start))
        .collect();
    if folders.is_empty() {
        folders.push(workspace.root.clone());
    }
    LoadErrorKind::NothingPython { folders }.into()
}

/// Everything of the request that the inputs depend on, except what is watched by stamp.
fn request_digest(request: &Request<'_>) -> [u8; 32] {
    let mut out = index::Writer::default();
    out.string(env!("CARGO_PKG_VERSION").as_bytes());
    out.u32(CANONICAL_FORM_VERSION);
    out.string(bytes(&request.workspace.root));
    out.string(bytes(&request.state_dir));
    // These are plain values; their debug form names every field and is the same for equal values.
    out.string(format!("{:?}", request.workspace.members).as_bytes());
    out.string(format!("{:?}", request.workspace.allowances).as_bytes());
    out.string(format!("{:?}", request.workspace.problems).as_bytes());
    out.string(format!("{:?}", request.profile).as_bytes());
    out.string(format!("{:?}", request.packages).as_bytes());
    out.string(format!("{:?}", closed_folders(request)).as_bytes());
    for interpreter in &request.interpreters {
        out.string(bytes(&interpreter.executable));
        out.fixed(&interpreter.toolchain.digest().0);
    }
    Digest::of(&out.bytes).hash
}
