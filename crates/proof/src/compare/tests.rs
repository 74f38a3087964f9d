//! Files compiled by real interpreters, and then changed.
