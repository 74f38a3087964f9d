//! What a program's start loads, as CPython itself tells it (`-X importtime`, `-v`): text to trees of
//! imports, several runs to medians and spreads, two measurements to their difference, a set of modules
//! to what it may and may not hold. Knows nothing of processes, files or how any of it is shown.
//!
//! Text of the interpreter → [`Collector`] → [`Trace`] and [`Verbose`] → [`Profile`] → questions:
//! [`savings`], [`compare`], [`Allowed`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod collector;
mod compare;
mod profile;
mod ratchet;
mod savings;
mod statistics;
mod trace;
mod verbose;

pub use collector::{Captured, Collector};
pub use compare::{Change, Difference, Measured, compare};
pub use profile::{Profile, Row, Times};
pub use ratchet::{Allowed, PatternError};
pub use savings::savings;
pub use statistics::Summary;
pub use trace::{Import, Trace};
pub use verbose::{Loaded, Origin, Verbose};
