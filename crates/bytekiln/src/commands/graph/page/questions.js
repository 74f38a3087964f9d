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

  // All numbers so that few imports lead back: components in their order, and in each the greedy way of
  // Eades, Lin and Smyth.
  const sequence = (count, edges) => {
    const out = Array.from({ length: count }, () => []);
    for (const [from, to] of edges) out[from].push(to);
    const { of, number } = components(count, (node) => out[node]);
    const members = Array.from({ length: number }, () => []);
    for (let node = 0; node < count; node++) members[of[node]].push(node);
    const inner = Array.from({ length: number }, () => []);
    for (const edge of edges) if (of[edge[0]] === of[edge[1]]) inner[of[edge[0]]].push(edge);
    const all = [];
    for (let at = number - 1; at >= 0; at--) all.push(...(members[at].length > 1 ? greedy(members[at], inner[at]) : members[at]));
    return all;
  };

  const greedy = (nodes, edges) => {
    const balance = new Map(nodes.map((node) => [node, { out: 0, into: 0, to: [], from: [] }]));
    for (const [from, to, weight] of edges) {
      if (from === to) continue;
      balance.get(from).out += weight;
      balance.get(to).into += weight;
      balance.get(from).to.push([to, weight]);
      balance.get(to).from.push([from, weight]);
    }
    const left = new Set(nodes), first = [], last = [];
    const take = (node) => {
      left.delete(node);
      for (const [other, weight] of balance.get(node).to) balance.get(other).into -= weight;
      for (const [other, weight] of balance.get(node).from) balance.get(other).out -= weight;
    };
    while (left.size > 0) {
      let best = -1, most = -Infinity, sink = -1;
      for (const node of left) {
        const { out, into } = balance.get(node);
        if (out === 0) { sink = node; break; }
        const score = into === 0 ? Infinity : out - into;
        if (score > most || best < 0) { best = node; most = score; }
      }
      const node = sink >= 0 ? sink : best;
      take(node);
      if (sink >= 0) last.push(node); else first.push(node);
    }
    return [...first, ...last.reverse()];
  };

  // Imports whose removal leaves no cycle among the modules of one: few, not always the fewest.
  const cut = (model, cycle) => {
    const number = new Map(cycle.nodes.map((node, at) => [node, at]));
    const size = cycle.nodes.length, between = new Map();
    for (const node of cycle.nodes) {
      for (let edge = model.start[node]; edge < model.start[node + 1]; edge++) {
        if (!cycle.inside(edge) || model.to[edge] === node) continue;
        const key = number.get(node) * size + number.get(model.to[edge]);
        if (!between.has(key)) between.set(key, []);
        between.get(key).push(edge);
      }
    }
    const edges = [...between].map(([key, list]) => [Math.floor(key / size), key % size, list.length]);
    const position = new Array(size);
    sequence(size, edges).forEach((node, at) => { position[node] = at; });
    return edges.filter(([from, to]) => position[to] < position[from]).flatMap(([from, to]) => between.get(from * size + to));
  };

  return { around, chain, components, cycles, roundTrip, sequence, cut };
})();
