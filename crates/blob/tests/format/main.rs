//! The format without an interpreter: bytes that are written down, round trips, hostile bytes.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod exercise;
mod golden;
mod hostile;
mod properties;
mod refusals;
mod seal;
