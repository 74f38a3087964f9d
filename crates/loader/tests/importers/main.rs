//! Every verdict against what real importers do, on the interpreters that are there: a matrix of
//! header × source × place × container × level × policy, and random layouts.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod interpreter;
mod world;

use bytekiln_codec::source_hash;
use bytekiln_loader::HashCheck;
use bytekiln_python::Release;
use bytekiln_test_support::pythons;

use interpreter::Interpreter;
use world::{Case, Item, Place};

const CHECKS: [HashCheck; 3] = [HashCheck::Default, HashCheck::Always, HashCheck::Never];
const TIME: i64 = 1_700_000_001;

/// `BYTEKILN_FULL=1`: everything. Otherwise a part, for files are dear to make.
fn full_size() -> bool {
    std::env::var_os("BYTEKILN_FULL").is_some_and(|value| value == "1")
}

fn each_interpreter(check: impl Fn(&Interpreter<'_>)) {
    if pythons::all().is_empty() {
        pythons::skip("needs a CPython");
    }
    for python in pythons::all() {
        check(&Interpreter::new(python));
    }
}

fn file(path: &str, content: &[u8], seconds: i64) -> Item {
    Item { path: path.to_owned(), content: Some(content.to_vec()), seconds }
}

fn folder(path: &str) -> Item {
    Item { path: path.to_owned(), content: None, seconds: TIME }
}

fn source(number: usize) -> Vec<u8> {
    format!("MARK = {number}\n").into_bytes()
}

fn header(magic: &[u8], flags: u32, value: [u8; 8]) -> Vec<u8> {
    [magic, &flags.to_le_bytes(), &value].concat()
}

fn stamps(mtime: i64, size: usize) -> [u8; 8] {
    let mtime = u64::from((mtime.rem_euclid(1 << 32)) as u32);
    (mtime | (size as u64) << 32).to_le_bytes()
}

/// Caches of a source of this time, good and bad in all ways that importers tell apart.
fn caches(release: Release, payload: &[u8], source: &[u8], time: i64) -> Vec<Vec<u8>> {
    let magic = release.magic_bytes();
    let other = Release::all().find(|other| *other != release).unwrap().magic_bytes();
    let good = stamps(time, source.len());
    let hash = source_hash(release, source).0;
    let wrong_hash = source_hash(release, b"something else").0;
    let with = |head: Vec<u8>| [&head[..], payload].concat();
    let whole = with(header(&magic, 0, good));
    let mut all: Vec<Vec<u8>> = [-61, -2, -1, 0, 1, 2, 3, 3600, 1 << 31]
        .map(|off| with(header(&magic, 0, stamps(time + off, source.len()))))
        .into();
    all.extend([
        with(header(&magic, 0, stamps(time, source.len() + 1))),
        with(header(&magic, 0, stamps(0, 0))),
        with(header(&magic, 2, good)),
        with(header(&magic, 2, stamps(time + 5, source.len()))),
        with(header(&magic, 1, hash)),
        with(header(&magic, 1, wrong_hash)),
        with(header(&magic, 3, hash)),
        with(header(&magic, 3, wrong_hash)),
        with(header(&magic, 4, good)),
        with(header(&magic, 0x8000_0001, hash)),
        with(header(&other, 0, good)),
        with(header(&[magic[0], magic[1], b'\n', b'\n'], 0, good)),
        with(header(b"\0\0\0\0", 0, good)),
        Vec::new(),
        magic[..3].to_vec(),
        magic.to_vec(),
        other[..2].to_vec(),
        whole[..10].to_vec(),
        whole[..15].to_vec(),
        whole[..16].to_vec(),
        whole[..17].to_vec(),
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"and more"].concat(),
        [&header(&magic, 0, good)[..], b"i\x01\0\0\0"].concat(),
        [&header(&magic, 3, hash)[..], b"N"].concat(),
        [&header(&magic, 1, hash)[..], b"?what"].concat(),
    ]);
    all
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    Cache(&'static str),
    OtherTag,
    Beside,
    Prefix(&'static str),
}

fn matrix(python: &Interpreter<'_>, time: i64) -> Vec<Case> {
    let tag = python.launch.cache_tag.clone().unwrap();
    let places = [
        Where::Cache(""),
        Where::Cache(".opt-1"),
        Where::Cache(".opt-3"),
        Where::OtherTag,
        Where::Beside,
        Where::Prefix(""),
    ];
    let mut cases = Vec::new();
    for place in places {
        for (zip, with_source, package, check, has_tag) in (0..48).map(|bits: usize| {
            let flag = |bit: usize| bits & bit != 0;
            (flag(1), flag(2), flag(4), CHECKS[bits / 16], !flag(8))
        }) {
            // What cannot matter together is not combined: files are dear.
            let plain = check == HashCheck::Default && !package;
            let main_place = matches!(place, Where::Cache("") | Where::Beside);
            let prefixed_zip = zip && matches!(place, Where::Prefix(_));
            if (!plain && !main_place)
                || (check != HashCheck::Default && package)
                || (!has_tag && (zip || !plain))
                || prefixed_zip
            {
                continue;
            }
            let (mut items, mut prefix) = (Vec::new(), Vec::new());
            let text = source(1);
            let all = caches(python.launch.release, &python.payload, &text, time);
            for (number, cache) in all.iter().enumerate() {
                let (folder, stem) = match package {
                    true => (format!("p{number}/"), "__init__".to_owned()),
                    false => (String::new(), format!("m{number}")),
                };
                if with_source {
                    items.push(file(&format!("{folder}{stem}.py"), &text, time));
                }
                let path = match place {
                    Where::Cache(level) => format!("{folder}__pycache__/{stem}.{tag}{level}.pyc"),
                    Where::OtherTag => format!("{folder}__pycache__/{stem}.cpython-27.pyc"),
                    Where::Beside => format!("{folder}{stem}.pyc"),
                    Where::Prefix(level) => format!("ROOT0/{folder}{stem}.{tag}{level}.pyc"),
                };
                match place {
                    Where::Prefix(_) => prefix.push(file(&path, cache, TIME)),
                    _ => items.push(file(&path, cache, TIME)),
                }
            }
            let prefix = matches!(place, Where::Prefix(_)).then_some(prefix);
            cases.push(Case { roots: vec![Place { zip, items }], prefix, has_tag, check });
        }
    }
    cases
}

#[test]
fn every_kind_of_cache_at_every_place() {
    each_interpreter(|python| {
        let cases = matrix(python, TIME);
        let levels: &[u8] = if full_size() { &[0, 1, 3] } else { &[0, 1] };
        for &level in levels {
            let compared = python.check(&cases, level, 0);
            assert!(compared > 1000, "only {compared} modules were compared");
        }
    });
}

/// Times that 32 bits, a zip's two seconds, local time or a build tool's 1980 make interesting.
#[test]
fn strange_times() {
    each_interpreter(|python| {
        let everywhere = [315_532_800, 315_619_200, 4_039_372_800, TIME - 1, 0xffff_fffe];
        let only_folders = [0, 1, -1, -100_000, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0007];
        for ahead in [0, 19_800, -18_000] {
            let few = |case: &Case| {
                let paths = || case.roots[0].items.iter().map(|item| &item.path[..]);
                case.check == HashCheck::Default
                    && case.prefix.is_none()
                    && paths().any(|path| path.ends_with(".py"))
                    && !paths().any(|path| path.contains(".opt-") || path.contains("-27."))
            };
            let mut cases = Vec::new();
            for time in everywhere {
                // A zip's time is local, a cache's is not.
                cases.extend(matrix(python, time).into_iter().filter(|case| !case.roots[0].zip));
                let mut zips = matrix(python, time - ahead);
                zips.retain(|case| case.roots[0].zip && case.has_tag);
                for item in zips.iter_mut().flat_map(|case| &mut case.roots[0].items) {
                    item.seconds = time;
                }
                cases.extend(zips);
            }
            for time in only_folders {
                cases.extend(matrix(python, time).into_iter().filter(|case| !case.roots[0].zip));
            }
            // A third of them each time: which third differs by zone.
            cases.retain(few);
            let third = usize::from(ahead > 0) + 2 * usize::from(ahead < 0);
            let step = if full_size() { 3 } else { 12 };
            let cases: Vec<Case> = cases.into_iter().skip(third).step_by(step).collect();
            python.check(&cases, 0, ahead);
        }
    });
}

/// A small generator of numbers, the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}

/// Modules, packages, extension modules and namespace packages of the same few names.
fn layout(python: &Interpreter<'_>, numbers: &mut Numbers) -> Case {
    let tag = python.launch.cache_tag.clone().unwrap();
    let release = python.launch.release;
    let places = 1 + numbers.below(3);
    let mut roots = Vec::new();
    for _ in 0..places {
        let zip = numbers.below(2) == 0;
        let mut items: Vec<Item> = Vec::new();
        for _ in 0..1 + numbers.below(9) {
            let depth = numbers.below(3);
            let mut path = String::new();
            for _ in 0..depth {
                path += ["a/", "b/", "c/", "a-b/", "1/"][numbers.below(12).saturating_sub(7)];
            }
            let stem =
                ["__init__", "a", "b", "c", "a-b", "a.b"][numbers.below(12).saturating_sub(6)];
            let text = source(numbers.below(3));
            let suffixes = &python.launch.extension_suffixes;
            let name = match numbers.below(8) {
                0 | 1 => format!("{path}{stem}.py"),
                2 | 3 => format!("{path}{stem}.pyc"),
                4 => format!("{path}{stem}{}", suffixes[numbers.below(suffixes.len())]),
                5 | 6 => format!("{path}__pycache__/{stem}.{tag}.pyc"),
                _ => format!("{path}{stem}"),
            };
            let is_cache = name.ends_with(".pyc");
            let all = caches(release, &python.payload, &text, TIME);
            // Half of the caches are good ones.
            let content = match numbers.below(2) * numbers.below(all.len()) {
                _ if !is_cache => text,
                0 => all[3].clone(),
                number => all[number].clone(),
            };
            items.push(match name.rsplit('.').next() {
                Some("py" | "pyc" | "so") => file(&name, &content, TIME),
                _ => folder(&name),
            });
        }
        items.retain(|item| !item.path.ends_with(".b"));
        items.sort_by(|one, other| one.path.cmp(&other.path));
        items.dedup_by(|one, other| one.path == other.path);
        if zip {
            // A package that falls back to a module beside it gets a search path of its own kind;
            // what is below it is not simulated (see `zip_loader.rs`).
            let all: Vec<String> = items.iter().map(|item| item.path.clone()).collect();
            items.retain(|item| {
                let Some((stem, "py" | "pyc")) = item.path.rsplit_once('.') else { return true };
                !all.contains(&format!("{stem}/__init__.pyc"))
                    || all.contains(&format!("{stem}/__init__.py"))
            });
        }
        if zip && numbers.below(2) == 0 {
            let mut parents: Vec<String> = items
                .iter()
                .flat_map(|item| {
                    item.path.match_indices('/').map(|(at, _)| item.path[..at].to_owned())
                })
                .filter(|path| items.iter().all(|item| item.path != *path))
                .collect();
            parents.sort();
            parents.dedup();
            items.extend(parents.iter().map(|path| folder(path)));
        }
        roots.push(Place { zip, items });
    }
    Case { roots, prefix: None, has_tag: true, check: CHECKS[numbers.below(3)] }
}

#[test]
fn random_layouts() {
    each_interpreter(|python| {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let count = if full_size() { 600 } else { 120 };
        let cases: Vec<Case> = (0..count).map(|_| layout(python, &mut numbers)).collect();
        let compared = python.check(&cases, 0, 0);
        assert!(compared > count, "only {compared} modules were compared");
    });
}

/// One entry more than the old format of zips counts, on both sides of the change.
#[test]
fn zips_with_many_entries() {
    for minor in [12, 13] {
        let Some(python) = pythons::find_or_skip(3, minor) else { continue };
        let python = Interpreter::new(python);
        let items = (1..65_536).map(|number| file(&format!("m/{number}"), b"", TIME));
        let items = items.chain([file("one.py", b"", TIME)]).collect();
        let roots = vec![Place { zip: true, items }];
        let case = Case { roots, prefix: None, has_tag: true, check: HashCheck::Default };
        let compared = python.check(&[case], 0, 0);
        assert_eq!(compared, usize::from(minor == 13));
    }
}
