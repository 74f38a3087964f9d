//! `.pyc` bytes to values and back.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
