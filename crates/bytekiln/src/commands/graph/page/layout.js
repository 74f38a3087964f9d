// Says where boxes are: in each frame layers by the direction of imports (who imports stands above), and
// frames in frames. The same boxes always give the same picture. Knows nothing of modules and of how
// boxes are drawn.
"use strict";

const Layout = (() => {
  const GAP = 16, LAYER_GAP = 34, ROW_GAP = 12, PADDING = 14, TITLE = 30;

  // Places all items that are seen. `size(item)` is `[width, height]` of a box; `bundles` are imports between
  // boxes. Gives a Map from ids to `{x, y, w, h}` and the size of the whole.
  const place = (tree, view, bundles, size, aspect) => {
    const inFrame = new Map([[tree.root.id, []]]);
    for (const frame of view.frames) inFrame.set(frame.id, []);
    for (const it of [...view.frames, ...view.boxes]) inFrame.get(it.parent.id).push(it);
    for (const list of inFrame.values()) list.sort((a, b) => a.id - b.id);
    // Each bundle counts in the one frame where its ends are parts of different children.
    const between = new Map();
    for (const { from, to, count } of bundles) {
      let a = tree.items[from], b = tree.items[to];
      while (a.parent !== b.parent) {
        if (a.depth > b.depth) a = a.parent;
        else if (b.depth > a.depth) b = b.parent;
        else [a, b] = [a.parent, b.parent];
      }
      if (a === b) continue;
      if (!between.has(a.parent.id)) between.set(a.parent.id, []);
      between.get(a.parent.id).push([a, b, count]);
    }
    const places = new Map();
    const arrangeFrame = (frame, ratio) => {
      const children = inFrame.get(frame.id);
      const sizes = children.map((it) => {
        if (!inFrame.has(it.id)) return size(it);
        const inner = arrangeFrame(it, 1.7);
        return [Math.max(inner.width + 2 * PADDING, size(it)[0]), inner.height + TITLE + PADDING];
      });
      const number = new Map(children.map((it, at) => [it, at]));
      const sums = new Map();
      for (const [a, b, count] of between.get(frame.id) ?? []) {
        const key = number.get(a) * children.length + number.get(b);
        sums.set(key, (sums.get(key) ?? 0) + count);
      }
      const edges = [...sums].map(([key, count]) => [Math.floor(key / children.length), key % children.length, count]);
      edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      const arranged = arrange(sizes, edges, ratio);
      children.forEach((it, at) => places.set(it.id, { x: arranged.x[at], y: arranged.y[at], w: sizes[at][0], h: sizes[at][1] }));
      return arranged;
    };
    const { width, height } = arrangeFrame(tree.root, aspect);
    // From places in frames to places in the whole.
    for (const frame of view.frames) {
      const outer = places.get(frame.id);
      const least = inFrame.get(frame.id).reduce((most, it) => Math.max(most, places.get(it.id).x + places.get(it.id).w), 0);
      const indent = Math.max(PADDING, (outer.w - least) / 2);
      for (const it of inFrame.get(frame.id)) {
        const inner = places.get(it.id);
        inner.x += outer.x + indent;
        inner.y += outer.y + TITLE;
      }
    }
    return { places, width, height };
  };

  // Boxes of one frame: layers, order in layers, rows, coordinates.
  const arrange = (sizes, edges, aspect) => {
    const count = sizes.length;
    if (count === 0) return { x: [], y: [], width: 0, height: 0 };
    const layers = order(layer(count, edges), count, edges);
    const rows = wrap(layers, sizes, aspect);
    return coordinates(rows, sizes, edges, count);
  };

  // Longest ways over the graph in which cycles are cut: lists of numbers, importers first; what neither
  // imports nor is imported comes last.
  const layer = (count, edges) => {
    const sequence = sequenceOf(count, edges);
    const position = new Array(count);
    sequence.forEach((node, at) => { position[node] = at; });
    const out = Array.from({ length: count }, () => []);
    const touched = new Array(count).fill(false);
    for (const [from, to] of edges) {
      touched[from] = touched[to] = true;
      if (position[from] < position[to]) out[from].push(to);
    }
    const height = new Array(count).fill(0);
    for (let at = count - 1; at >= 0; at--) {
      for (const other of out[sequence[at]]) height[sequence[at]] = Math.max(height[sequence[at]], height[other] + 1);
    }
    const most = Math.max(0, ...height);
    const layers = Array.from({ length: most + 2 }, () => []);
    for (let node = 0; node < count; node++) layers[touched[node] ? most - height[node] : most + 1].push(node);
    return layers.filter((list) => list.length > 0);
  };

  // All numbers so that few imports lead back: components in their order, and in each the greedy way of
  // Eades, Lin and Smyth.
  const sequenceOf = (count, edges) => {
    const out = Array.from({ length: count }, () => []);
    for (const [from, to] of edges) out[from].push(to);
    const { of, number } = Questions.components(count, (node) => out[node]);
    const members = Array.from({ length: number }, () => []);
    for (let node = 0; node < count; node++) members[of[node]].push(node);
    const inner = Array.from({ length: number }, () => []);
    for (const edge of edges) if (of[edge[0]] === of[edge[1]]) inner[of[edge[0]]].push(edge);
    const sequence = [];
    for (let at = number - 1; at >= 0; at--) sequence.push(...(members[at].length > 1 ? greedy(members[at], inner[at]) : members[at]));
    return sequence;
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

  // Orders each layer by where its neighbours are, down and up again.
  const order = (layers, count, edges) => {
    const beside = Array.from({ length: count }, () => []);
    const level = new Array(count);
    layers.forEach((list, at) => list.forEach((node) => { level[node] = at; }));
    for (const [from, to, weight] of edges) {
      const strength = Math.log2(weight + 1) / Math.abs(level[from] - level[to] || 1);
      beside[from].push([to, strength]);
      beside[to].push([from, strength]);
    }
    const position = new Array(count);
    const set = (list) => list.forEach((node, at) => { position[node] = (at + 0.5) / list.length; });
    layers.forEach(set);
    for (let sweep = 0; sweep < 8; sweep++) {
      const down = sweep % 2 === 0;
      const at = down ? layers.keys() : [...layers.keys()].reverse();
      for (const layerAt of at) {
        const wish = new Map(layers[layerAt].map((node) => {
          let sum = 0, weight = 0;
          for (const [other, strength] of beside[node]) {
            if (down ? level[other] < layerAt : level[other] > layerAt) {
              sum += position[other] * strength;
              weight += strength;
            }
          }
          return [node, weight > 0 ? sum / weight : position[node]];
        }));
        layers[layerAt].sort((a, b) => wish.get(a) - wish.get(b) || a - b);
        set(layers[layerAt]);
      }
    }
    return layers;
  };

  // Cuts layers into rows so that the whole has about the shape asked for.
  const wrap = (layers, sizes, aspect) => {
    const widest = Math.max(...sizes.map(([w]) => w));
    const total = Math.max(...layers.map((list) => list.reduce((sum, node) => sum + sizes[node][0] + GAP, -GAP)));
    let best = null;
    for (let width = widest; ; width *= 1.15) {
      const rows = [];
      let height = 0, used = 0;
      layers.forEach((list, at) => {
        const length = list.reduce((sum, node) => sum + sizes[node][0] + GAP, -GAP);
        const parts = Math.max(1, Math.ceil((length + GAP) / (width + GAP)));
        let row = [], filled = 0;
        const close = (last) => {
          const tallest = Math.max(...row.map((node) => sizes[node][1]));
          rows.push({ nodes: row, height: tallest, after: last ? LAYER_GAP : ROW_GAP });
          height += tallest + (last ? LAYER_GAP : ROW_GAP);
          used = Math.max(used, filled - GAP);
          row = [];
          filled = 0;
        };
        for (const node of list) {
          const next = sizes[node][0] + GAP;
          if (row.length > 0 && (filled + next - GAP > width || parts > 1 && filled + next / 2 > (length + GAP) / parts)) close(false);
          row.push(node);
          filled += next;
        }
        close(true);
        if (at === layers.length - 1) height -= LAYER_GAP;
      });
      const cost = Math.max(used / aspect, height);
      if (!best || cost < best.cost * 0.999) best = { rows, cost };
      if (width >= total) return best.rows;
    }
  };

  // Boxes stand near the middle of what they are connected with, without touching.
  const coordinates = (rows, sizes, edges, count) => {
    const width = Math.max(...rows.map((row) => row.nodes.reduce((sum, node) => sum + sizes[node][0] + GAP, -GAP)));
    const x = new Array(count).fill(0), y = new Array(count).fill(0);
    let top = 0;
    for (const row of rows) {
      let at = (width - row.nodes.reduce((sum, node) => sum + sizes[node][0] + GAP, -GAP)) / 2;
      for (const node of row.nodes) {
        x[node] = at;
        y[node] = top + (row.height - sizes[node][1]) / 2;
        at += sizes[node][0] + GAP;
      }
      top += row.height + row.after;
    }
    const height = top - rows[rows.length - 1].after;
    const beside = Array.from({ length: count }, () => []);
    for (const [from, to, weight] of edges) {
      beside[from].push([to, Math.log2(weight + 1)]);
      beside[to].push([from, Math.log2(weight + 1)]);
    }
    for (let sweep = 0; sweep < 6; sweep++) {
      for (const row of sweep % 2 === 0 ? rows : [...rows].reverse()) {
        const wishes = row.nodes.map((node) => {
          let sum = 0, weight = 0;
          for (const [other, strength] of beside[node]) {
            sum += (x[other] + sizes[other][0] / 2) * strength;
            weight += strength;
          }
          const left = weight > 0 ? sum / weight - sizes[node][0] / 2 : x[node];
          return Math.min(Math.max(left, 0), width - sizes[node][0]);
        });
        settle(row.nodes, wishes, sizes, width, x);
      }
    }
    return { x, y, width, height };
  };

  // Nearest to the wishes, in order, with gaps (the pool of adjacent violators).
  const settle = (nodes, wishes, sizes, width, x) => {
    const offsets = [];
    let sum = 0;
    for (const node of nodes) {
      offsets.push(sum);
      sum += sizes[node][0] + GAP;
    }
    const pools = [];
    nodes.forEach((_, at) => {
      pools.push({ mean: wishes[at] - offsets[at], count: 1 });
      while (pools.length > 1 && pools[pools.length - 2].mean > pools[pools.length - 1].mean) {
        const b = pools.pop(), a = pools.pop();
        pools.push({ mean: (a.mean * a.count + b.mean * b.count) / (a.count + b.count), count: a.count + b.count });
      }
    });
    const room = width - (sum - GAP);
    let at = 0;
    for (const { mean, count } of pools) {
      for (let i = 0; i < count; i++, at++) x[nodes[at]] = Math.min(Math.max(mean, 0), room) + offsets[at];
    }
  };

  // Bundles that no longer way between boxes implies: without them each box still reaches the same
  // boxes. Bundles in cycles always stay.
  const essential = (bundles) => {
    const ids = [...new Set(bundles.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
    const number = new Map(ids.map((id, at) => [id, at]));
    const out = ids.map(() => []);
    for (const { from, to } of bundles) out[number.get(from)].push(number.get(to));
    const { of, number: total } = Questions.components(ids.length, (node) => out[node]);
    // Components come after what they lead to, so that one pass knows all that each reaches.
    const words = (total + 31) >> 5;
    const reach = new Uint32Array(total * words);
    const next = Array.from({ length: total }, () => new Set());
    out.forEach((list, node) => list.forEach((other) => { if (of[other] !== of[node]) next[of[node]].add(of[other]); }));
    const has = (component, other) => (reach[component * words + (other >> 5)] >>> (other & 31)) & 1;
    const kept = Array.from({ length: total }, () => new Set());
    for (let component = 0; component < total; component++) {
      // The farthest first: what it reaches need not be said again.
      for (const other of [...next[component]].sort((a, b) => b - a)) {
        if (has(component, other)) continue;
        kept[component].add(other);
        reach[component * words + (other >> 5)] |= 1 << (other & 31);
        for (let word = 0; word < words; word++) reach[component * words + word] |= reach[other * words + word];
      }
    }
    return bundles.filter(({ from, to }) => {
      const a = of[number.get(from)], b = of[number.get(to)];
      return a === b || kept[a].has(b);
    });
  };

  // Which bundles are in a cycle of boxes.
  const inCycle = (bundles) => {
    const ids = [...new Set(bundles.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
    const number = new Map(ids.map((id, at) => [id, at]));
    const out = ids.map(() => []);
    for (const { from, to } of bundles) out[number.get(from)].push(number.get(to));
    const { of } = Questions.components(ids.length, (node) => out[node]);
    return bundles.map(({ from, to }) => of[number.get(from)] === of[number.get(to)]);
  };

  return { place, essential, inCycle };
})();
