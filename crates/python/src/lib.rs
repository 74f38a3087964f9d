//! Facts of CPython releases: one row a release, and the few names that every other crate needs
//! to speak about Python. Knows nothing of files, processes or code objects.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod invalidation;
mod names;
mod release;

pub use invalidation::InvalidationMode;
pub use names::{
    OptimizationLevel, cache_file_name, is_module_name, legacy_file_name, parse_cache_file_name,
};
pub use release::{Release, SourceHashAlgorithm};
