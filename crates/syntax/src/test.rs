//! Tests of `if` that can be decided for a target without running anything: Python's version, the
//! platform, type checkers, scripts. Values only; they are read in `scanner/condition`.

use std::borrow::Cow;
use std::cmp::Ordering;

/// What an `if` tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test<'source> {
    /// `TYPE_CHECKING`: false at run time.
    TypeChecking,
    /// `__name__ == "__main__"`.
    Main,
    /// `True` or `1`.
    Always,
    /// A comparison of `sys.version_info`.
    Version(Version),
    /// A comparison of something that is constant on a platform.
    Platform {
        /// What is compared.
        subject: Platform,
        /// How.
        operator: Operator,
        /// With what: one constant, or those of a tuple, list or set.
        values: Vec<Cow<'source, str>>,
    },
    /// Anything else.
    Other,
}

/// A comparison of `sys.version_info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Which part of it.
    pub subject: Subject,
    /// How it is compared.
    pub operator: Operator,
    /// The numbers it is compared with, one for [`Subject::Component`].
    pub numbers: Vec<u32>,
}

/// The part of `sys.version_info` that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// All of it.
    Whole,
    /// `[:n]`.
    First(u32),
    /// `[n]`, `.major` or `.minor`.
    Component(u32),
}

/// What a platform guard looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// `sys.platform`.
    SysPlatform,
    /// `os.name`.
    OsName,
    /// `platform.system()`.
    System,
    /// `platform.machine()`.
    Machine,
    /// `sys.implementation.name`.
    ImplementationName,
    /// `platform.python_implementation()`.
    PythonImplementation,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    GreaterEqual,
    /// `>`
    Greater,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `.startswith(…)`
    StartsWith,
}

impl Operator {
    /// As Python writes it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::GreaterEqual => ">=",
            Operator::Greater => ">",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::StartsWith => "startswith",
        }
    }

    fn holds(self, ordering: Ordering) -> Option<bool> {
        Some(match self {
            Operator::Less => ordering.is_lt(),
            Operator::LessEqual => ordering.is_le(),
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::GreaterEqual => ordering.is_ge(),
            Operator::Greater => ordering.is_gt(),
            Operator::In | Operator::NotIn | Operator::StartsWith => return None,
        })
    }
}

impl Version {
    /// Whether the comparison holds for every interpreter of a release, or for none; `None` if that
    /// depends on its patch level.
    #[must_use]
    pub fn holds_for(&self, major: u32, minor: u32) -> Option<bool> {
        let release = [major, minor];
        let known: &[u32] = match self.subject {
            Subject::Whole => &release,
            Subject::First(count) => &release[..release.len().min(count as usize)],
            Subject::Component(index) => {
                let component = release.get(index as usize)?;
                return self.operator.holds(component.cmp(self.numbers.first()?));
            }
        };
        let is_whole =
            matches!(self.subject, Subject::First(count) if count as usize == known.len());
        let common = known.len().min(self.numbers.len());
        let ordering = match known[..common].cmp(&self.numbers[..common]) {
            Ordering::Equal if is_whole => known.len().cmp(&self.numbers.len()),
            Ordering::Equal if self.numbers.len() <= known.len() => Ordering::Greater,
            Ordering::Equal => return None,
            ordering => ordering,
        };
        self.operator.holds(ordering)
    }
}

impl Test<'_> {
    /// Whether a comparison with one of the platform's constants holds, given that constant.
    /// `None` if this is not a test of `subject`.
    #[must_use]
    pub fn holds_on(&self, subject: Platform, constant: &str) -> Option<bool> {
        let Test::Platform { subject: tested, operator, values } = self else { return None };
        if *tested != subject {
            return None;
        }
        let is_any = values.iter().any(|value| value == constant);
        match operator {
            Operator::Equal | Operator::In => Some(is_any),
            Operator::NotEqual | Operator::NotIn => Some(!is_any),
            Operator::StartsWith => Some(values.iter().any(|value| constant.starts_with(&**value))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subject: Subject, operator: Operator, numbers: &[u32], expected: [Option<bool>; 3]) {
        let version = Version { subject, operator, numbers: numbers.to_vec() };
        assert_eq!([10, 11, 12].map(|minor| version.holds_for(3, minor)), expected);
    }

    #[test]
    fn versions_of_3_10_to_3_12() {
        let (yes, no) = (Some(true), Some(false));
        check(Subject::Whole, Operator::GreaterEqual, &[3, 11], [no, yes, yes]);
        check(Subject::Whole, Operator::Less, &[3, 11], [yes, no, no]);
        check(Subject::Whole, Operator::Greater, &[3, 11], [no, yes, yes]);
        check(Subject::Whole, Operator::Equal, &[3, 11], [no, no, no]);
        check(Subject::Whole, Operator::GreaterEqual, &[3], [yes, yes, yes]);
        check(Subject::Whole, Operator::GreaterEqual, &[3, 11, 4], [no, None, yes]);
        check(Subject::First(2), Operator::Equal, &[3, 11], [no, yes, no]);
        check(Subject::First(2), Operator::Greater, &[3, 11], [no, no, yes]);
        check(Subject::First(1), Operator::Less, &[3, 11], [yes, yes, yes]);
        check(Subject::First(3), Operator::GreaterEqual, &[3, 11, 4], [no, None, yes]);
        check(Subject::Component(0), Operator::Equal, &[2], [no, no, no]);
        check(Subject::Component(1), Operator::Less, &[12], [yes, yes, no]);
        check(Subject::Component(2), Operator::Less, &[12], [None, None, None]);
    }
}
