//! The executor from outside: scripted engines, misbehaving interpreters, real ones, and file
//! systems that refuse.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made has failed the test")]

mod batches;
mod cpython;
mod expected;
mod interpreters;
mod outputs;
mod pool;
mod project;
mod remotes;
mod scripted;
mod sources;
mod stores;
