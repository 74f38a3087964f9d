//! Real CPythons import from blobs: every feature of the finder, on every release at hand.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod damage;
mod importing;
mod introspection;
mod launching;
mod resources;
#[path = "../../examples/make_blob/tree.rs"]
mod tree;
mod world;
