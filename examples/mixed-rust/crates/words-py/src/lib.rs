//! The C face of `words`, loaded from Python with `ctypes`: one function, no further dependency.

use std::ffi::{c_char, CStr};

/// How many words a NUL-terminated UTF-8 text has; 0 for text that is not UTF-8.
///
/// # Safety
/// `text` points to a NUL-terminated string.
#[no_mangle]
pub unsafe extern "C" fn words_count(text: *const c_char) -> usize {
    CStr::from_ptr(text).to_str().map_or(0, words::count)
}
