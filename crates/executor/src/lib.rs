//! Carries work out: looks up, compiles, canonicalises, records, materializes. Knows nothing of
//! why an action is to run.

mod batch;
mod chain;
mod engine;
mod event;
mod execute;
mod execution;
mod interpreter;
mod known;
mod outputs;
mod parallelism;
mod pool;
mod queue;
mod record;
mod remote;
mod result;
mod source;
mod trouble;
mod work;
mod worker;

pub use batch::{BatchCompiler, BatchError, BatchOptions, BatchReply};
pub use chain::EngineChain;
pub use engine::{Engine, EngineError, Reply, Request, Session, SessionLost, Verdict};
pub use event::{CacheOrigin, CompiledBy, Event, Failure, JobEnd, Subscriber};
pub use execute::{Order, RemoteAccess, RemoteCache, Unplaced, execute};
pub use interpreter::{InterpreterEngine, InterpreterOptions};
pub use parallelism::available_parallelism;
pub use pool::{InterpreterPool, PoolLimits};
pub use source::Sources;
pub use work::{Compiler, Expected, Job, LinkPolicy, Options, Report, Work};
