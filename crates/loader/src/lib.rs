//! Simulates CPython's import system on a finished tree or zip: what it will load, what it will
//! compile again, what it will not even look at. Knows nothing of files, archives or processes.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
