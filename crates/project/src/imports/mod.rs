//! The import graph of a workspace: walks it and the Python environment around it, takes the imports
//! of each source from where they are kept by content or from the source, resolves them, and
//! keeps the whole graph for the case that nothing changed. Knows nothing of compilation.

mod content;
mod contents;
mod digests;
mod environment;
mod identity;
mod installed;
mod keeping;
mod kept;
mod load;
mod namespaces;
mod place;
mod problems;
mod request;
mod roots;
mod scripts;
mod snapshot;
mod sources;
mod surroundings;
#[cfg(test)]
mod tests;
mod trees;

pub use environment::{
    EnvironmentError, Venv, VenvChoice, find_venv, standard_library, target_platform, this_platform,
};
pub use load::load_graph;
pub use request::{EnvironmentTree, Follow, GraphRequest, LoadedGraph, PythonEnvironment};
