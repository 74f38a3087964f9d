//! What an edit changes: `workspace.members`, or `workspace.exclude` where a member is not listed
//! by its own name. Knows nothing of formatting.

use std::path::{Component, Path, PathBuf};

use bytekiln_action::RepoPath;
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::array;
use super::write::write_atomically;
use crate::discover::{as_path, matches_pattern, pattern_is_literal};
use crate::manifest::{ManifestFile, SettingsKind, WorkspaceError, nearest, read_if_there};
use crate::model::{Member, Workspace};

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The manifest that was, or would have been, written.
    pub manifest: PathBuf,
    /// What happened; where nothing had to, nothing was written.
    pub outcome: EditOutcome,
    /// A lower-case fragment without a period.
    pub message: String,
    /// More about it.
    pub hint: Option<String>,
}

/// How an edit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditOutcome {
    /// The folder is a member now.
    Added,
    /// It was one already.
    AlreadyMember,
    /// The member is none any more.
    Removed,
    /// There was none of this name or path.
    NoSuchMember,
}

/// Makes a folder (absolute, or relative to the workspace) a member.
///
/// Without a manifest a `bytekiln.toml` is made. Where members were found, not listed, those found
/// are listed too, because a list takes the place of the search.
///
/// # Errors
/// The folder is missing, no folder, a link, outside of the workspace or excluded by a pattern; or
/// the manifest cannot be read or written.
pub fn add_member(workspace: &Workspace, path: &Path) -> Result<Edit, WorkspaceError> {
    let folder = existing_folder(workspace, path)?;
    let mut manifest = Manifest::open(workspace)?;
    let done = |outcome, message, hint| Edit {
        manifest: manifest_path(workspace),
        outcome,
        message,
        hint,
    };
    if let Some(member) = workspace.members.iter().find(|member| member.path == folder) {
        let message = format!("`{folder}` is already a member, called `{}`", member.name);
        return Ok(done(EditOutcome::AlreadyMember, message, None));
    }
    for pattern in manifest.list("exclude") {
        let normal = normal(&pattern);
        if matches_pattern(&normal, &folder) && normal != folder.to_string() {
            return Err(WorkspaceError::of(
                manifest_path(workspace),
                format!("`{folder}` is excluded by `{pattern}` in `workspace.exclude`"),
                Some("change that pattern first".into()),
            ));
        }
    }
    manifest.drop_from("exclude", &folder);
    let mut hint = None;
    let listed = manifest.list("members");
    if !manifest.has("members") {
        let found: Vec<String> =
            workspace.members.iter().map(|member| member.path.to_string()).collect();
        if !found.is_empty() {
            hint =
                Some("the members found so far are listed too: a list replaces the search".into());
        }
        for path in found {
            manifest.push("members", &globset::escape(&path))?;
        }
    }
    if !listed.iter().any(|pattern| matches_whole(&normal(pattern), &folder)) {
        manifest.push("members", &globset::escape(&folder.to_string()))?;
    }
    manifest.save()?;
    let message = format!("added `{folder}` to `workspace.members` in `{}`", manifest.file_name());
    Ok(done(EditOutcome::Added, message, hint))
}

/// Makes a member (by path, absolute or relative to the workspace, or by name) none.
///
/// One listed by its path is taken from the list; one that a pattern matches, or that was found,
/// is excluded. What `[member.…]` said about it goes too.
///
/// # Errors
/// The workspace's own folder when it is not listed; a manifest that cannot be read or written.
pub fn remove_member(workspace: &Workspace, path: &Path) -> Result<Edit, WorkspaceError> {
    let mut manifest = Manifest::open(workspace)?;
    let done = |outcome, message, hint| Edit {
        manifest: manifest_path(workspace),
        outcome,
        message,
        hint,
    };
    let Some(member) = find(workspace, path) else {
        let asked = path.to_string_lossy();
        let names: Vec<String> = workspace
            .members
            .iter()
            .flat_map(|member| [member.path.to_string(), member.name.clone()])
            .collect();
        let message = match nearest(&asked, names.iter().map(String::as_str)) {
            Some(near) => format!("no such member `{asked}`; the nearest is `{near}`"),
            None => format!("no such member `{asked}`"),
        };
        return Ok(done(EditOutcome::NoSuchMember, message, None));
    };
    let name = manifest.file_name();
    manifest.drop_from("members", &member.path);
    let still = manifest
        .list("members")
        .iter()
        .any(|pattern| matches_whole(&normal(pattern), &member.path));
    let message = if still || !manifest.has("members") {
        if member.path.is_root() {
            return Err(WorkspaceError::of(
                manifest_path(workspace),
                "the workspace's own folder is a member without being listed".into(),
                Some("list the members that you want in `workspace.members`".into()),
            ));
        }
        manifest.push("exclude", &globset::escape(&member.path.to_string()))?;
        format!("added `{}` to `workspace.exclude` in `{name}`", member.path)
    } else {
        format!("removed `{}` from `workspace.members` in `{name}`", member.path)
    };
    let hint = manifest
        .drop_settings(member)
        .then(|| "its settings in `[member.…]` went with it".to_owned());
    manifest.save()?;
    Ok(done(EditOutcome::Removed, message, hint))
}

fn manifest_path(workspace: &Workspace) -> PathBuf {
    workspace.manifest.clone().unwrap_or_else(|| workspace.root.join("bytekiln.toml"))
}

fn find<'a>(workspace: &'a Workspace, path: &Path) -> Option<&'a Member> {
    let by_path = below(workspace, path)
        .and_then(|path| workspace.members.iter().find(|member| member.path == path));
    by_path.or_else(|| workspace.members.iter().find(|member| Some(&*member.name) == path.to_str()))
}

/// `path` below the workspace, `.` and `..` resolved by letter.
fn below(workspace: &Workspace, path: &Path) -> Option<RepoPath> {
    use std::os::unix::ffi::OsStrExt;
    let mut plain = PathBuf::new();
    for component in workspace.root.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    RepoPath::new(plain.strip_prefix(&workspace.root).ok()?.as_os_str().as_bytes())
}

fn existing_folder(workspace: &Workspace, path: &Path) -> Result<RepoPath, WorkspaceError> {
    let refuse = |message: &str, hint: Option<&str>| {
        WorkspaceError::of(path, message.to_owned(), hint.map(str::to_owned))
    };
    let absolute = workspace.root.join(path);
    let real = absolute.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => refuse("no such folder", None),
        _ => refuse(&format!("cannot be opened: {error}"), None),
    })?;
    if !real.is_dir() {
        return Err(refuse("not a folder", Some("members are folders")));
    }
    // An absolute path may reach the workspace through a link above it.
    let folder = below(workspace, &real)
        .ok_or_else(|| refuse("not below the workspace", Some("members are folders below it")))?;
    let by_letter = below(workspace, path);
    if by_letter.is_some_and(|by_letter| by_letter != folder) {
        return Err(refuse(
            &format!("a link to `{folder}`"),
            Some("add the folder that it points to"),
        ));
    }
    if folder.as_str().is_none() {
        return Err(refuse("its name is not UTF-8", Some("TOML can hold UTF-8 only")));
    }
    Ok(folder)
}

/// A pattern as it is compared.
fn normal(pattern: &str) -> String {
    let short = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
    if short.is_empty() { ".".to_owned() } else { short.to_owned() }
}

/// Whether a pattern matches this folder itself, not one around it.
fn matches_whole(pattern: &str, folder: &RepoPath) -> bool {
    if pattern_is_literal(pattern) {
        return pattern == folder.to_string();
    }
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(as_path(folder)))
}

/// The manifest under edit.
pub(super) struct Manifest {
    path: PathBuf,
    before: String,
    /// Comments of a file that holds nothing else: they stay at its beginning.
    lead: String,
    document: DocumentMut,
    kind: SettingsKind,
}

impl Manifest {
    pub(super) fn open(workspace: &Workspace) -> Result<Manifest, WorkspaceError> {
        let path = manifest_path(workspace);
        let text = read_if_there(&path)?.unwrap_or_default();
        let file = ManifestFile::parse(&path, text.clone())?;
        let kind = match path.file_name().and_then(|name| name.to_str()) {
            Some("pyproject.toml") => SettingsKind::Pyproject,
            Some("Cargo.toml") if file.get(SettingsKind::CargoWorkspace.keys()).is_some() => {
                SettingsKind::CargoWorkspace
            }
            Some("Cargo.toml") => SettingsKind::CargoPackage,
            _ => SettingsKind::Bytekiln,
        };
        let mut document = file.document.into_mut();
        let mut lead = String::new();
        if document.as_table().is_empty() {
            lead.clone_from(&text);
            document.set_trailing("");
            if !lead.is_empty() && !lead.ends_with('\n') {
                lead.push('\n');
            }
        }
        Ok(Manifest { path, before: text, lead, document, kind })
    }

    fn file_name(&self) -> &'static str {
        self.kind.file_name()
    }

    fn item(&self, keys: &[&str]) -> Option<&Item> {
        let mut item = self.document.as_item();
        for key in self.kind.keys().iter().chain(keys) {
            item = item.as_table_like()?.get(key)?;
        }
        Some(item)
    }

    fn has(&self, key: &str) -> bool {
        self.item(&["workspace", key]).is_some()
    }

    fn list(&self, key: &str) -> Vec<String> {
        let array = self.item(&["workspace", key]).and_then(Item::as_array);
        array.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The table at a path of keys, made where it is missing.
    pub(super) fn table(&mut self, keys: &[&str]) -> Option<&mut dyn TableLike> {
        let mut table: &mut dyn TableLike = self.document.as_table_mut();
        for (depth, key) in keys.iter().enumerate() {
            let item = table.entry(key).or_insert_with(|| {
                let mut fresh = Table::new();
                fresh.set_implicit(depth + 1 < keys.len());
                Item::Table(fresh)
            });
            table = item.as_table_like_mut()?;
        }
        Some(table)
    }

    /// A path of keys below Bytekiln's settings.
    pub(super) fn keys<'a>(&self, below: &[&'a str]) -> Vec<&'a str> {
        self.kind.keys().iter().copied().chain(below.iter().copied()).collect()
    }

    fn workspace_keys(&self) -> Vec<&'static str> {
        self.kind.keys().iter().copied().chain(["workspace"]).collect()
    }

    fn array(&mut self, key: &str) -> Option<&mut Array> {
        let keys = self.workspace_keys();
        self.table(&keys)?
            .entry(key)
            .or_insert_with(|| Item::Value(Array::new().into()))
            .as_array_mut()
    }

    fn push(&mut self, key: &str, text: &str) -> Result<(), WorkspaceError> {
        let path = self.path.clone();
        let array = self.array(key).ok_or_else(|| {
            WorkspaceError::of(path, format!("`workspace.{key}` is not an array"), None)
        })?;
        array::push(array, text);
        Ok(())
    }

    /// Takes a folder named by its path out of a list.
    fn drop_from(&mut self, key: &str, folder: &RepoPath) {
        if !self.has(key) {
            return;
        }
        let Some(array) = self.array(key) else { return };
        let name = folder.to_string();
        let escaped = globset::escape(&name);
        let is_it = |element: &Value| {
            element.as_str().map(normal).is_some_and(|text| text == name || text == escaped)
        };
        for at in (0..array.len()).rev() {
            if array.get(at).is_some_and(is_it) {
                array::remove(array, at);
            }
        }
    }

    /// Removes `[member.KEY]` where the key is the member's name or path.
    fn drop_settings(&mut self, member: &Member) -> bool {
        if self.item(&["member"]).is_none() {
            return false;
        }
        let keys: Vec<&str> = self.kind.keys().iter().copied().chain(["member"]).collect();
        let Some(table) = self.table(&keys) else { return false };
        let by_path = table.remove(&member.path.to_string()).is_some();
        by_path || table.remove(&member.name).is_some()
    }

    /// Writes it, if it changed and is still TOML.
    pub(super) fn save(&self) -> Result<(), WorkspaceError> {
        let text = format!("{}{}", self.lead, self.document);
        if text == self.before {
            return Ok(());
        }
        ManifestFile::parse(&self.path, text.clone())?;
        write_atomically(&self.path, &text)
    }
}
