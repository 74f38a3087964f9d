//! Says what is in a `.pyc`, down to instructions and their places, and whether two of them mean
//! the same: joins what `codec` and `bytecode` know. Knows nothing of files, sources or interpreters.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
