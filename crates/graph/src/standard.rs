//! Modules of the standard library by release, for when no interpreter is at hand. Lines of
//! `modules.txt`: name, first and last minor release, `p` for a package or `m` for another module, `f`
//! if it is built in or frozen in a default build for Linux, so that no file can shadow it. Modules
//! below `test`, `idlelib` and `turtledemo` are left out. Knows nothing of files.

use bytekiln_python::Release;

const MODULES: &str = include_str!("standard/modules.txt");

/// The standard library of one release.
#[derive(Debug, Clone)]
pub(crate) struct Standard {
    modules: Vec<StandardModule>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct StandardModule {
    pub(crate) name: &'static str,
    pub(crate) package: bool,
    /// Found before anything on `sys.path`.
    pub(crate) first: bool,
}

impl Standard {
    pub(crate) fn new(release: Release) -> Standard {
        // In order of the bytes, as the table is.
        let modules = MODULES.lines().filter_map(|line| row(line, release)).collect();
        Standard { modules }
    }

    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let at = self.modules.binary_search_by(|module| module.name.cmp(name)).ok()?;
        u32::try_from(at).ok()
    }

    pub(crate) fn get(&self, id: u32) -> Option<StandardModule> {
        self.modules.get(id as usize).copied()
    }

    /// How many modules there are.
    pub(crate) fn len(&self) -> usize {
        self.modules.len()
    }

    pub(crate) fn is_first(&self, name: &str) -> bool {
        self.find(name).and_then(|id| self.get(id)).is_some_and(|module| module.first)
    }
}

/// The names of all modules of a release's standard library that the table has, in order.
pub fn standard_modules(release: Release) -> impl Iterator<Item = &'static str> {
    MODULES.lines().filter_map(move |line| row(line, release)).map(|module| module.name)
}

fn row(line: &'static str, release: Release) -> Option<StandardModule> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let first: u8 = words.next()?.parse().ok()?;
    let last: u8 = words.next()?.parse().ok()?;
    let kind = words.next()?;
    (first..=last).contains(&release.minor()).then_some(StandardModule {
        name,
        package: kind.starts_with('p'),
        first: kind.ends_with('f'),
    })
}
