//! A case in memory: its tree for the simulation, and its description for `oracle.py`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytekiln_action::RepoPath;
use bytekiln_loader::{
    Container, Contents, Effect, Entry, FileId, HashCheck, Kind, Launch, ModuleReport, Root, Stamp,
    Tree, simulate,
};

/// One entry of a root: path, content (a folder has none), time.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) path: String,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) seconds: i64,
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = self.content.as_ref().map(|content| &content[..content.len().min(16)]);
        write!(f, "{} {start:?} {}", self.path, self.seconds)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) zip: bool,
    pub(crate) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) roots: Vec<Place>,
    /// Items below `sys.pycache_prefix`; `ROOT0` at the start stands for the first root.
    pub(crate) prefix: Option<Vec<Item>>,
    pub(crate) has_tag: bool,
    pub(crate) check: HashCheck,
}

/// DOS date and time of seconds since 1970, as if that were local time; odd seconds are lost.
pub(crate) fn dos(seconds: i64) -> (u16, u16) {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let date = (year - 1980) << 9 | month << 5 | day;
    let time = (second / 3600) << 11 | (second / 60 % 60) << 5 | (second % 60 / 2);
    (u16::try_from(date).unwrap(), u16::try_from(time).unwrap())
}

/// The inverse of [`dos`] for dates that exist.
pub(crate) fn seconds_of(date: u16, time: u16) -> i64 {
    let (date, time) = (i64::from(date), i64::from(time));
    let (year, month, day) = ((date >> 9) + 1980, date >> 5 & 15, date & 31);
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * 86_400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2
}

/// The contents of a case, where the clock is so many seconds ahead of UTC.
struct Memory<'a> {
    case: &'a Case,
    prefix: Vec<Item>,
    ahead: i64,
}

impl Contents for Memory<'_> {
    fn read(&self, file: FileId) -> Result<Vec<u8>, String> {
        let items = self.case.roots.get(file.root).map_or(&self.prefix, |place| &place.items);
        items[file.entry].content.clone().ok_or_else(|| "it is a folder".to_owned())
    }

    fn local_seconds(&self, date: u16, time: u16) -> Option<i64> {
        Some(seconds_of(date, time) - self.ahead)
    }
}

impl Case {
    fn prefix_items(&self, base: &str, number: usize) -> Vec<Item> {
        let first = format!("{}/c{number}/r0", base.trim_start_matches('/'));
        let mut items = self.prefix.clone().unwrap_or_default();
        for item in &mut items {
            item.path = item.path.replace("ROOT0", &first);
        }
        items
    }

    /// For `oracle.py`.
    pub(crate) fn literal(&self, base: &str, number: usize) -> String {
        let mut out = String::from("{'roots': [");
        for place in &self.roots {
            let zip = if place.zip { "True" } else { "False" };
            write!(out, "{{'zip': {zip}, 'entries': {}}}, ", entries(&place.items, place.zip))
                .unwrap();
        }
        let prefix = match self.prefix {
            Some(_) => entries(&self.prefix_items(base, number), false),
            None => "None".to_owned(),
        };
        let tag = if self.has_tag { "True" } else { "False" };
        let check = match self.check {
            HashCheck::Default => "default",
            HashCheck::Always => "always",
            HashCheck::Never => "never",
        };
        write!(out, "], 'prefix': {prefix}, 'tag': {tag}, 'check': '{check}'}}").unwrap();
        out
    }

    /// What the simulation says.
    pub(crate) fn simulate(
        &self,
        base: &str,
        number: usize,
        launch: &Launch,
        ahead: i64,
    ) -> (Tree, Vec<ModuleReport>) {
        let prefix = self.prefix_items(base, number);
        let roots = self.roots.iter().enumerate().map(|(position, place)| Root {
            container: if place.zip { Container::Zip } else { Container::Directory },
            location: location(base, number, position, place.zip).into_bytes(),
            entries: place.items.iter().map(|item| entry(item, place.zip)).collect(),
        });
        let tree = Tree {
            roots: roots.collect(),
            pycache_prefix: self.prefix.as_ref().map(|_| Root {
                container: Container::Directory,
                location: format!("{base}/c{number}/prefix").into_bytes(),
                entries: prefix.iter().map(|item| entry(item, false)).collect(),
            }),
        };
        let launch = Launch {
            cache_tag: launch.cache_tag.clone().filter(|_| self.has_tag),
            hash_check: self.check,
            ..launch.clone()
        };
        let reports = simulate(&tree, &launch, &Memory { case: self, prefix, ahead });
        (tree, reports)
    }

    /// Name → what happens and with which file, as `oracle.py` says it.
    pub(crate) fn expected(
        &self,
        tree: &Tree,
        reports: &[ModuleReport],
    ) -> BTreeMap<String, String> {
        let shown = |file: FileId| {
            let entry = tree.entry(file).unwrap();
            let path = entry.path.as_str().unwrap();
            match self.roots.get(file.root) {
                Some(place) => {
                    format!("r{}{}/{path}", file.root, if place.zip { ".zip" } else { "" })
                }
                None => format!("prefix/{path}"),
            }
        };
        let mut expected = BTreeMap::new();
        for report in reports {
            let text = match report.effect {
                Effect::NotUsed => continue,
                Effect::Fails(bytekiln_loader::Exception::ModuleNotFoundError) => continue,
                Effect::Fails(bytekiln_loader::Exception::Unpredictable) => "?".to_owned(),
                Effect::Fails(exception) => format!("{}\t-", exception.as_str()),
                Effect::Compiles => format!("compiled\t{}", shown(report.file)),
                Effect::Loads | Effect::RunsOldCode => match report.cache {
                    Some(cache) => format!("cache\t{}", shown(cache)),
                    None => format!("extension\t{}", shown(report.file)),
                },
            };
            let name = String::from_utf8(report.name.clone()).unwrap();
            let known = expected.insert(name.clone(), text);
            assert_eq!(known, None, "two verdicts for `{name}`");
        }
        expected
    }
}

fn location(base: &str, number: usize, position: usize, zip: bool) -> String {
    format!("{base}/c{number}/r{position}{}", if zip { ".zip" } else { "" })
}

fn entry(item: &Item, zip: bool) -> Entry {
    Entry {
        path: RepoPath::new(item.path.as_bytes()).unwrap(),
        kind: if item.content.is_some() { Kind::File } else { Kind::Directory },
        size: item.content.as_ref().map_or(0, |content| content.len() as u64),
        modified: if zip {
            let (date, time) = dos(item.seconds);
            Stamp::Dos { date, time }
        } else {
            Stamp::Seconds(item.seconds)
        },
    }
}

fn entries(items: &[Item], zip: bool) -> String {
    let mut out = String::from("[");
    for item in items {
        let content = match &item.content {
            Some(content) => {
                let hex: String = content.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("'{hex}'")
            }
            None => "None".to_owned(),
        };
        let stamp = if zip { format!("{:?}", dos(item.seconds)) } else { item.seconds.to_string() };
        write!(out, "('{}', {content}, {stamp}), ", item.path).unwrap();
    }
    out.push(']');
    out
}
