//! Reading manifests: where settings may stand, what keys there are, and what is said when one is
//! wrong. Knows nothing of which folders become members.

mod artifact;
mod artifact_arguments;
mod cargo;
mod document;
mod graph;
mod home;
mod problem;
mod profile;
mod reader;
mod schema;
mod startup;
mod value;

pub use artifact_arguments::artifact_from_arguments;
pub use problem::{LocatedProblem, Place, WorkspaceError};

pub(crate) use document::{Located, ManifestFile, Notes, lookup, read_if_there};
pub use graph::selector_text;
pub(crate) use home::{Home, SettingsKind, locate, own_settings};
pub(crate) use profile::resolve_profiles;
pub(crate) use schema::{MemberSettings, Settings, read_package_settings, read_settings};
pub use value::nearest;
