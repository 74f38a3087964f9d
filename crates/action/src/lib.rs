//! The vocabulary that planner, executor and caches share: where a file is, what its bytes are,
//! what compiling it depends on, and what came out. Knows nothing of reasons, stores or files.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod digest;
mod identity;
mod key;
mod path;
mod result;
mod toolchain;

pub use digest::{ActionDigest, Digest, ParseDigestError};
pub use identity::{IDENTITY_SCRIPT, IdentityError, IdentityReport, parse_identity};
pub use key::{Action, CompileFlags, KeySink, TextSink};
pub use path::{RecordedPath, RepoPath};
pub use result::{ActionResult, Diagnostic, DiagnosticKind, Outcome, Position};
pub use toolchain::{Toolchain, ToolchainDigest};
