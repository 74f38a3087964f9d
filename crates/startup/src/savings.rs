//! What start-up would save without an import: the time of all modules that are loaded by way of it and
//! by no other way. In the terms of graphs: the time of what the module dominates. Knows nothing of why
//! modules import each other.

/// What each node costs with all that only it leads to, and the node that all ways to it lead through.
///
/// `costs` has one entry a node; `edges` go from importer to imported, and `roots` are loaded in any case.
/// What no root leads to counts as a root of its own. After Cooper, Harvey and Kennedy, *A Simple, Fast
/// Dominance Algorithm*; time is linear in the edges for graphs as shallow as these.
#[must_use]
pub fn savings(
    costs: &[u64],
    edges: &[(usize, usize)],
    roots: &[usize],
) -> Vec<(u64, Option<usize>)> {
    let count = costs.len();
    // One more node stands for the start of the program.
    let start = count;
    let mut successors: Vec<Vec<usize>> = vec![Vec::new(); count.saturating_add(1)];
    let mut predecessors = successors.clone();
    let mut link = |from: usize, to: usize| {
        if from != to
            && let (Some(down), true) = (successors.get_mut(from), to < count)
        {
            down.push(to);
            if let Some(up) = predecessors.get_mut(to) {
                up.push(from);
            }
        }
    };
    roots.iter().for_each(|root| link(start, *root));
    edges.iter().filter(|(from, _)| *from < count).for_each(|(from, to)| link(*from, *to));
    let mut reached = postorder(&successors, start);
    for lonely in 0..count {
        if reached.number.get(lonely).is_none_or(Option::is_none) {
            if let Some(down) = successors.get_mut(start) {
                down.push(lonely);
            }
            if let Some(up) = predecessors.get_mut(lonely) {
                up.push(start);
            }
            reached = postorder(&successors, start);
        }
    }
    let dominators = dominators(&reached, &predecessors, start);
    let mut sums: Vec<u64> = costs.to_vec();
    // What comes later in the order is dominated by what comes earlier, never the other way round.
    for node in &reached.order {
        let sum = sums.get(*node).copied().unwrap_or(0);
        if let Some(above) = dominators.get(*node).copied().flatten()
            && let Some(place) = sums.get_mut(above)
        {
            *place = place.saturating_add(sum);
        }
    }
    let above = |node: usize| dominators.get(node).copied().flatten().filter(|at| *at != start);
    sums.into_iter().enumerate().map(|(node, sum)| (sum, above(node))).collect()
}

struct Order {
    /// Nodes, those that lead nowhere first.
    order: Vec<usize>,
    /// The place of each node in it.
    number: Vec<Option<usize>>,
}

fn postorder(successors: &[Vec<usize>], start: usize) -> Order {
    let mut number: Vec<Option<usize>> = vec![None; successors.len()];
    let mut seen = vec![false; successors.len()];
    let mut order = Vec::with_capacity(successors.len());
    let mut open: Vec<(usize, usize)> = vec![(start, 0)];
    if let Some(place) = seen.get_mut(start) {
        *place = true;
    }
    while let Some((node, next)) = open.pop() {
        let child = successors.get(node).and_then(|down| down.get(next)).copied();
        match child {
            Some(child) => {
                open.push((node, next.saturating_add(1)));
                if let Some(place @ &mut false) = seen.get_mut(child) {
                    *place = true;
                    open.push((child, 0));
                }
            }
            None => {
                if let Some(place) = number.get_mut(node) {
                    *place = Some(order.len());
                }
                order.push(node);
            }
        }
    }
    Order { order, number }
}

fn dominators(order: &Order, predecessors: &[Vec<usize>], start: usize) -> Vec<Option<usize>> {
    let mut above: Vec<Option<usize>> = vec![None; predecessors.len()];
    if let Some(place) = above.get_mut(start) {
        *place = Some(start);
    }
    let number = |node: usize| order.number.get(node).copied().flatten().unwrap_or(0);
    let mut changed = true;
    while changed {
        changed = false;
        for node in order.order.iter().rev().copied().filter(|node| *node != start) {
            let mut found: Option<usize> = None;
            for from in predecessors.get(node).into_iter().flatten().copied() {
                if above.get(from).copied().flatten().is_none() {
                    continue;
                }
                found = Some(match found {
                    None => from,
                    Some(other) => meet(&above, &number, from, other),
                });
            }
            if let Some(place) = above.get_mut(node)
                && *place != found
            {
                *place = found;
                changed = true;
            }
        }
    }
    above
}

fn meet(
    above: &[Option<usize>],
    number: &impl Fn(usize) -> usize,
    mut left: usize,
    mut right: usize,
) -> usize {
    let up = |node: usize| above.get(node).copied().flatten().unwrap_or(node);
    while left != right {
        while number(left) < number(right) {
            left = up(left);
        }
        while number(right) < number(left) {
            right = up(right);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_only_one_leads_to() {
        // 0 → 1 → 3, 0 → 2 → 3, 2 → 4; 5 by itself.
        let edges = [(0, 1), (1, 3), (0, 2), (2, 3), (2, 4)];
        let found = savings(&[1, 10, 100, 1000, 10_000, 7], &edges, &[0]);
        assert_eq!(
            found,
            [
                (11_111, None),
                (10, Some(0)),
                (10_100, Some(0)),
                (1000, Some(0)),
                (10_000, Some(2)),
                (7, None)
            ]
        );
        assert_eq!(savings(&[], &[(0, 1)], &[3]), []);
    }

    /// What is still reached from the roots without a node, by trying it.
    fn by_trying(costs: &[u64], edges: &[(usize, usize)], roots: &[usize]) -> Vec<u64> {
        let reached = |without: Option<usize>, roots: &[usize]| {
            let mut seen = vec![false; costs.len()];
            let mut open: Vec<usize> =
                roots.iter().copied().filter(|root| Some(*root) != without).collect();
            while let Some(node) = open.pop() {
                if !std::mem::replace(&mut seen[node], true) {
                    let next = edges.iter().filter(|edge| edge.0 == node).map(|edge| edge.1);
                    open.extend(next.filter(|to| Some(*to) != without));
                }
            }
            seen
        };
        let mut roots = roots.to_vec();
        for node in 0..costs.len() {
            if !reached(None, &roots)[node] {
                roots.push(node);
            }
        }
        let lost = |node: usize| {
            let left = reached(Some(node), &roots);
            (0..costs.len()).filter(|other| !left[*other]).map(|other| costs[other]).sum()
        };
        (0..costs.len()).map(lost).collect()
    }

    proptest! {
        #[test]
        fn as_by_trying(
            costs in proptest::collection::vec(0..1000_u64, 1..12),
            edges in proptest::collection::vec((0..12_usize, 0..12_usize), 0..30),
            roots in proptest::collection::vec(0..12_usize, 0..3),
        ) {
            let count = costs.len();
            let edges: Vec<(usize, usize)> =
                edges.into_iter().map(|(from, to)| (from % count, to % count)).collect();
            let roots: Vec<usize> = roots.into_iter().map(|root| root % count).collect();
            let sums: Vec<u64> =
                savings(&costs, &edges, &roots).into_iter().map(|(sum, _)| sum).collect();
            prop_assert_eq!(sums, by_trying(&costs, &edges, &roots));
        }
    }
}
