//! Bazel's persistent worker: requests on standard input, responses on standard output. Knows nothing
//! of how a compilation is carried out; that is `compilation`'s.

mod claims;
mod interpreters;
pub mod protocol;
mod request;
mod serve;

pub(crate) use serve::{WorkerOptions, serve};
