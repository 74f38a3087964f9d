//! The codec against bytes made by hand, at random, and by mutating real payloads. No interpreter
//! is needed; those are the oracle's part.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod behaviours;
mod canonical;
mod comparing;
mod document;
mod exercise;
mod hostile;
mod modules;
mod mutations;
mod payloads;
mod properties;
mod vectors;
