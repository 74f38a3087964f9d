//! Which files are a member's: its folders, its globs, and the folders that are passed over
//! whoever asks. Knows paths only, no file system.

use bytekiln_action::RepoPath;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::Member;

/// A glob that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobError {
    /// As written.
    pub glob: String,
    /// What is wrong with it.
    pub message: String,
}

/// Globs of one list, in the order of the list.
#[derive(Debug)]
struct Globs {
    written: Vec<String>,
    set: GlobSet,
    /// Position in `written` of each member of `set`.
    origin: Vec<usize>,
}

impl Globs {
    fn new(written: &[String]) -> Result<Globs, GlobError> {
        let mut builder = GlobSetBuilder::new();
        let mut origin = Vec::new();
        for (at, glob) in written.iter().enumerate() {
            let trimmed = glob.trim_start_matches("./").trim_end_matches('/');
            // `tests` and `tests/**` both mean the folder and all below it.
            let trunk = trimmed.strip_suffix("/**").unwrap_or(trimmed);
            for text in [trunk.to_owned(), format!("{trunk}/**")] {
                builder.add(compile(&text)?);
                origin.push(at);
            }
        }
        let set = builder
            .build()
            .map_err(|error| GlobError { glob: written.join(", "), message: error.to_string() })?;
        Ok(Globs { written: written.to_vec(), set, origin })
    }

    fn find(&self, path: &[u8]) -> Option<&str> {
        if self.written.is_empty() {
            return None;
        }
        let path = std::path::Path::new(
            <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path),
        );
        let first = self.set.matches(path).into_iter().min()?;
        self.written.get(*self.origin.get(first)?).map(String::as_str)
    }
}

/// A glob over whole paths: `*` stays within a component, `**` crosses them.
pub(crate) fn compile(glob: &str) -> Result<Glob, GlobError> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|error| GlobError { glob: glob.to_owned(), message: error.kind().to_string() })
}

/// A member, ready to be asked about paths below the workspace.
#[derive(Debug)]
pub(crate) struct MemberRules {
    folder: RepoPath,
    include: Globs,
    exclude: Globs,
    /// For each include glob the components before its first wildcard.
    literal: Vec<RepoPath>,
    import_roots: Vec<RepoPath>,
}

/// What a member says of a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scope<'a> {
    /// It is in.
    In,
    /// Not mentioned by the include globs.
    NotIncluded,
    /// Excluded by this glob.
    Excluded(&'a str),
}

impl MemberRules {
    pub(crate) fn new(member: &Member) -> Result<MemberRules, GlobError> {
        let literal = member.include.iter().map(|glob| member.path.join(&literal_prefix(glob)));
        let mut import_roots = member.import_roots.clone();
        // The deepest comes first.
        import_roots.sort_by(|a, b| b.as_bytes().len().cmp(&a.as_bytes().len()).then(a.cmp(b)));
        Ok(MemberRules {
            folder: member.path.clone(),
            include: Globs::new(&member.include)?,
            exclude: Globs::new(&member.exclude)?,
            literal: literal.collect(),
            import_roots,
        })
    }

    /// The folders at which to begin, none within another.
    pub(crate) fn starts(&self) -> Vec<RepoPath> {
        let mut starts: Vec<RepoPath> = self.import_roots.clone();
        starts.push(self.folder.clone());
        starts.sort();
        starts.dedup();
        let all = starts.clone();
        starts.retain(|start| {
            !all.iter().any(|other| other != start && start.strip_prefix(other).is_some())
        });
        starts
    }

    fn has_no_globs(&self) -> bool {
        self.include.written.is_empty() && self.exclude.written.is_empty()
    }

    /// About a file.
    pub(crate) fn file(&self, path: &RepoPath) -> Scope<'_> {
        if self.has_no_globs() {
            return Scope::In;
        }
        let Some(relative) = path.strip_prefix(&self.folder) else { return Scope::In };
        if let Some(glob) = self.exclude.find(relative.as_bytes()) {
            return Scope::Excluded(glob);
        }
        if self.include.written.is_empty() || self.include.find(relative.as_bytes()).is_some() {
            Scope::In
        } else {
            Scope::NotIncluded
        }
    }

    /// About a folder: whether anything below it may be in.
    pub(crate) fn folder(&self, path: &RepoPath) -> Scope<'_> {
        if self.has_no_globs() {
            return Scope::In;
        }
        let Some(relative) = path.strip_prefix(&self.folder) else { return Scope::In };
        if let Some(glob) = self.exclude.find(relative.as_bytes()) {
            return Scope::Excluded(glob);
        }
        let leads = self.literal.is_empty()
            || self.literal.iter().any(|literal| {
                literal.strip_prefix(path).is_some() || path.strip_prefix(literal).is_some()
            });
        if leads { Scope::In } else { Scope::NotIncluded }
    }

    /// Whether an include glob names this folder, or one below it, in plain letters; then it is
    /// entered though it is hidden, a virtual environment or the like.
    pub(crate) fn names(&self, path: &RepoPath) -> bool {
        self.literal.iter().any(|literal| literal.strip_prefix(path).is_some())
            || self.import_roots.iter().any(|root| root.strip_prefix(path).is_some())
    }

    /// The import root that this file is imported through: the deepest that holds it.
    pub(crate) fn import_root(&self, path: &RepoPath) -> &RepoPath {
        self.import_roots
            .iter()
            .find(|root| path.strip_prefix(root).is_some())
            .unwrap_or(&self.folder)
    }

    /// How closely the member holds this path: length of the folder of its that does.
    pub(crate) fn closeness(&self, path: &RepoPath) -> Option<usize> {
        std::iter::once(&self.folder)
            .chain(&self.import_roots)
            .filter(|folder| path.strip_prefix(folder).is_some())
            .map(|folder| folder.as_bytes().len())
            .max()
    }

    /// The member's folder.
    pub(crate) fn path(&self) -> &RepoPath {
        &self.folder
    }
}

fn literal_prefix(glob: &str) -> Vec<u8> {
    let glob = glob.trim_start_matches("./").trim_end_matches('/');
    let mut kept: Vec<&str> = Vec::new();
    for component in glob.split('/') {
        if component.contains(['*', '?', '[', '{', '\\']) || component.is_empty() {
            break;
        }
        kept.push(component);
    }
    kept.join("/").into_bytes()
}

/// Folders that hold no sources of a workspace.
pub(crate) fn is_passed_over(name: &[u8]) -> bool {
    name.starts_with(b".") || name == b"node_modules"
}
