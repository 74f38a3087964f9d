//! `add` and `remove`: members written into, or taken out of, whichever manifest holds the
//! settings, with its formatting and comments kept. Knows nothing of how members are found again.

mod array;
mod change;
mod startup;
mod write;

pub use change::{Edit, EditOutcome, add_member, remove_member};
pub use startup::set_startup_allowed;
pub(crate) use write::replace;
pub use write::write_atomically;
