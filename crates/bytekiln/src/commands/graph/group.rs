//! Larger nodes: packages, members, distributions. Knows nothing of how they are drawn.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use bytekiln_graph::{Kinds, NodeKind, OwnerKind, Which};

use super::document::{GraphDocument, GroupEdge, GroupRow, ModuleRow, OwnerRow, least};
use crate::arguments::GroupChoice;

type Key = (&'static str, Option<u32>, String);

/// Puts modules into groups, and adds up the imports between these.
pub(super) fn group(
    document: &mut GraphDocument<'_>,
    by: GroupChoice,
    depth: Option<NonZeroUsize>,
) {
    document.groups.clear();
    document.group_edges.clear();
    document.by = match by {
        GroupChoice::Module => "module",
        GroupChoice::Package => "package",
        GroupChoice::Distribution => "distribution",
        GroupChoice::Member => "member",
    };
    if by == GroupChoice::Module {
        document.modules.iter_mut().for_each(|module| module.group = None);
        return;
    }
    let mut numbers: BTreeMap<Key, u32> = BTreeMap::new();
    for module in &mut document.modules {
        let (kind, owner, name) = key(module, &document.owners, by, depth);
        let next = u32::try_from(document.groups.len()).unwrap_or(u32::MAX);
        let number = *numbers.entry((kind, owner, name.clone())).or_insert_with(|| {
            document.groups.push(GroupRow { name, kind, owner, modules: 0, inner: 0 });
            next
        });
        module.group = Some(number);
        if let Some(group) = document.groups.get_mut(number as usize) {
            group.modules += 1;
        }
    }
    tell_apart(&mut document.groups, &document.owners);
    let group_of = |module: u32| document.modules.get(module as usize).and_then(|row| row.group);
    let mut between: BTreeMap<(u32, u32), GroupEdge> = BTreeMap::new();
    for (first, edge) in (0_u32..).zip(document.edges.iter()) {
        let (Some(from), Some(to)) = (group_of(edge.from), group_of(edge.to)) else { continue };
        if from == to {
            if let Some(group) = document.groups.get_mut(from as usize)
                && !edge.kinds.any(Kinds::PACKAGE)
            {
                group.inner += 1;
            }
        } else if !edge.kinds.any(Kinds::PACKAGE) {
            let sum = between.entry((from, to)).or_insert(GroupEdge {
                from,
                to,
                count: 0,
                which: Which::All,
                kinds: edge.kinds,
                first,
            });
            sum.count += 1;
            sum.which = sum.which.min(least(edge.kinds));
            sum.kinds = sum.kinds.without(sum.kinds.without(edge.kinds));
        }
    }
    document.group_edges = between.into_values().collect();
}

/// The largest depth at which packages are at most `limit` nodes, or else members or distributions;
/// none if modules are few enough.
pub(super) fn group_to_fit(document: &mut GraphDocument<'_>, nodes: usize, edges: usize) -> bool {
    let drawn = document.edges.iter().filter(|edge| !edge.kinds.any(Kinds::PACKAGE)).count();
    if document.modules.len() <= nodes && drawn <= edges {
        return false;
    }
    let deep = document.modules.iter().map(|module| module.name.split('.').count()).max();
    let depths = (1..deep.unwrap_or(1)).rev().filter_map(NonZeroUsize::new);
    let choices = depths
        .map(|depth| (GroupChoice::Package, Some(depth)))
        .chain([(GroupChoice::Distribution, None), (GroupChoice::Member, None)]);
    for (by, depth) in choices {
        group(document, by, depth);
        if document.groups.len() <= nodes && document.group_edges.len() <= edges {
            break;
        }
    }
    true
}

fn key(
    module: &ModuleRow<'_>,
    owners: &[OwnerRow<'_>],
    by: GroupChoice,
    depth: Option<NonZeroUsize>,
) -> Key {
    let whole = |kind: &'static str, name: &str| (kind, None, name.to_owned());
    match module.kind {
        NodeKind::Unresolved(_) => return whole("unresolved", "unresolved"),
        NodeKind::Generated => return whole("generated", "generated"),
        NodeKind::StandardLibrary => return whole("standard-library", "standard library"),
        _ => {}
    }
    let owner = module.owner.and_then(|owner| owners.get(owner as usize));
    match owner.map(|owner| owner.kind) {
        Some(OwnerKind::StandardLibrary) => whole("standard-library", "standard library"),
        Some(OwnerKind::Distribution) if by == GroupChoice::Member => {
            whole("third-party", "third party")
        }
        Some(OwnerKind::Distribution) => {
            let name = owner.map(|owner| owner.name).unwrap_or_default();
            ("distribution", module.owner, name.to_owned())
        }
        Some(OwnerKind::Member) if by != GroupChoice::Package => {
            let name = owner.map(|owner| owner.name).unwrap_or_default();
            ("member", module.owner, name.to_owned())
        }
        None if by != GroupChoice::Package => whole("namespace", "namespace packages"),
        Some(OwnerKind::Member) | None => ("package", module.owner, package(module, depth)),
    }
}

/// The package that a module is in, itself if it is one, or the folder of what no import finds; at
/// most so many names.
fn package(module: &ModuleRow<'_>, depth: Option<NonZeroUsize>) -> String {
    let (separator, folder) = match (module.kind, module.file) {
        (NodeKind::Unimportable, _) => ('/', false),
        (NodeKind::Package | NodeKind::Namespace, _) => ('.', true),
        (_, Some((_, path))) => ('.', path.file_name().starts_with(b"__init__.")),
        (_, None) => ('.', false),
    };
    let name = module.name;
    let of = match name.rfind(separator) {
        _ if folder => name,
        Some(at) => name.get(..at).unwrap_or(name),
        None if separator == '/' => ".",
        None => name,
    };
    let mut ends = of.match_indices(separator).map(|(at, _)| at);
    let end = depth.and_then(|depth| ends.nth(depth.get() - 1)).unwrap_or(of.len());
    let mut text = of.get(..end).unwrap_or(of).to_owned();
    if separator == '/' {
        text.push('/');
    }
    text
}

/// Two members may have one package: then its names say whose it is.
fn tell_apart(groups: &mut [GroupRow], owners: &[OwnerRow<'_>]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for group in groups.iter() {
        *counts.entry(group.name.clone()).or_default() += 1;
    }
    for group in groups {
        let owner = group.owner.and_then(|owner| owners.get(owner as usize));
        if let Some(owner) = owner
            && counts.get(&group.name).is_some_and(|count| *count > 1)
        {
            group.name = format!("{} ({})", group.name, owner.name);
        }
    }
}
