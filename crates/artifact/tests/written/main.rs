//! What is written, read by our own reader and by the tools that users have.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod archives;
mod contents;
mod images;
mod imports;
mod interrupted;
mod trees;
