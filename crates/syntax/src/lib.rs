//! The imports of a Python source, and the facts that decide when each of them runs, found in one
//! pass over its bytes. Total: any bytes give an extraction, what could not be read is a problem in
//! it. Knows nothing of files, of where modules lie, or of what an import resolves to.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
