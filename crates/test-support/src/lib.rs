//! Fixtures and scripted partners for tests; only ever a dev-dependency.

pub mod fixture;
pub mod pythons;
pub mod redact;
mod scratch;
pub mod servers;
pub mod store_conformance;
pub mod transcript;
mod user;

pub use scratch::Scratch;
pub use user::as_user_without_rights;
