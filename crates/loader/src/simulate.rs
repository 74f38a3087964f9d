//! From what is there to a verdict for each module. Finding is done at once; judging, which reads
//! files, module by module, so that the caller may spread it over threads.

use crate::finder::{Finder, Found, Module};
use crate::index::Index;
use crate::leftovers::leftovers;
use crate::{
    Contents, Effect, Exception, FileId, Launch, ModuleReport, Reason, Shadow, ShadowKind, Tree,
};

/// What an import comes to, before it has a name.
pub(crate) struct Verdict {
    cache: Option<FileId>,
    effect: Effect,
    reason: Reason,
    compiled: Option<FileId>,
}

impl Verdict {
    pub(crate) fn new(cache: Option<FileId>, effect: Effect, reason: Reason) -> Verdict {
        Verdict { cache, effect, reason, compiled: None }
    }

    pub(crate) fn fails(cache: Option<FileId>, exception: Exception, reason: Reason) -> Verdict {
        Verdict::new(cache, Effect::Fails(exception), reason)
    }
}

/// The modules of a tree, found and not yet judged.
pub struct Simulation<'t> {
    tree: &'t Tree,
    launch: &'t Launch,
    indexes: Vec<Index<'t>>,
    modules: Vec<Module>,
    unused: Vec<ModuleReport>,
}

impl<'t> Simulation<'t> {
    /// Finds every module, reading nothing.
    pub fn new(tree: &'t Tree, launch: &'t Launch) -> Simulation<'t> {
        let mut finder = Finder::new(tree, launch);
        finder.walk();
        let left = leftovers(tree, &finder);
        let Finder { indexes, mut modules, mut unused, .. } = finder;
        unused.extend(left);
        modules.sort_by(|a, b| (a.root, &a.name).cmp(&(b.root, &b.name)));
        Simulation { tree, launch, indexes, modules, unused }
    }

    /// How many modules [`Simulation::judge`] knows.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// What becomes of the module with this number, and of files that it hides; nothing if there
    /// is no such number.
    pub fn judge(&self, number: usize, contents: &dyn Contents) -> Vec<ModuleReport> {
        let Some(module) = self.modules.get(number) else { return Vec::new() };
        let judge =
            Judge { tree: self.tree, launch: self.launch, indexes: &self.indexes, contents };
        judge.module(module)
    }

    /// Files that no import reaches.
    pub fn unused(&self) -> &[ModuleReport] {
        &self.unused
    }
}

/// All verdicts: first of the modules, by root and name, then of files that no import reaches.
pub fn simulate(tree: &Tree, launch: &Launch, contents: &dyn Contents) -> Vec<ModuleReport> {
    let simulation = Simulation::new(tree, launch);
    let mut reports: Vec<ModuleReport> =
        (0..simulation.len()).flat_map(|number| simulation.judge(number, contents)).collect();
    reports.extend(simulation.unused);
    reports
}

/// What loaders need to see.
pub(crate) struct Judge<'a, 't> {
    pub(crate) tree: &'a Tree,
    pub(crate) launch: &'a Launch,
    indexes: &'a [Index<'t>],
    pub(crate) contents: &'a dyn Contents,
}

impl<'t> Judge<'_, 't> {
    pub(crate) fn index(&self, root: usize) -> Option<&Index<'t>> {
        self.indexes.get(root)
    }

    /// The source is compiled, for a reason that is about the cache.
    pub(crate) fn compiles(
        &self,
        source: FileId,
        cache: Option<FileId>,
        reason: Reason,
    ) -> Verdict {
        Verdict { cache, effect: Effect::Compiles, reason, compiled: Some(source) }
    }

    fn module(&self, module: &Module) -> Vec<ModuleReport> {
        let root = module.root;
        let file = |entry| FileId { root, entry };
        match module.found {
            Found::Source { folder, entry } => {
                vec![self.report(module, file(entry), self.source(root, folder, entry))]
            }
            Found::Sourceless { entry } => {
                vec![self.report(module, file(entry), self.sourceless(root, entry))]
            }
            Found::Extension { entry } => {
                let verdict = Verdict::new(None, Effect::Loads, Reason::ExtensionModule);
                vec![self.report(module, file(entry), verdict)]
            }
            Found::Zip { folder, ref files } => {
                let (verdict, number) = self.zip(root, folder, files);
                let entry = |number: usize| files.get(number).copied().flatten();
                // The source of the cache, where it has one, is what the module is known by.
                let known_by = entry(number | 1).or(entry(number)).unwrap_or_default();
                let mut reports = vec![self.report(module, file(known_by), verdict)];
                let hidden = (number | 1) + 1;
                for hidden in (hidden..4).filter_map(entry) {
                    let shadow = Shadow { kind: ShadowKind::Package, by: Some(file(known_by)) };
                    let name = self.tree.entry(file(hidden)).map(|entry| entry.path.as_bytes());
                    reports.push(ModuleReport {
                        name: name.unwrap_or_default().to_vec(),
                        file: file(hidden),
                        cache: None,
                        effect: Effect::NotUsed,
                        reason: Reason::ShadowedBy(shadow),
                        compiled_bytes: 0,
                    });
                }
                reports
            }
        }
    }

    fn report(&self, module: &Module, file: FileId, verdict: Verdict) -> ModuleReport {
        let Verdict { cache, effect, reason, compiled } = verdict;
        let compiled = compiled.and_then(|file| self.tree.entry(file));
        let name = module.name.clone();
        let compiled_bytes = compiled.map_or(0, |entry| entry.size);
        ModuleReport { name, file, cache, effect, reason, compiled_bytes }
    }
}

#[cfg(test)]
mod tests;
