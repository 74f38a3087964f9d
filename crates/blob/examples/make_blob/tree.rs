//! A folder of compiled Python as entries of a blob: every `.pyc` in a `__pycache__` is a module,
//! its source goes with it, and every other file is data.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use bytekiln_blob::{Entry, Target};

/// What is in the folder.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// By full name: the `.pyc`, and whether it is a package.
    pub(crate) modules: BTreeMap<String, (Vec<u8>, bool)>,
    /// By full name.
    pub(crate) sources: BTreeMap<String, Vec<u8>>,
    /// By path below the folder.
    pub(crate) data: BTreeMap<String, Vec<u8>>,
    magic_number: Option<u16>,
    cache_tag: String,
}

impl Tree {
    /// Reads all files of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Tree, Box<dyn Error>> {
        let mut tree = Tree::default();
        tree.read_folder(folder, "")?;
        Ok(tree)
    }

    /// What the bytecode was compiled for, if there is any.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        let magic_number = self.magic_number?;
        Some(Target { magic_number, cache_tag: &self.cache_tag, optimization: 0 })
    }

    /// All of it.
    pub(crate) fn entries(&self) -> Vec<Entry<'_>> {
        let modules = self.modules.iter().map(|(name, (pyc, package))| Entry::Module {
            name,
            package: *package,
            pyc,
            origin: None,
        });
        let sources = self.sources.iter().map(|(name, text)| Entry::Source { name, text });
        let data = self.data.iter().map(|(path, bytes)| Entry::Data { path, bytes });
        modules.chain(sources).chain(data).collect()
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<(), Box<dyn Error>> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| "a name that is not UTF-8")?;
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else {
                self.add(path, fs::read(entry.path())?);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, bytes: Vec<u8>) {
        if let Some((folder, file)) = path.split_once("__pycache__/")
            && let [stem, tag, "pyc"] = file.split('.').collect::<Vec<_>>().as_slice()
        {
            if let Some([low, high]) = bytes.first_chunk() {
                self.magic_number = Some(u16::from_le_bytes([*low, *high]));
            }
            (*tag).clone_into(&mut self.cache_tag);
            let (name, package) = module(&format!("{folder}{stem}"));
            self.modules.insert(name, (bytes, package));
        } else if let Some(stem) = path.strip_suffix(".py") {
            self.sources.insert(module(stem).0, bytes);
        } else {
            self.data.insert(path, bytes);
        }
    }
}

/// `app/__init__` → `app`, a package.
fn module(path: &str) -> (String, bool) {
    match path.strip_suffix("/__init__") {
        Some(folder) => (folder.replace('/', "."), true),
        None => (path.replace('/', "."), false),
    }
}
