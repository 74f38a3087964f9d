//! A statement of where an artifact came from (`docs/provenance.md`), held against the artifact and against
//! the sources of the workspace. Reads and hashes; compiles nothing. Knows nothing of signatures.

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{Artifact, EntryKind, OpenOptions, digest_file};
use serde_json::Value;

use crate::commands::pack::provenance::{BUILD_TYPE, PREDICATE, STATEMENT, folder_digest, hex};
use crate::commands::parallel;
use crate::failure::CommandFailure;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};

/// More than so many are counted.
const MOST_NAMED: usize = 10;

/// A statement, read.
struct Statement {
    path: PathBuf,
    value: Value,
}

/// What came of it.
pub(super) struct Attested {
    /// What the caches lie in: the artifact, or the layers of an image. None where nothing in it can be
    /// verified further.
    pub(super) paths: Vec<PathBuf>,
    /// Everything that could be compared is the same.
    pub(super) holds: bool,
}

/// Compares. `root` is the workspace whose sources are meant.
pub(super) fn check(
    statement: &Path,
    artifact: &Path,
    shown: &Path,
    root: &Path,
    jobs: NonZeroUsize,
    terminal: &Terminal,
) -> Result<Attested, CommandFailure> {
    let statement = Statement::read(statement)?;
    let subjects = statement.subjects()?;
    let (paths, wrong) = compare_subjects(&statement, &subjects, artifact, jobs)?;
    for message in &wrong {
        terminal.error(message);
    }
    if wrong.is_empty() {
        let what = subjects.first().map(|(_, kind, hash)| format!("{kind}:{hash}"));
        let message = format!("{} is {}", shown.display(), what.unwrap_or_default());
        terminal.status("Attested", message);
    }
    let sources_hold = compare_sources(&statement, root, jobs, terminal)?;
    Ok(Attested { paths, holds: wrong.is_empty() && sources_hold })
}

impl Statement {
    fn read(path: &Path) -> Result<Statement, CommandFailure> {
        let fail = |what: String| {
            CommandFailure::usage(format!("`{}` {what}", path.display()))
                .hint("name the statement that `pack --provenance` wrote, NAME.intoto.json")
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| fail(format!("cannot be read: {error}")))?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| fail(format!("is no JSON document: {error}")))?;
        let statement = Statement { path: path.to_owned(), value };
        for (pointer, wanted) in [
            ("/_type", STATEMENT),
            ("/predicateType", PREDICATE),
            ("/predicate/buildDefinition/buildType", BUILD_TYPE),
        ] {
            let found = statement.value.pointer(pointer).and_then(Value::as_str);
            if found != Some(wanted) {
                let found = found.map_or("nothing".to_owned(), |found| format!("`{found}`"));
                return Err(fail(format!("has {found} as `{pointer}`, not `{wanted}`")));
            }
        }
        Ok(statement)
    }

    fn broken(&self, what: &str) -> CommandFailure {
        CommandFailure::usage(format!("`{}`: {what}", self.path.display()))
    }

    /// Name, kind of digest and digest of each subject.
    fn subjects(&self) -> Result<Vec<(String, String, String)>, CommandFailure> {
        let subjects = self.value.pointer("/subject").and_then(Value::as_array);
        let read = subjects.into_iter().flatten().map(|subject| {
            let name = subject.get("name")?.as_str()?;
            let (kind, hash) = subject.get("digest")?.as_object()?.iter().next()?;
            Some((name.to_owned(), kind.clone(), hash.as_str()?.to_owned()))
        });
        let read: Option<Vec<_>> = read.collect();
        read.filter(|read| !read.is_empty()).ok_or_else(|| self.broken("it has no subjects"))
    }

    /// Folder, path and SHA-256 of each material of this origin.
    fn materials(&self, origin: &str) -> Result<Vec<Material>, CommandFailure> {
        let all = self.value.pointer("/predicate/buildDefinition/resolvedDependencies");
        let all = all.and_then(Value::as_array).into_iter().flatten();
        let of_origin = all.filter(|one| {
            one.pointer("/annotations/origin").and_then(Value::as_str) == Some(origin)
        });
        let read = of_origin.map(|one| {
            let folder = one.pointer("/annotations/folder").and_then(Value::as_str);
            Some(Material {
                folder: folder.unwrap_or_default().to_owned(),
                path: RepoPath::parse_display(one.get("name")?.as_str()?)?,
                stated: one.pointer("/digest/sha256")?.as_str()?.to_owned(),
            })
        });
        let read: Option<Vec<_>> = read.collect();
        read.ok_or_else(|| self.broken("a material has no name or no digest"))
    }
}

/// Something that went in.
struct Material {
    /// Below the workspace; empty for the workspace itself.
    folder: String,
    path: RepoPath,
    stated: String,
}

/// Where to look further, and what is not as stated.
fn compare_subjects(
    statement: &Statement,
    subjects: &[(String, String, String)],
    artifact: &Path,
    jobs: NonZeroUsize,
) -> Result<(Vec<PathBuf>, Vec<String>), CommandFailure> {
    let shown = artifact.display();
    let (mut paths, mut wrong) = (Vec::new(), Vec::new());
    let is_image = artifact.join("oci-layout").is_file();
    for (name, kind, stated) in subjects {
        let found = match kind.as_str() {
            "dirHash" => folder(artifact, jobs)?,
            "sha256" if is_image => {
                let blob = artifact.join("blobs/sha256").join(stated);
                if name.contains('#') {
                    paths.push(blob.clone());
                }
                match digest_file(&blob) {
                    Ok(digest) => hex(&digest),
                    Err(_) => "not there".to_owned(),
                }
            }
            "sha256" => hex(&file(artifact)?),
            other => return Err(statement.broken(&format!("a digest `{other}` is not known"))),
        };
        if found != *stated {
            let what =
                if is_image { format!("`{name}` of `{shown}`") } else { format!("`{shown}`") };
            wrong.push(format!("{what} is not what was attested: {kind} {found}, not {stated}"));
        }
    }
    if !is_image && (artifact.is_dir() || Artifact::open(artifact, &OpenOptions::new(jobs)).is_ok())
    {
        paths.push(artifact.to_owned());
    }
    Ok((paths, wrong))
}

fn file(path: &Path) -> Result<Digest, CommandFailure> {
    digest_file(path).map_err(|error| CommandFailure::usage(&error))
}

/// The digest of a folder's files.
fn folder(path: &Path, jobs: NonZeroUsize) -> Result<String, CommandFailure> {
    let artifact = Artifact::open(path, &OpenOptions::new(jobs))
        .map_err(|error| CommandFailure::artifact(&error))?;
    let files: Vec<&RepoPath> = artifact
        .entries()
        .iter()
        .filter(|entry| entry.kind == EntryKind::File)
        .map(|entry| &entry.path)
        .collect();
    let digests = parallel::map(&files, jobs, |file| {
        digest_file(&path.join(std::ffi::OsStr::from_bytes(file.as_bytes())))
    });
    let digests = digests.into_iter().collect::<Result<Vec<_>, _>>();
    let digests = digests.map_err(|error| CommandFailure::failure(&error))?;
    Ok(hex(&folder_digest(files.into_iter().zip(&digests))))
}

/// Whether the sources are those that the statement names; says which are not. Dependencies are compared
/// where their folder is there.
fn compare_sources(
    statement: &Statement,
    root: &Path,
    jobs: NonZeroUsize,
    terminal: &Terminal,
) -> Result<bool, CommandFailure> {
    let mut materials = statement.materials("workspace")?;
    let own = materials.len();
    let (there, gone): (Vec<Material>, Vec<Material>) = statement
        .materials("dependency")?
        .into_iter()
        .partition(|one| !one.folder.is_empty() && root.join(&one.folder).is_dir());
    let others = gone.len() + statement.materials("wheel")?.len();
    let dependencies = there.len();
    materials.extend(there);
    let wrong = parallel::map(&materials, jobs, |material| {
        let path =
            Path::new(&material.folder).join(std::ffi::OsStr::from_bytes(material.path.as_bytes()));
        match digest_file(&root.join(&path)) {
            Ok(digest) if hex(&digest) == material.stated => None,
            Ok(_) => Some(format!("`{}` is not the source that was packed", path.display())),
            Err(_) => Some(format!("`{}` was packed, and is not there to be read", path.display())),
        }
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    for message in wrong.iter().take(MOST_NAMED) {
        terminal.error(message);
    }
    if wrong.len() > MOST_NAMED {
        terminal.error(format!("{} more sources are not as packed", wrong.len() - MOST_NAMED));
    }
    if wrong.is_empty() && !materials.is_empty() {
        let more = match dependencies {
            0 => String::new(),
            count => format!(" and {count} of dependencies"),
        };
        let (files, are) = (plural(own, "file", "files"), plural(materials.len(), "is", "are"));
        let message = format!("{own} {files} of the workspace{more} {are} as packed");
        terminal.status("Sources", message);
    }
    if others > 0 {
        let files = plural(others, "file", "files");
        let message = format!("{others} {files} that went in and do not lie in the workspace");
        terminal.status_in(Tone::Note, "Not compared", message);
    }
    Ok(wrong.is_empty())
}
