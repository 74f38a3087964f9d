//! Carries work out: looks up, compiles, canonicalises, records, materializes. Knows nothing of
//! why an action is to run.

mod event;
mod work;

pub use event::{CacheOrigin, Event, Failure, JobEnd, Subscriber};
pub use work::{Compiler, Job, LinkPolicy, Options, Report, Work};
