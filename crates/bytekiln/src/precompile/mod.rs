//! The library face, for xtasks and build scripts: workspace → plan → execute, events on the way.
//! It prints nothing and reads no arguments.
//!
//! ```no_run
//! use bytekiln::precompile::{Precompile, Progress};
//!
//! # fn main() -> Result<(), bytekiln::failure::CommandFailure> {
//! let precompile = Precompile::in_folder("/srv/shop").profile("release");
//! let plan = precompile.plan()?;
//! println!("{} to compile", plan.steps().len());
//! let outcome = plan.execute(&|progress| {
//!     if let Progress::Rejected { diagnostic, .. } = progress {
//!         eprint!("{diagnostic}");
//!     }
//! })?;
//! assert!(outcome.is_success());
//! # Ok(())
//! # }
//! ```

mod builder;
mod embed;
mod planned;

pub use builder::Precompile;
pub use embed::{Embedded, embed};
pub use planned::{Outcome, Planned, PlannedStep, Progress};
