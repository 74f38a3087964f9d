//! Automation of this repository: `cargo xtask COMMAND`.
fn main() {}
