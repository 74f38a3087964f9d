//! The canonical form, version 1: one sequence of bytes for all payloads that mean the same code
//! object, whatever process wrote them. The rules are `docs/canonical-form.md`.

mod equality;
pub(crate) mod intern;
mod mix;
mod order;
pub(crate) mod recognize;
pub(crate) mod values;
mod write;

use bytekiln_python::Release;

use crate::Limits;
use crate::marshal::{self, DecodeError, DecodeErrorKind, Tree, tag, text};
use intern::Interner;
use write::Writer;

/// Version of the rules. Part of every action key: other rules make other bytes.
pub const CANONICAL_FORM_VERSION: u32 = 1;

/// What the canonical form of a payload depends on beside the payload.
#[derive(Debug, Clone, Copy)]
pub struct CanonicalOptions<'a> {
    /// The release that compiled it.
    pub release: Release,
    /// What `co_filename` is to be: UTF-8 with `surrogatepass`, as marshal stores it. Replaces the
    /// file name of the module and of every code object in it that has the same one.
    pub recorded_path: &'a [u8],
    /// What to refuse.
    pub limits: Limits,
    /// What becomes of NaNs. Everything but the default makes another form, which needs an action
    /// key of its own.
    pub nans: NanPolicy,
}

/// What becomes of the bits of NaNs. A compiler that folds `1e999 - 1e999` leaves the bits that its
/// processor makes: the sign is set on x86 and not on ARM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NanPolicy {
    /// They stay. Canonical bytes load as exactly what was compiled.
    #[default]
    Kept,
    /// Each becomes the quiet NaN without sign and payload, `7ff8000000000000`, so that processors
    /// agree. Changes what `math.copysign` and `struct.pack` tell of a folded NaN, and nothing else:
    /// two NaNs stay two. The profile `nan=positive` of `docs/canonical-form.md`.
    Positive,
}

/// Brings a code object, as marshalled by any process of `options.release`, to the canonical form.
/// Canonical bytes come back unchanged if they were made with the same path.
pub fn canonicalize(
    payload: &[u8],
    options: &CanonicalOptions<'_>,
) -> Result<Vec<u8>, DecodeError> {
    if !text::is_wtf8(options.recorded_path) {
        return Err(DecodeErrorKind::BadRecordedPath.into());
    }
    let tree = marshal::decode(payload, options.release, &options.limits)?;
    canonicalize_tree(&tree, Some(options.recorded_path), options.nans)
}

/// The canonical form of a decoded payload; without a path, it keeps its own.
pub(crate) fn canonicalize_tree(
    tree: &Tree<'_>,
    recorded_path: Option<&[u8]>,
    nans: NanPolicy,
) -> Result<Vec<u8>, DecodeError> {
    if tree.node(tree.root()).kind() != tag::CODE {
        return Err(DecodeErrorKind::NotCode.into());
    }
    let mut interner = Interner::new(tree).with_nans(nans);
    let root = interner.intern_tree()?;
    if let Some(path) = recorded_path {
        interner.replace_filename(root, path);
    }
    let mut out = Vec::with_capacity(tree.payload().len());
    Writer::new().write(interner.values(), root, &mut out);
    Ok(out)
}
