//! Code objects that stand at different places in the constants of two code objects, paired by
//! their names. That they stand elsewhere is a difference; what differs within is found beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::values::Operand;
use super::walk::{CodePair, Pair, Walk};
use super::{Found, Place};
use crate::canonical::values::ValueId;
use crate::marshal::CodeField;

/// Pairs them; `moved` are those that stand at the same index as one of another name, `alone` those
/// of either side that stand where the other has something else or nothing.
pub(super) fn pair(
    walk: &mut Walk<'_>,
    pair: CodePair,
    alone: [Vec<(u32, ValueId)>; 2],
    moved: &[(u32, Pair)],
) {
    let [l, r] = walk.sides;
    let [mut on_left, mut on_right] = alone;
    on_left.extend(moved.iter().map(|(index, [left, _])| (*index, *left)));
    on_right.extend(moved.iter().map(|(index, [_, right])| (*index, *right)));
    on_left.sort_unstable();
    on_right.sort_unstable();

    let names = Names::new(l, r, &on_left, &on_right);
    let mut by_name: BTreeMap<Pair, Vec<(u32, ValueId)>> = BTreeMap::new();
    for (index, id) in on_right.iter().rev() {
        by_name.entry(names_of(r, *id)).or_default().push((*index, *id));
    }
    let mut paired = [BTreeSet::new(), BTreeSet::new()];
    for (index, id) in &on_left {
        let candidates = names.on_right(l, *id).and_then(|name| by_name.get_mut(&name));
        let Some((other_index, other)) = candidates.and_then(Vec::pop) else { continue };
        let [of_left, of_right] = &mut paired;
        of_left.insert(*index);
        of_right.insert(other_index);
        if walk.known([*id, other]) == (0, 0) {
            walk.descend(pair, [*index, other_index], [*id, other]);
        }
    }
    let [of_left, of_right] = &paired;
    for (index, ids) in moved {
        let alone = !of_left.contains(index) && !of_right.contains(index);
        if alone && walk.known(*ids) == (0, 0) {
            // Renamed; the name will be told as what differs.
            walk.descend(pair, [*index; 2], *ids);
            continue;
        }
        let [left, right] = *ids;
        let found = [Found::Object(l.node(left)), Found::Object(r.node(right))];
        let place = || Place::Field { field: CodeField::Consts, elements: vec![*index] };
        walk.report(pair, place, found, false);
    }
}

/// `co_name` and `co_qualname`, as values of the code object's own side.
fn names_of(side: &Operand<'_>, code: ValueId) -> Pair {
    [CodeField::Name, CodeField::Qualname].map(|field| side.field(code, field).unwrap_or_default())
}

/// Names of the left as values of the right.
struct Names(BTreeMap<ValueId, ValueId>);

impl Names {
    /// Each name is read once, however many code objects have it.
    fn new(
        left: &Operand<'_>,
        right: &Operand<'_>,
        on_left: &[(u32, ValueId)],
        on_right: &[(u32, ValueId)],
    ) -> Names {
        let all = |side: &Operand<'_>, codes: &[(u32, ValueId)]| -> BTreeSet<ValueId> {
            codes.iter().flat_map(|(_, id)| names_of(side, *id)).collect()
        };
        let content = |side: &Operand<'_>, id: ValueId| {
            let values = side.values();
            values.content(values.get(id)).to_vec()
        };
        let rights: BTreeMap<Vec<u8>, ValueId> =
            all(right, on_right).into_iter().map(|id| (content(right, id), id)).collect();
        let lefts = all(left, on_left).into_iter();
        Names(lefts.filter_map(|id| Some((id, *rights.get(&content(left, id))?))).collect())
    }

    fn on_right(&self, left: &Operand<'_>, code: ValueId) -> Option<Pair> {
        let [name, qualname] = names_of(left, code);
        Some([*self.0.get(&name)?, *self.0.get(&qualname)?])
    }
}
