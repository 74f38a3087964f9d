//! The ways in which a program is started: where its modules lie, and which caches it finds. Knows nothing
//! of how either is made.

use bytekiln_python::InvalidationMode;

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
    /// From a tree with ours in `__pycache__`, checked.
    TreeChecked,
    /// From a tree with ours in `__pycache__`, unchecked.
    TreeUnchecked,
    /// From a zip of sources.
    ZipNone,
    /// From a zip with ours beside the sources, checked.
    ZipChecked,
    /// From a zip with ours beside the sources, unchecked.
    ZipUnchecked,
}

/// Where a variant has the modules of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Where they lie.
    Own,
    /// In a tree that is made for it.
    Tree,
    /// In a zip that is made for it.
    Zip,
}

impl Variant {
    /// In the order in which they are shown.
    pub(super) const ALL: [Variant; 10] = [
        Variant::AsIs,
        Variant::None,
        Variant::Timestamp,
        Variant::Checked,
        Variant::Unchecked,
        Variant::TreeChecked,
        Variant::TreeUnchecked,
        Variant::ZipNone,
        Variant::ZipChecked,
        Variant::ZipUnchecked,
    ];

    /// As in JSON and on the command line; also the name of what is made for it.
    pub(super) fn id(self) -> &'static str {
        match self {
            Variant::AsIs => "as-is",
            Variant::None => "none",
            Variant::Timestamp => "timestamp",
            Variant::Checked => "checked",
            Variant::Unchecked => "unchecked",
            Variant::TreeChecked => "tree-checked",
            Variant::TreeUnchecked => "tree-unchecked",
            Variant::ZipNone => "zip-none",
            Variant::ZipChecked => "zip-checked",
            Variant::ZipUnchecked => "zip-unchecked",
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
            Variant::TreeChecked => "tree, checked",
            Variant::TreeUnchecked => "tree, unchecked",
            Variant::ZipNone => "zip, no cache",
            Variant::ZipChecked => "zip, checked",
            Variant::ZipUnchecked => "zip, unchecked",
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
            Variant::TreeChecked => "from a tree with checked-hash caches of Bytekiln",
            Variant::TreeUnchecked => "from a tree with unchecked-hash caches of Bytekiln",
            Variant::ZipNone => "from a zip of sources: every one is compiled twice",
            Variant::ZipChecked => "from a zip with checked-hash caches of Bytekiln",
            Variant::ZipUnchecked => "from a zip with unchecked-hash caches of Bytekiln",
        }
    }

    /// Where it has the modules.
    pub(super) fn place(self) -> Place {
        match self {
            Variant::AsIs
            | Variant::None
            | Variant::Timestamp
            | Variant::Checked
            | Variant::Unchecked => Place::Own,
            Variant::TreeChecked | Variant::TreeUnchecked => Place::Tree,
            Variant::ZipNone | Variant::ZipChecked | Variant::ZipUnchecked => Place::Zip,
        }
    }

    /// How the caches that we make for it are checked, if we make any.
    pub(super) fn mode(self) -> Option<InvalidationMode> {
        match self {
            Variant::AsIs | Variant::None | Variant::Timestamp | Variant::ZipNone => None,
            Variant::Checked | Variant::TreeChecked | Variant::ZipChecked => {
                Some(InvalidationMode::CheckedHash)
            }
            Variant::Unchecked | Variant::TreeUnchecked | Variant::ZipUnchecked => {
                Some(InvalidationMode::UncheckedHash)
            }
        }
    }

    /// The variant whose `pycache_prefix` it has: from a zip, for what stays in folders.
    pub(super) fn prefix(self) -> Option<Variant> {
        match self {
            Variant::AsIs | Variant::TreeChecked | Variant::TreeUnchecked => None,
            Variant::ZipNone => Some(Variant::None),
            Variant::ZipChecked => Some(Variant::Checked),
            Variant::ZipUnchecked => Some(Variant::Unchecked),
            own @ (Variant::None | Variant::Timestamp | Variant::Checked | Variant::Unchecked) => {
                Some(own)
            }
        }
    }

    /// Started unless others are asked for: a tree or zip is not for every program.
    pub(super) fn is_usual(self) -> bool {
        self.place() == Place::Own
    }
}

impl From<VariantChoice> for Variant {
    fn from(choice: VariantChoice) -> Variant {
        match choice {
            VariantChoice::AsIs => Variant::AsIs,
            VariantChoice::None => Variant::None,
            VariantChoice::Timestamp => Variant::Timestamp,
            VariantChoice::Checked => Variant::Checked,
            VariantChoice::Unchecked => Variant::Unchecked,
            VariantChoice::TreeChecked => Variant::TreeChecked,
            VariantChoice::TreeUnchecked => Variant::TreeUnchecked,
            VariantChoice::ZipNone => Variant::ZipNone,
            VariantChoice::ZipChecked => Variant::ZipChecked,
            VariantChoice::ZipUnchecked => Variant::ZipUnchecked,
        }
    }
}
