//! Files that real interpreters compiled, and the same files changed by hand or at random.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod comparing;
mod excerpts;
mod hostile;
mod listing;
mod mutants;
mod process;
