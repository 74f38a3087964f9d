//! What may be in an artifact: files of members and of folders with installed packages, each with its
//! place, its digest and what has to be known of its text. Knows nothing of what is chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytekiln_action::{Digest, RecordedPath, RepoPath};
use bytekiln_artifact::{Artifact, EntryKind, OpenOptions, Record, digest_file, read_file};
use bytekiln_assembly::{
    FileKind, LeftOut, SourceUse, TreeFile, arrange, compile_cost, is_module, source_uses,
};
use bytekiln_planner::{Problem, Severity, Skipped};
use bytekiln_project::{
    Arrangement, ArtifactRule, PathGlobs, Profile, SourcelessPart, SourcelessRule, Workspace,
    list_contents, recorded_path,
};

use crate::commands::parallel;
use crate::failure::CommandFailure;

/// A file that may be in the artifact.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Below the folder of the artifact in which everything lies.
    pub(super) place: RepoPath,
    pub(super) kind: FileKind,
    pub(super) bytes: Bytes,
    pub(super) digest: Digest,
    /// Of the file on the disk, which is another one where it was changed on the way.
    pub(super) on_disk: Digest,
    pub(super) executable: bool,
    /// What `co_filename` is to say, of modules.
    pub(super) recorded_path: RecordedPath,
    pub(super) home: Home,
    /// What compiling it costs, in tokens; 0 of what is no module.
    pub(super) cost: u64,
    /// What it does with sources, of modules.
    pub(super) uses: Vec<(u32, SourceUse)>,
}

/// Where the bytes of a candidate are.
#[derive(Debug, Clone)]
pub(super) enum Bytes {
    /// In this file.
    Disk(PathBuf),
    /// Here: it was made, or changed on the way.
    Made(Arc<[u8]>),
}

/// Where a candidate comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// A member of the workspace, by index, and the path below the workspace.
    Member(u32, RepoPath),
    /// A folder of installed packages, by index, and the path below it.
    Installed(usize, RepoPath),
    /// It was made here.
    Made,
}

impl Home {
    /// The tree that a file comes from: 0 the workspace, then the folders of installed packages.
    pub(super) fn tree(&self) -> usize {
        match self {
            Home::Member(..) | Home::Made => 0,
            Home::Installed(folder, _) => folder + 1,
        }
    }
}

impl Candidate {
    /// Which file it is, for people and as the name of a compilation.
    pub(super) fn name(&self, dependencies: &[PathBuf]) -> RepoPath {
        match &self.home {
            Home::Member(_, path) => path.clone(),
            Home::Installed(folder, path) => {
                let folder = dependencies.get(*folder).and_then(|folder| folder.file_name());
                let folder = folder.map(OsStr::as_bytes).unwrap_or_default();
                RepoPath::new(folder).unwrap_or_default().join(path.as_bytes())
            }
            Home::Made => self.place.clone(),
        }
    }

    /// Reads it again.
    pub(super) fn read(&self) -> Result<Arc<[u8]>, String> {
        match &self.bytes {
            Bytes::Made(bytes) => Ok(Arc::clone(bytes)),
            Bytes::Disk(path) => read_file(path, OpenOptions::MAX_FILE_BYTES)
                .map(|file| file.bytes.into())
                .map_err(|error| error.to_string()),
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By place.
    pub(super) candidates: Vec<Candidate>,
    /// How many files stay out, and why, in words.
    pub(super) left_out: BTreeMap<&'static str, usize>,
    pub(super) problems: Vec<Problem>,
}

/// A file that was listed and not read.
struct Listed {
    place: RepoPath,
    path: PathBuf,
    kind: FileKind,
    executable: bool,
    recorded_path: RecordedPath,
    home: Home,
}

/// Files at the top of installed packages that are about the environment they are installed in.
const OF_ENVIRONMENTS: &[&[u8]] = &[b".pth", b".egg-link"];
/// And those of a `.dist-info`.
const OF_INSTALLATIONS: &[&[u8]] = &[b"direct_url.json", b"INSTALLER", b"REQUESTED"];

/// What lies among members and is none of theirs.
pub(super) struct Others<'a> {
    /// What was packed, and what is installed.
    pub(super) paths: Vec<PathBuf>,
    pub(super) state_dir: &'a Path,
}

/// Looks for everything. `dependencies` are the folders that are entries of `sys.path`.
pub(super) fn gather(
    rule: &ArtifactRule,
    workspace: &Workspace,
    profile: &Profile,
    dependencies: &[PathBuf],
    others: &Others<'_>,
    jobs: NonZeroUsize,
) -> Result<Gathered, CommandFailure> {
    let mut gathered = Gathered::default();
    let mut listed = of_members(rule, workspace, profile, others, jobs, &mut gathered)?;
    for (number, folder) in dependencies.iter().enumerate() {
        of_dependency(rule, number, folder, jobs, &mut listed, &mut gathered)?;
    }
    let exclude = PathGlobs::new(rule.exclude.iter().map(String::as_str))
        .map_err(|error| CommandFailure::usage(format!("{}: `{}`", rule.place, error.glob)))?;
    for (glob, _) in unmatched(&rule.exclude, &exclude, listed.iter().map(|file| &file.place)) {
        gathered.problems.push(no_match(rule, "exclude", glob));
    }
    let before = listed.len();
    listed.retain(|file| !exclude.is_match(&file.place));
    leave_out(&mut gathered, "`exclude` names them", before - listed.len());
    let packages: BTreeSet<RepoPath> = listed
        .iter()
        .filter(|file| file.place.file_name() == b"__init__.py")
        .filter_map(|file| file.place.parent())
        .collect();
    for file in listed.iter_mut().filter(|file| file.kind == FileKind::Script) {
        if is_module(&file.place, |folder| packages.contains(folder)) {
            file.kind = FileKind::Module;
        }
    }
    let read = parallel::map(&listed, jobs, read);
    for (file, read) in listed.into_iter().zip(read) {
        match read {
            Ok(read) => gathered.candidates.push(candidate(file, read)),
            Err(message) => return Err(CommandFailure::failure(message)),
        }
    }
    gathered.candidates.sort_by(|a, b| (&a.place, &a.home).cmp(&(&b.place, &b.home)));
    check_source_globs(rule, &mut gathered)?;
    Ok(gathered)
}

/// Globs of a list that match none of these paths, with their positions.
pub(super) fn unmatched<'a, 'b>(
    globs: &'a [String],
    compiled: &PathGlobs,
    paths: impl Iterator<Item = &'b RepoPath>,
) -> Vec<(&'a str, usize)> {
    if globs.is_empty() {
        return Vec::new();
    }
    let used: BTreeSet<usize> = paths.flat_map(|path| compiled.matches(path)).collect();
    let all = globs.iter().enumerate().filter(|(position, _)| !used.contains(position));
    all.map(|(position, glob)| (glob.as_str(), position)).collect()
}

/// Globs of `sourceless` and `keep-source` have to mean something too.
fn check_source_globs(rule: &ArtifactRule, gathered: &mut Gathered) -> Result<(), CommandFailure> {
    let sourceless: Vec<String> = match &rule.sourceless {
        SourcelessRule::Some(parts) => parts
            .iter()
            .filter_map(|part| match part {
                SourcelessPart::Glob(glob) => Some(glob.clone()),
                SourcelessPart::Member(_) => None,
            })
            .collect(),
        SourcelessRule::Nothing | SourcelessRule::Everything => Vec::new(),
    };
    for (key, globs) in [("sourceless", &sourceless), ("keep-source", &rule.keep_source)] {
        let compiled = PathGlobs::new(globs.iter().map(String::as_str)).map_err(|error| {
            CommandFailure::usage(format!("{}: bad glob `{}`", rule.place, error.glob))
        })?;
        let places = gathered.candidates.iter().map(|candidate| &candidate.place);
        let problems: Vec<Problem> = unmatched(globs, &compiled, places)
            .into_iter()
            .map(|(glob, _)| no_match(rule, key, glob))
            .collect();
        gathered.problems.extend(problems);
    }
    Ok(())
}

/// A glob that does nothing is a mistake, or was right once.
pub(super) fn no_match(rule: &ArtifactRule, key: &str, glob: &str) -> Problem {
    Problem {
        severity: Severity::Warning,
        path: None,
        message: format!("{}: `{glob}` in `{key}` of `{}` matches nothing", rule.place, rule.name),
        hint: None,
    }
}

fn leave_out(gathered: &mut Gathered, why: &'static str, count: usize) {
    if count > 0 {
        *gathered.left_out.entry(why).or_default() += count;
    }
}

fn of_members(
    rule: &ArtifactRule,
    workspace: &Workspace,
    profile: &Profile,
    others: &Others<'_>,
    jobs: NonZeroUsize,
    gathered: &mut Gathered,
) -> Result<Vec<Listed>, CommandFailure> {
    let contents = list_contents(workspace, &rule.members, &others.paths, others.state_dir, jobs)
        .map_err(|error| CommandFailure::environment(&error))?;
    let unreadable = contents.problems.iter().find(|one| one.severity == Severity::Error);
    if let Some(problem) = unreadable {
        let path = problem.path.as_ref().map(|path| format!("`{path}`: ")).unwrap_or_default();
        return Err(CommandFailure::failure(format!("{path}{}", problem.message)));
    }
    gathered.problems.extend(contents.problems);
    for skipped in &contents.skipped {
        let why = match skipped {
            Skipped::Excluded { .. } => "the manifest excludes them",
            Skipped::LinkLeavesWorkspace { .. } => "they are links out of the workspace",
            Skipped::BrokenLink { .. } => "they are broken links",
            Skipped::LinkInsideWorkspace { .. } => "they are links to what has a name of its own",
            _ => continue,
        };
        leave_out(gathered, why, 1);
    }
    let files: Vec<TreeFile<'_>> = contents
        .files
        .iter()
        .map(|file| TreeFile {
            path: &file.path,
            import_root: &file.import_root,
            is_python: file.is_python,
        })
        .collect();
    let arrangement = match rule.arrangement {
        Arrangement::Flat => bytekiln_assembly::Arrangement::Flat,
        Arrangement::Workspace => bytekiln_assembly::Arrangement::AsIs,
    };
    let places = arrange(&files, arrangement);
    let mut listed = Vec::with_capacity(contents.files.len());
    for (file, place) in contents.files.iter().zip(places) {
        let place = match place {
            Ok(place) => place,
            Err(LeftOut::NoPackage) => {
                leave_out(gathered, "they lie in no package", 1);
                continue;
            }
            Err(LeftOut::OutsideImportRoot) => {
                leave_out(gathered, "they lie outside of import roots", 1);
                continue;
            }
        };
        listed.push(Listed {
            kind: kind_of(&place),
            place,
            path: workspace.root.join(OsStr::from_bytes(file.path.as_bytes())),
            executable: file.executable,
            recorded_path: recorded_path(workspace, profile, file),
            home: Home::Member(file.member, file.path.clone()),
        });
    }
    Ok(listed)
}

/// Everything in a folder of installed packages but bytecode, and what is about that environment.
fn of_dependency(
    rule: &ArtifactRule,
    number: usize,
    folder: &Path,
    jobs: NonZeroUsize,
    listed: &mut Vec<Listed>,
    gathered: &mut Gathered,
) -> Result<(), CommandFailure> {
    let artifact = Artifact::open(folder, &OpenOptions::new(jobs))
        .map_err(|error| CommandFailure::artifact(&error).hint(format!("see {}", rule.place)))?;
    let below = match rule.arrangement {
        Arrangement::Flat => RepoPath::default(),
        Arrangement::Workspace => RepoPath::new(b"site-packages").unwrap_or_default(),
    };
    // `pip install --target` puts programs there, with the interpreter's path in them.
    let is_program = |path: &[u8]| path.starts_with(b"bin/");
    let has_package =
        RepoPath::new(b"bin/__init__.py").is_some_and(|p| artifact.find(&p).is_some());
    let mut links = Vec::new();
    for entry in artifact.entries() {
        let bytes = entry.path.as_bytes();
        let is_made = bytes.ends_with(b".pyc") || bytes.ends_with(b".pyo");
        if is_made || entry.kind == EntryKind::Directory {
            continue;
        }
        if is_of_environment(bytes) || (is_program(bytes) && !has_package) {
            leave_out(gathered, "they are about the environment, not about the program", 1);
            continue;
        }
        let path = folder.join(OsStr::from_bytes(bytes));
        // Links are followed: uv can install so.
        let Some(metadata) = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)
        else {
            leave_out(gathered, "they are links to folders, or broken", 1);
            links.push(path);
            continue;
        };
        listed.push(Listed {
            place: below.join(bytes),
            kind: kind_of(&entry.path),
            executable: metadata.permissions().mode() & 0o100 != 0,
            recorded_path: RecordedPath::from_file_system(bytes),
            home: Home::Installed(number, entry.path.clone()),
            path,
        });
    }
    gathered.problems.extend(links_stay_out(&links));
    Ok(())
}

/// What is installed and not packed may be missed.
fn links_stay_out(links: &[PathBuf]) -> Option<Problem> {
    let (first, more) = links.split_first()?;
    let (and, verb) = match more.len() {
        0 => (String::new(), "is a link to a folder, or a broken one, and stays out"),
        more => (format!(" and {more} more"), "are links to folders, or broken ones, and stay out"),
    };
    Some(Problem {
        severity: Severity::Warning,
        path: None,
        message: format!("`{}`{and} {verb}", first.display()),
        hint: Some("install copies of packages: `--link-mode=copy` of uv does".to_owned()),
    })
}

/// Whether a file is about the machine or the environment that it is installed in. What has such a name in a
/// package is the package's: `.pth` is a suffix of weights, too.
fn is_of_environment(path: &[u8]) -> bool {
    match path.iter().position(|byte| *byte == b'/').map(|slash| path.split_at(slash)) {
        None => OF_ENVIRONMENTS.iter().any(|suffix| path.ends_with(suffix)),
        Some((folder, file)) => {
            folder.ends_with(b".dist-info")
                && file.strip_prefix(b"/").is_some_and(|file| OF_INSTALLATIONS.contains(&file))
        }
    }
}

fn kind_of(path: &RepoPath) -> FileKind {
    match path.file_name().strip_suffix(b".py") {
        Some(stem) if bytekiln_python::is_module_name(stem) => FileKind::Module,
        Some(_) => FileKind::Script,
        None => FileKind::Data,
    }
}

/// What reading a file gives.
struct Read {
    digest: Digest,
    on_disk: Digest,
    /// If it was changed.
    bytes: Option<Arc<[u8]>>,
    cost: u64,
    uses: Vec<(u32, SourceUse)>,
}

fn read(file: &Listed) -> Result<Read, String> {
    let is_record = matches!(file.home, Home::Installed(..))
        && file.place.as_bytes().ends_with(b".dist-info/RECORD");
    if file.kind == FileKind::Data && !is_record {
        let digest = digest_file(&file.path).map_err(|error| error.to_string())?;
        return Ok(Read { digest, on_disk: digest, bytes: None, cost: 0, uses: Vec::new() });
    }
    let read = read_file(&file.path, OpenOptions::MAX_FILE_BYTES);
    let bytes = read.map_err(|error| error.to_string())?.bytes;
    let is_module = file.kind == FileKind::Module;
    let on_disk = Digest::of(&bytes);
    if is_record && let Some(bytes) = portable_record(&bytes) {
        let digest = Digest::of(&bytes);
        return Ok(Read { digest, on_disk, bytes: Some(bytes), cost: 0, uses: Vec::new() });
    }
    Ok(Read {
        digest: on_disk,
        on_disk,
        bytes: None,
        cost: if is_module { compile_cost(&bytes) } else { 0 },
        uses: if is_module { source_uses(&bytes) } else { Vec::new() },
    })
}

/// A `RECORD` without bytecode, which the artifact has of its own, and without what lies outside of the
/// packages, such as programs that have the environment's path in them. `None`: nothing to take out.
fn portable_record(bytes: &[u8]) -> Option<Arc<[u8]>> {
    let mut record = Record::parse(bytes.to_vec()).ok()?;
    let gone = |path: &[u8]| {
        path.ends_with(b".pyc") || path.starts_with(b"../") || is_of_environment(path)
    };
    let rows: Vec<usize> =
        record.paths().enumerate().filter(|(_, path)| gone(path)).map(|(row, _)| row).collect();
    if rows.is_empty() {
        return None;
    }
    for row in rows {
        record.remove(row);
    }
    Some(record.to_bytes().into())
}

fn candidate(file: Listed, read: Read) -> Candidate {
    let Listed { place, path, kind, executable, recorded_path, home } = file;
    let Read { digest, on_disk, bytes, cost, uses } = read;
    let bytes = bytes.map_or(Bytes::Disk(path), Bytes::Made);
    Candidate { place, kind, bytes, digest, on_disk, executable, recorded_path, home, cost, uses }
}

/// A module that is made here.
pub(super) fn made(place: &[u8], text: String) -> Candidate {
    let bytes: Arc<[u8]> = text.into_bytes().into();
    Candidate {
        place: RepoPath::new(place).unwrap_or_default(),
        kind: FileKind::Module,
        digest: Digest::of(&bytes),
        on_disk: Digest::of(&bytes),
        cost: compile_cost(&bytes),
        bytes: Bytes::Made(bytes),
        executable: false,
        recorded_path: RecordedPath::from_file_system(place),
        home: Home::Made,
        uses: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_the_environment() {
        for (path, expected) in [
            ("a.pth", true),
            ("__editable__.a.egg-link", true),
            ("a-1.dist-info/INSTALLER", true),
            ("a-1.dist-info/direct_url.json", true),
            ("a-1.dist-info/RECORD", false),
            ("a-1.dist-info/licenses/INSTALLER", false),
            ("a/weights.pth", false),
            ("a/INSTALLER", false),
            ("INSTALLER", false),
        ] {
            assert_eq!(is_of_environment(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn records_without_the_environment() {
        let check = |record: &str, expected: Option<&str>| {
            let kept = portable_record(record.as_bytes());
            assert_eq!(kept.as_deref().map(String::from_utf8_lossy).as_deref(), expected);
        };
        check("a/m.py,sha256=x,1\na-1.dist-info/RECORD,,\n", None);
        check(
            "../../bin/a,,\na/m.py,sha256=x,1\na/__pycache__/m.cpython-311.pyc,,\na/x.pth,,\na-1.dist-info/REQUESTED,,\n",
            Some("a/m.py,sha256=x,1\na/x.pth,,\n"),
        );
        // What nobody understands stays as it is.
        check("\"a", None);
    }
}
