//! The ways in which a program is started: which caches it finds. Knows nothing of how caches are made.

use std::ffi::OsString;
use std::path::Path;

use crate::arguments::VariantChoice;

/// A way to start a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variant {
    /// With the caches that are there.
    AsIs,
    /// Without.
    None,
    /// With CPython's own.
    Timestamp,
    /// With ours, checked.
    Checked,
    /// With ours, unchecked.
    Unchecked,
}

impl Variant {
    /// In the order in which they are shown.
    pub(super) const ALL: [Variant; 5] =
        [Variant::AsIs, Variant::None, Variant::Timestamp, Variant::Checked, Variant::Unchecked];

    /// As in JSON and on the command line; also the name of its tree.
    pub(super) fn id(self) -> &'static str {
        match self {
            Variant::AsIs => "as-is",
            Variant::None => "none",
            Variant::Timestamp => "timestamp",
            Variant::Checked => "checked",
            Variant::Unchecked => "unchecked",
        }
    }

    /// For people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Variant::AsIs => "as it is",
            Variant::None => "no cache",
            Variant::Timestamp => "timestamp",
            Variant::Checked => "checked",
            Variant::Unchecked => "unchecked",
        }
    }

    /// In a sentence.
    pub(super) fn explanation(self) -> &'static str {
        match self {
            Variant::AsIs => "with the caches that lie there",
            Variant::None => "without any cache: every source is compiled",
            Variant::Timestamp => "with caches that CPython wrote itself",
            Variant::Checked => "with checked-hash caches of Bytekiln",
            Variant::Unchecked => "with unchecked-hash caches of Bytekiln",
        }
    }

    /// Options of the interpreter, with the trees of all variants in a folder. Nothing is written by
    /// any of them.
    pub(super) fn options(self, trees: &Path) -> Vec<OsString> {
        let mut options = vec![OsString::from("-B")];
        if self != Variant::AsIs {
            options.extend(prefix_option(&trees.join(self.id())));
        }
        options
    }
}

/// `-X pycache_prefix=FOLDER`: unlike the variable it also holds with `-E` and `-I`.
pub(super) fn prefix_option(folder: &Path) -> [OsString; 2] {
    let mut option = OsString::from("pycache_prefix=");
    option.push(folder);
    ["-X".into(), option]
}

impl From<VariantChoice> for Variant {
    fn from(choice: VariantChoice) -> Variant {
        match choice {
            VariantChoice::AsIs => Variant::AsIs,
            VariantChoice::None => Variant::None,
            VariantChoice::Timestamp => Variant::Timestamp,
            VariantChoice::Checked => Variant::Checked,
            VariantChoice::Unchecked => Variant::Unchecked,
        }
    }
}
