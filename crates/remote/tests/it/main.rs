//! The store against real servers, and against scripted ones that misbehave.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod real;
mod stores;
