//! What members hold beside their sources: all files that can be shipped, with the same rules for what
//! is in scope as a build has. Knows nothing of what is in them, nor of where they will lie.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use bytekiln_action::{RecordedPath, RepoPath};
use bytekiln_planner::{Problem, Skipped};

use crate::load::{
    LoadError, LoadErrorKind, drop_claimed_twice, member_rules, open_folder, select,
};
use crate::lower;
use crate::path::below;
use crate::scan::{self, FileKind, WalkRequest, Wanted};
use crate::{Profile, Workspace};

/// What the name of a statement of origin has after the name of what it is about.
pub const STATEMENT_SUFFIX: &str = ".intoto.json";

/// A file of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFile {
    /// Below the workspace.
    pub path: RepoPath,
    /// Index into the members of the workspace.
    pub member: u32,
    /// The folder that stands on `sys.path` for it.
    pub import_root: RepoPath,
    /// It has the suffix of a Python source.
    pub is_python: bool,
    /// Its owner may run it.
    pub executable: bool,
}

/// What members hold, by path.
#[derive(Debug, Default)]
pub struct Contents {
    /// The files. A link to a file of the workspace is a file of its own.
    pub files: Vec<ContentFile>,
    /// What is in scope and no file, and what globs keep out.
    pub skipped: Vec<Skipped>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
}

/// Lists the files of these members; none means all. Hidden ones, bytecode, what `.gitignore` names, and
/// what Bytekiln itself made are left out; so are `others`, absolute files and folders: what was packed
/// elsewhere, and what is installed. The statement beside something that was packed goes with it.
///
/// # Errors
/// The workspace cannot be opened, there is no such member, or a glob is none.
pub fn list_contents(
    workspace: &Workspace,
    members: &[String],
    others: &[PathBuf],
    state_dir: &Path,
    threads: NonZeroUsize,
) -> Result<Contents, LoadError> {
    let selected = select(workspace, members)?;
    let rules = member_rules(workspace)?;
    let root = open_folder(&workspace.root)
        .map_err(|error| LoadErrorKind::Root { path: workspace.root.clone(), error })?;
    let mut closed = lower::closed_folders(workspace, [], state_dir);
    closed.extend(
        others
            .iter()
            .filter_map(|path| below(&workspace.root, path))
            .filter(|path| !path.is_root()),
    );
    let mut scan = scan::walk(&WalkRequest {
        root: root.as_fd(),
        root_path: &workspace.root,
        members: &rules,
        selected: &selected,
        closed: &closed,
        wanted: Wanted::Contents,
        stamps: true,
        threads,
    });
    let mut twice =
        drop_claimed_twice(workspace, &mut scan.files, |file| (&file.path, file.member));
    scan.problems.append(&mut twice);
    let mut files: Vec<ContentFile> = Vec::with_capacity(scan.files.len());
    for file in scan.files {
        let Some(rules) = rules.get(file.member as usize) else { continue };
        // Those that are folders were not looked into.
        if closed.contains(&file.path) || states_origin(&file.path, &closed) {
            continue;
        }
        files.push(ContentFile {
            import_root: rules.import_root(&file.path).clone(),
            member: file.member,
            is_python: matches!(file.kind, FileKind::Source(_)),
            executable: file.stamp.is_executable(),
            path: file.path,
        });
    }
    Ok(Contents { files, skipped: scan.skipped, problems: scan.problems })
}

/// `NAME.intoto.json` beside `NAME`.
fn states_origin(path: &RepoPath, packed: &BTreeSet<RepoPath>) -> bool {
    let of = path.as_bytes().strip_suffix(STATEMENT_SUFFIX.as_bytes());
    of.and_then(RepoPath::new).is_some_and(|of| packed.contains(&of))
}

/// What `co_filename` is to say of a source, as the profile wants it.
pub fn recorded_path(workspace: &Workspace, profile: &Profile, file: &ContentFile) -> RecordedPath {
    let (policy, map) = (profile.recorded_path, &profile.path_prefix_map);
    match workspace.members.get(file.member as usize) {
        Some(member) => lower::recorded_path(&file.path, member, &file.import_root, policy, map),
        None => RecordedPath::from_file_system(file.path.as_bytes()),
    }
}
