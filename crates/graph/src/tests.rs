//! The graph as a whole, from trees in one string.

mod cases;
mod cases_of_monorepos;
mod fixture;
mod naming;
mod permutations;
mod questions;
mod resolution;
mod size;
mod standard;

pub(crate) use fixture::Workspace;
use fixture::check;
