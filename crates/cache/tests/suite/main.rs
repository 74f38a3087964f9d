//! Everything about stores that is seen from outside, in one binary.

mod conformance;
