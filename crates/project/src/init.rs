//! `init`: a first manifest, commented, from what discovery finds. Knows nothing of terminals; the
//! keys it speaks of are those of `docs/manifest.md`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::edit::write_atomically;
use crate::manifest::{ManifestFile, Notes, WorkspaceError, own_settings, read_if_there};
use crate::model::{MemberOrigin, Workspace};
use crate::workspace::load_workspace;

/// Where a first manifest is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitialTarget {
    /// A new `bytekiln.toml`.
    Bytekiln,
    /// `[tool.bytekiln]` at the end of the `pyproject.toml` that is there.
    Pyproject,
}

/// A first manifest, not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialManifest {
    /// The file.
    pub path: PathBuf,
    /// All of its text, that of an existing `pyproject.toml` included.
    pub text: String,
    /// How many members were found.
    pub members: usize,
}

impl InitialManifest {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The disk's, with the file's name.
    pub fn write(&self) -> Result<(), WorkspaceError> {
        write_atomically(&self.path, &self.text)
    }
}

/// A first manifest for the folder `root`.
///
/// # Errors
/// The folder has settings already; there is no `pyproject.toml` to add to; a manifest below it is
/// broken.
pub fn initial_manifest(
    root: &Path,
    target: InitialTarget,
) -> Result<InitialManifest, WorkspaceError> {
    let root = root
        .canonicalize()
        .map_err(|error| WorkspaceError::of(root, format!("cannot be opened: {error}"), None))?;
    if let Some((kind, file)) = own_settings(&root, &mut Notes::default())?.into_iter().next() {
        return Err(WorkspaceError::of(
            &file.path,
            format!("there is a manifest already: `{}`", kind.file_name()),
            Some("edit it, or use `bytekiln add`".into()),
        ));
    }
    let workspace = load_workspace(&root, Some(&root))?;
    let (path, text) = match target {
        InitialTarget::Bytekiln => (root.join("bytekiln.toml"), manifest_text("", &workspace)),
        InitialTarget::Pyproject => {
            let path = root.join("pyproject.toml");
            let Some(text) = read_if_there(&path)? else {
                return Err(WorkspaceError::of(
                    &path,
                    "no such file to add to".into(),
                    Some("without one, `bytekiln init` makes a `bytekiln.toml`".into()),
                ));
            };
            let gap = if text.is_empty() || text.ends_with("\n\n") {
                ""
            } else if text.ends_with('\n') {
                "\n"
            } else {
                "\n\n"
            };
            let added = manifest_text("tool.bytekiln.", &workspace);
            (path, format!("{text}{gap}{added}"))
        }
    };
    ManifestFile::parse(&path, text.clone())?;
    Ok(InitialManifest { path, text, members: workspace.members.len() })
}

/// The text; `prefix` stands before every table's name.
fn manifest_text(prefix: &str, workspace: &Workspace) -> String {
    let mut text = String::from(
        "# Bytekiln: what is compiled, by which interpreters, and where the results go.\n\
         # What is commented out shows the default.\n\n",
    );
    let _ = writeln!(text, "[{prefix}workspace]");
    text.push_str(&members_text(workspace));
    text.push_str(
        "# Folders that belong to no member; globs, relative to this file.\n\
         # exclude = []\n\
         # Interpreters by version, path or command, for every profile that names none.\n\
         # python = [\"3.14\"]\n\n",
    );
    let _ = write!(
        text,
        "# Globs for the files of every member, relative to the member's folder.\n\
         # [{prefix}files]\n\
         # include = []\n\
         # exclude = [\"**/testdata/**\"]\n\n\
         # While you work: caches beside the sources, checked by content at import.\n\
         [{prefix}profile.dev]\n\
         # mode = \"checked-hash\"\n\
         # optimize = [0]\n\
         # layout = \"pycache\"\n\n\
         # To ship: trusted without a look at the source, in a tree for PYTHONPYCACHEPREFIX.\n\
         [{prefix}profile.release]\n\
         # mode = \"unchecked-hash\"\n\
         # optimize = [0]\n\
         # layout = \"prefix\"\n\
         # out = \".bytekiln/{{profile}}\"\n\
         # Where the workspace will be when the program runs, if not here.\n\
         # deploy-root = \"/app\"\n\n\
         # Files that may fail to compile, each with a reason and a last day.\n\
         # [[{prefix}allow-failure]]\n\
         # path = \"vendor/py2/**\"\n\
         # reason = \"kept for reference\"\n\
         # expires = 2030-12-31\n\n\
         # What the import graph is to know beyond the sources.\n\
         # [{prefix}graph]\n\
         # Modules that come to be at build time.\n\
         # generated = [\"app.version\"]\n\
         # Data files, and the modules that a change of them affects.\n\
         # data = {{ \"app/templates/**\" = [\"app.views\"] }}\n\n\
         # Who may import whom, for `bytekiln layers`: each of these only those after it.\n\
         # [[{prefix}graph.contract]]\n\
         # name = \"layers of the application\"\n\
         # layers = [\"app.web\", \"app.shop | app.mail\", \"app.core\"]\n"
    );
    text
}

fn members_text(workspace: &Workspace) -> String {
    let origins: Vec<MemberOrigin> = workspace.members.iter().map(|member| member.origin).collect();
    if origins.contains(&MemberOrigin::UvWorkspace) {
        return "# Members are those of `[tool.uv.workspace]`; a list here takes its place.\n\
                # members = []\n"
            .to_owned();
    }
    if matches!(origins.as_slice(), [] | [MemberOrigin::Tree]) {
        return "# No project was found below, so the whole tree is one member; list folders here\n\
                # (globs too, such as \"libs/*\") to have several.\n\
                # members = [\".\"]\n"
            .to_owned();
    }
    let mut text = String::from(
        "# Folders compiled and named together; globs too, such as \"libs/*\". Without this list\n\
         # they are searched for.\n\
         members = [\n",
    );
    for member in &workspace.members {
        let path = toml_edit::Value::from(globset::escape(&member.path.to_string()));
        let note = match member.origin {
            MemberOrigin::Tree => "  # what lies outside of the projects",
            _ => "",
        };
        let _ = writeln!(text, "    {path},{note}");
    }
    text.push_str("]\n");
    text
}
