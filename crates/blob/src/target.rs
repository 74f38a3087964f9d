//! What a blob was made for.

/// The interpreter that a blob was made for. The magic number alone decides whether one can load it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target<'a> {
    /// The number in the first two bytes of its `.pyc`, such as 3495 for CPython 3.11.
    pub magic_number: u16,
    /// `sys.implementation.cache_tag`, such as `cpython-311`; at most 24 letters, digits, `-`, `_`
    /// and `.` of ASCII.
    pub cache_tag: &'a str,
    /// The level of `-O`, 0 to 2.
    pub optimization: u8,
}
