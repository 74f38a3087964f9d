//! Compiling on other machines: a batch of sources becomes one action that runs `bytekiln compile` on
//! a worker. Knows no network.

mod compiler;
mod program;
mod settings;

pub use settings::{ExecutorSettings, OpenExecutor};
