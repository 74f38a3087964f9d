//! How two files differ, for people and for machines.

use bytekiln_python::Release;

use super::EncodingDifference;

/// Two `.pyc` files that mean different things. Shown, it is one line: the first finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where they first differ: constants, names and signatures before instructions, these before
    /// their places in the source; among them, in the outermost code object.
    pub first: Finding,
    /// Where else, in the same order; as many as were asked for.
    pub further: Vec<Finding>,
    /// How many findings there are; at least so many if `complete` is false.
    pub total: usize,
    /// In how many code objects they differ, not counting those that are in them.
    pub code_objects: usize,
    /// Whether all was looked at. Only files that were made for it are not.
    pub complete: bool,
    /// Names of all fields that differ somewhere (`co_consts`, `co_stacksize`, …), sorted; `magic`
    /// if the releases do.
    pub fields: Vec<&'static str>,
    /// What differs between the headers beside.
    pub header: Vec<EncodingDifference>,
}

/// A place at which two files differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of place.
    pub kind: PlaceKind,
    /// Qualified name of the code object (of the left, if it is renamed): `Shape.area`, or
    /// `<module>`. Empty for headers.
    pub code_object: String,
    /// From the module to the code object: the index in `co_consts`, on the left and on the right.
    pub code_path: Vec<[u32; 2]>,
    /// The place in terms of CPython: `co_consts[4]`, `co_argcount`, `co_code`.
    pub place: String,
    /// Index of the constant, name, variable, instruction or handler.
    pub index: Option<u32>,
    /// Offset of the instruction in `co_code`, in bytes, on the left.
    pub offset: Option<u32>,
    /// Line of the source to look at: that of the instruction, else the first of the code object.
    /// On the left.
    pub line: Option<i32>,
    /// What is there on the left; `None` if there is nothing.
    pub left: Option<String>,
    /// What is there on the right; `None` if there is nothing.
    pub right: Option<String>,
    /// The place in words.
    pub(super) subject: String,
    /// Equal, but not the same object throughout: see [`bytekiln_codec::Divergence::identity`].
    pub identity: bool,
}

/// What kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PlaceKind {
    /// The magic number.
    Release,
    /// A constant.
    Constant,
    /// A name that the code uses, or the name of a code object.
    Name,
    /// A local variable.
    Local,
    /// One of the numbers: argument counts, flags, stack size, first line.
    Number,
    /// An instruction.
    Instruction,
    /// The place of an instruction in the source.
    Location,
    /// A row of the exception table.
    Handler,
    /// A recorded path.
    Path,
}

impl PlaceKind {
    /// For machines: `constant`, `instruction`, ….
    pub fn as_str(self) -> &'static str {
        match self {
            PlaceKind::Release => "release",
            PlaceKind::Constant => "constant",
            PlaceKind::Name => "name",
            PlaceKind::Local => "local",
            PlaceKind::Number => "number",
            PlaceKind::Instruction => "instruction",
            PlaceKind::Location => "location",
            PlaceKind::Handler => "handler",
            PlaceKind::Path => "path",
        }
    }
}

/// What patch releases of one CPython compile differently from one source.
const OF_THE_COMPILER: [&str; 4] = ["co_code", "co_exceptiontable", "co_linetable", "co_stacksize"];

impl Difference {
    pub(super) fn of_releases(left: Release, right: Release) -> Difference {
        let text = |release: Release| {
            Some(format!("CPython {release} (magic number {})", release.magic()))
        };
        Difference {
            first: Finding {
                kind: PlaceKind::Release,
                code_object: String::new(),
                code_path: Vec::new(),
                place: "magic".to_owned(),
                index: None,
                offset: None,
                line: None,
                left: text(left),
                right: text(right),
                subject: "the release".to_owned(),
                identity: false,
            },
            further: Vec::new(),
            total: 1,
            code_objects: 0,
            complete: true,
            fields: vec!["magic"],
            header: Vec::new(),
        }
    }

    /// Whether two patch releases of one CPython may have compiled these from one source: they
    /// differ in instructions, their places, handlers and stack sizes, and in no constant, name or
    /// signature. It is no proof that they did.
    pub fn is_only_compiler_dependent(&self) -> bool {
        self.complete && self.fields.iter().all(|field| OF_THE_COMPILER.contains(field))
    }

    /// All findings that are listed.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        std::iter::once(&self.first).chain(&self.further)
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.first.fmt(f)
    }
}

/// ``constant 4 of `Shape.area` is 3.14159 on the left, 3.0 on the right``.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.subject)?;
        match (&self.left, &self.right) {
            (Some(left), Some(_)) if self.identity => {
                write!(
                    f,
                    " is {left} on both sides, but on one of them the same object as elsewhere"
                )
            }
            (Some(left), Some(right)) => write!(f, " is {left} on the left, {right} on the right"),
            (Some(left), None) => write!(f, " is {left} on the left, missing on the right"),
            (None, Some(right)) => write!(f, " is missing on the left, {right} on the right"),
            (None, None) => f.write_str(" differs"),
        }
    }
}
