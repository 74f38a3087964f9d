//! Simulates CPython's import system on a finished tree or zip: what it will load, what it will
//! compile again, what it will not even look at. Knows nothing of files, archives or processes.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod bytecode;
mod cache_name;
mod contents;
mod file_loader;
mod finder;
mod index;
mod launch;
mod leftovers;
mod report;
mod simulate;
mod tree;
mod zip_loader;

pub use contents::Contents;
pub use launch::{Earlier, HashCheck, Launch};
pub use report::{Class, Effect, Exception, ModuleReport, Reason, Shadow, ShadowKind};
pub use simulate::{Simulation, simulate};
pub use tree::{Container, Entry, FileId, Kind, Root, Stamp, Tree};
