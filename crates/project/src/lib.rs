//! Reads the world: finds the workspace, reads its manifests, scans and hashes its sources through
//! a file index, identifies interpreters, and lowers all of it to `planner::Inputs`. Knows nothing
//! of how work is done.

mod clean;
mod contents;
mod declared;
mod discover;
mod edit;
mod imports;
mod index;
mod init;
mod interpreter;
mod load;
mod lock;
mod lower;
mod manifest;
mod model;
mod parallel;
mod path;
mod path_globs;
mod revisions;
mod scan;
mod workspace;

pub use clean::{RecordedOutputs, forget_records, recorded_outputs};
pub use contents::{ContentFile, Contents, STATEMENT_SUFFIX, list_contents, recorded_path};
pub use declared::{Declared, declared_dependencies, normalized_name};
pub use edit::{
    Edit, EditOutcome, add_member, remove_member, set_startup_allowed, write_atomically,
};
pub use imports::{
    EnvironmentError, EnvironmentTree, Follow, GraphRequest, LoadedGraph, PythonEnvironment, Venv,
    VenvChoice, find_venv, load_graph, standard_library, target_platform, this_platform,
};
pub use index::{
    CheckDepth, LockError, SettledQuery, SettledSummary, StateError, StateLock, lock_state,
    prepare_state, settled,
};
pub use init::{InitialManifest, InitialTarget, initial_manifest};
pub use interpreter::{
    Interpreter, InterpreterError, InterpreterFault, SearchPath, Survey, find_all_interpreters,
    find_interpreters, find_interpreters_unkept,
};
pub use load::{
    Completion, Filled, LoadError, LoadErrorKind, Loaded, LoadedInputs, RecordError, RecordSummary,
    Request, SourceHashes, load, record,
};
pub use lock::{
    LOCK_FILE_NAME, LOCK_FILE_VERSION, LockDrift, LockFile, LockFileError, LockFileFault,
    LockIndex, LockText, LockedMember, LockedOutput, LockedProfile, LockedSource, LockedTarget,
    compare_outputs, compare_sources, parse_lock, read_lock, remember_locked, render_lock,
    was_locked, write_lock,
};
pub use manifest::{
    LocatedProblem, Place, WorkspaceError, artifact_from_arguments, nearest, selector_text,
};
pub use model::{
    AllowanceRule, AllowedModules, Arrangement, ArtifactKind, ArtifactLayout, ArtifactRule,
    ArtifactTarget, CacheSettings, CompressionSetting, ContractRule, DataRule, Date, GraphSettings,
    IgnoredImports, InterpreterSpec, LayoutSetting, Member, MemberOrigin, OrphanPolicy,
    PlacedSelector, PrefixMap, Profile, RecordedPathPolicy, SelectionRule, SourcelessPart,
    SourcelessRule, StartupRule, Workspace,
};
pub use parallel::map_by as map_in_parallel;
pub use path::{absolute, normalize};
pub use path_globs::PathGlobs;
pub use revisions::{
    ChangeStatus, ChangedFile, Changes, RevisionError, RevisionErrorKind, changes_since,
};
pub use scan::GlobError;
pub use workspace::load_workspace;
