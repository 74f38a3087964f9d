//! What compiling a source costs, so that sources can be compared. A measured time would make an artifact
//! depend on the machine that packs it; the number of tokens does not, and predicts the time well: over
//! 1,500 files of the standard library and sympy, CPython 3.11 took 4 µs and 0.54 µs for each token, with
//! R² 0.90 and a median error of 8 %. Bytes of source give R² 0.63, bytes of the `.pyc` 0.72.

use bytekiln_syntax::Lexer;

/// Tokens that the start of a compilation costs as much as.
const FIXED: u64 = 7;

/// The cost of compiling this source, in tokens.
pub fn compile_cost(source: &[u8]) -> u64 {
    FIXED + Lexer::new(source).count() as u64
}
