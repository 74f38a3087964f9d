// Questions to the graph of modules: what reaches what, by which chain, and in which cycles. Knows
// nothing of groups, of the view, or of the document. `follows(edge)` says which imports count.
"use strict";

const Questions = (() => {
  // Nodes at most `steps` away from any of `starts`; `way` is "imports", "importers" or "both" (each way
  // on its own: what a node imports, and who imports it, but not what else its importers import).
  const around = (model, starts, way, steps, follows) => {
    const found = new Set(starts);
    const walk = (forwards) => {
      const seen = new Set(starts);
      let edge = [...starts];
      for (let step = 0; step < steps && edge.length > 0; step++) {
        const next = [];
        for (const node of edge) {
          for (const other of neighbours(model, node, forwards, follows)) {
            if (!seen.has(other)) {
              seen.add(other);
              found.add(other);
              next.push(other);
            }
          }
        }
        edge = next;
      }
    };
    if (way !== "importers") walk(true);
    if (way !== "imports") walk(false);
    return found;
  };

  const neighbours = function* (model, node, forwards, follows) {
    if (forwards) {
      for (let edge = model.start[node]; edge < model.start[node + 1]; edge++) if (follows(edge)) yield model.to[edge];
    } else {
      for (let at = model.backStart[node]; at < model.backStart[node + 1]; at++) {
        if (follows(model.back[at])) yield model.from[model.back[at]];
      }
    }
  };

  // The edges of a shortest chain of imports from one of `starts` to one of `ends`; none if there is no
  // chain, empty if one is in both.
  const chain = (model, starts, ends, follows) => {
    const goal = new Set(ends);
    if (starts.some((node) => goal.has(node))) return [];
    const by = new Int32Array(model.count).fill(-1);
    const seen = new Uint8Array(model.count);
    for (const node of starts) seen[node] = 1;
    const queue = [...starts];
    for (let at = 0; at < queue.length; at++) {
      const node = queue[at];
      for (let edge = model.start[node]; edge < model.start[node + 1]; edge++) {
        const other = model.to[edge];
        if (seen[other] || !follows(edge)) continue;
        seen[other] = 1;
        by[other] = edge;
        if (goal.has(other)) return backwards(model, by, other);
        queue.push(other);
      }
    }
    return null;
  };

  const backwards = (model, by, end) => {
    const edges = [];
    for (let node = end; by[node] >= 0; node = model.from[by[node]]) edges.push(by[node]);
    return edges.reverse();
  };

  // Strongly connected components of a graph of numbers (Tarjan, with a stack of its own): for each node
  // the number of its component, numbered so that a component comes after all that it leads to.
  const components = (count, outgoing) => {
    const of = new Int32Array(count).fill(-1);
    const index = new Int32Array(count).fill(-1), low = new Int32Array(count);
    const open = [], work = [];
    let clock = 0, number = 0;
    for (let root = 0; root < count; root++) {
      if (index[root] >= 0) continue;
      work.push([root, outgoing(root)[Symbol.iterator]()]);
      index[root] = low[root] = clock++;
      open.push(root);
      while (work.length > 0) {
        const [node, rest] = work[work.length - 1];
        const { value: other, done } = rest.next();
        if (done) {
          work.pop();
          if (work.length > 0) {
            const parent = work[work.length - 1][0];
            low[parent] = Math.min(low[parent], low[node]);
          }
          if (low[node] === index[node]) {
            for (;;) {
              const member = open.pop();
              of[member] = number;
              if (member === node) break;
            }
            number++;
          }
        } else if (index[other] < 0) {
          index[other] = low[other] = clock++;
          open.push(other);
          work.push([other, outgoing(other)[Symbol.iterator]()]);
        } else if (of[other] < 0) {
          low[node] = Math.min(low[node], index[other]);
        }
      }
    }
    return { of, number };
  };

  // Cycles among modules, largest first: modules that all import each other, if by detours. The package
  // around a module is no cycle with it.
  const cycles = (model, follows) => {
    const counts = (edge) => follows(edge) && !model.labels[model.label[edge]].includes("package");
    const { of, number } = components(model.count, (node) => neighbours(model, node, true, counts));
    const members = Array.from({ length: number }, () => []);
    for (let node = 0; node < model.count; node++) members[of[node]].push(node);
    const found = members.filter((nodes) => nodes.length > 1);
    found.sort((a, b) => b.length - a.length || a[0] - b[0]);
    return found.map((nodes) => ({ nodes, of: of[nodes[0]], inside: (edge) => counts(edge) && of[model.from[edge]] === of[nodes[0]] && of[model.to[edge]] === of[nodes[0]] }));
  };

  // A way round a cycle, as short as any through its first module.
  const roundTrip = (model, cycle) => {
    const first = cycle.nodes[0];
    let best = null;
    for (let edge = model.start[first]; edge < model.start[first + 1]; edge++) {
      if (!cycle.inside(edge) || model.to[edge] === first) continue;
      const rest = chain(model, [model.to[edge]], [first], cycle.inside);
      if (rest && (!best || rest.length + 1 < best.length)) best = [edge, ...rest];
    }
    return best ?? [];
  };

  return { around, chain, components, cycles, roundTrip };
})();
