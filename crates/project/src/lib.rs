//! Reads the world: finds the workspace, reads its manifests, scans and hashes its sources through
//! a file index, identifies interpreters, and lowers all of it to `planner::Inputs`. Knows nothing
//! of how work is done.

mod discover;
mod manifest;
mod model;
mod workspace;

pub use manifest::{LocatedProblem, Place, WorkspaceError};
pub use model::{
    AllowanceRule, CacheSettings, Date, InterpreterSpec, LayoutSetting, Member, MemberOrigin,
    OrphanPolicy, PrefixMap, Profile, RecordedPathPolicy, Workspace,
};
pub use workspace::load_workspace;
