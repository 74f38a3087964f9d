//! Says what is in a `.pyc`, down to instructions and their places, and whether two of them mean
//! the same: joins what `codec` and `bytecode` know. Knows nothing of files, sources or interpreters.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compare;
mod disassembly;
mod excerpt;
mod listing;
mod names;
mod pyc;
mod render;
mod rewrite;

pub use compare::{
    CompareError, CompareOptions, Comparison, Difference, EncodingDifference, Finding, PlaceKind,
    compare,
};
pub use excerpt::{Excerpt, ExcerptLine, ExcerptSide, excerpt};
pub use listing::{
    CodeListing, Constant, InstructionListing, ListOptions, Listing, Variable, is_canonical, list,
};
pub use pyc::ReadError;
pub use rewrite::{
    Replacement, Rewrite, RewriteMode, RewriteRefusal, RewriteRequest, RewriteSource, Staleness,
    ValueFault, rewrite,
};
