// Says where boxes are: in each frame layers by the direction of imports (who imports stands above), and
// frames in frames. The same boxes always give the same picture. Knows nothing of modules and of how
// boxes are drawn.
"use strict";

const Layout = (() => {
  const GAP = 16, LAYER_GAP = 34, ROW_GAP = 14, COLUMN_GAP = 44, PADDING = 14, TITLE = 30;

  const TRIED = 500;

  // Places all items that are seen. `size(item)` is `[width, height]` of a box; `bundles` are imports between
  // boxes; `aspect` is width by height that is best. Gives a Map from ids to `{x, y, w, h}`, the size of the
  // whole, and the order of boxes in which few imports lead back.
  const place = (tree, view, bundles, size, aspect) => {
    let best = null;
    // Frames in frames may be wide or narrow: which makes the whole fit best? Not for many boxes.
    for (const inner of view.frames.length > 1 && view.boxes.length <= TRIED ? [1.7, 1.1, 0.7] : [1.7]) {
      const tried = placeWith(tree, view, bundles, size, aspect, inner);
      const cost = Math.max(tried.width / aspect, tried.height);
      if (!best || cost < best.cost * 0.93) best = { ...tried, cost };
    }
    return best;
  };

  const placeWith = (tree, view, bundles, size, aspect, innerAspect) => {
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
    const places = new Map(), sequences = new Map();
    const arrangeFrame = (frame, ratio) => {
      const children = inFrame.get(frame.id);
      const sizes = children.map((it) => {
        if (!inFrame.has(it.id)) return size(it);
        const inner = arrangeFrame(it, children.length === 1 ? ratio : innerAspect);
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
      sequences.set(frame.id, arranged.sequence.map((at) => children[at]));
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
    const rank = new Map();
    const count = (it) => {
      if (sequences.has(it.id)) sequences.get(it.id).forEach(count); else rank.set(it.id, rank.size);
    };
    count(tree.root);
    return { places, width, height, rank };
  };

  // Boxes of one frame: layers, order in layers, rows and columns, coordinates.
  const arrange = (sizes, edges, aspect) => {
    const count = sizes.length;
    if (count === 0) return { x: [], y: [], width: 0, height: 0, sequence: [] };
    const sequence = Questions.sequence(count, edges);
    const layers = order(layer(count, edges, sequence), count, edges);
    return { ...coordinates(wrap(layers, sizes, aspect), sizes, edges, count), sequence };
  };

  // Longest ways over the graph in which cycles are cut: lists of numbers, importers first; what neither
  // imports nor is imported comes last.
  const layer = (count, edges, sequence) => {
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

  const lengthOf = (nodes, sizes) => nodes.reduce((sum, node) => sum + sizes[node][0] + GAP, -GAP);

  // Cuts layers into rows, and rows into columns as a newspaper does, so that the whole has about the
  // shape asked for: what imports stands above, or further left.
  const wrap = (layers, sizes, aspect) => {
    const widest = Math.max(...sizes.map(([w]) => w));
    const total = Math.max(...layers.map((list) => lengthOf(list, sizes)));
    let best = null;
    for (let width = widest; ; width *= 1.15) {
      const rows = layers.flatMap((list) => rowsOf(list, sizes, width));
      for (let columns = 1; columns <= Math.min(12, rows.length); columns++) {
        const folded = fold(rows, sizes, columns);
        const wide = folded.reduce((sum, column) => sum + column.width + COLUMN_GAP, -COLUMN_GAP);
        const high = Math.max(...folded.map((column) => column.height));
        const cost = Math.max(wide / aspect, high) * (1 + 0.04 * (columns - 1));
        if (!best || cost < best.cost * 0.999) best = { folded, cost };
      }
      if (width >= total) return best.folded;
    }
  };

  const rowsOf = (list, sizes, width) => {
    const length = lengthOf(list, sizes);
    const parts = Math.max(1, Math.ceil((length + GAP) / (width + GAP)));
    const rows = [];
    let row = [], filled = 0;
    const close = (after) => {
      rows.push({ nodes: row, height: Math.max(...row.map((node) => sizes[node][1])), after });
      row = [];
      filled = 0;
    };
    for (const node of list) {
      const next = sizes[node][0] + GAP;
      if (row.length > 0 && (filled + next - GAP > width || parts > 1 && filled + next / 2 > (length + GAP) / parts)) close(ROW_GAP);
      row.push(node);
      filled += next;
    }
    close(LAYER_GAP);
    return rows;
  };

  // The lowest height at which the rows fit into so many columns, by halving.
  const fold = (rows, sizes, columns) => {
    const cut = (most) => {
      const folded = [];
      let column = null;
      for (const row of rows) {
        if (!column || column.height + column.after + row.height > most) folded.push(column = { rows: [], height: -row.after, after: 0, width: 0 });
        column.height = column.rows.length === 0 ? row.height : column.height + column.after + row.height;
        column.after = row.after;
        column.rows.push(row);
        column.width = Math.max(column.width, lengthOf(row.nodes, sizes));
      }
      return folded;
    };
    let low = Math.max(...rows.map((row) => row.height));
    let high = rows.reduce((sum, row) => sum + row.height + row.after, 0);
    if (columns === 1) return cut(high);
    while (high - low > 8) {
      const middle = (low + high) / 2;
      if (cut(middle).length <= columns) high = middle; else low = middle;
    }
    return cut(high);
  };

  // Boxes stand near the middle of what they are connected with in their column, without touching.
  const coordinates = (folded, sizes, edges, count) => {
    const x = new Array(count).fill(0), y = new Array(count).fill(0), column = new Array(count).fill(0);
    const height = Math.max(...folded.map((it) => it.height));
    let left = 0;
    folded.forEach((it, number) => {
      let top = folded.length > 1 ? 0 : (height - it.height) / 2;
      it.left = left;
      for (const row of it.rows) {
        let at = left + (it.width - lengthOf(row.nodes, sizes)) / 2;
        for (const node of row.nodes) {
          x[node] = at;
          y[node] = top + (row.height - sizes[node][1]) / 2;
          column[node] = number;
          at += sizes[node][0] + GAP;
        }
        top += row.height + row.after;
      }
      left += it.width + COLUMN_GAP;
    });
    const beside = Array.from({ length: count }, () => []);
    for (const [from, to, weight] of edges) {
      if (column[from] !== column[to]) continue;
      beside[from].push([to, Math.log2(weight + 1)]);
      beside[to].push([from, Math.log2(weight + 1)]);
    }
    for (const it of folded) {
      for (let sweep = 0; sweep < 6; sweep++) {
        for (const row of sweep % 2 === 0 ? it.rows : [...it.rows].reverse()) {
          const wishes = row.nodes.map((node) => {
            let sum = 0, weight = 0;
            for (const [other, strength] of beside[node]) {
              sum += (x[other] - it.left + sizes[other][0] / 2) * strength;
              weight += strength;
            }
            const wish = weight > 0 ? sum / weight - sizes[node][0] / 2 : x[node] - it.left;
            return Math.min(Math.max(wish, 0), it.width - sizes[node][0]);
          });
          settle(row.nodes, wishes, sizes, it.width, it.left, x);
        }
      }
    }
    return { x, y, width: left - COLUMN_GAP, height };
  };

  // Nearest to the wishes, in order, with gaps (the pool of adjacent violators).
  const settle = (nodes, wishes, sizes, width, left, x) => {
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
      for (let i = 0; i < count; i++, at++) x[nodes[at]] = left + Math.min(Math.max(mean, 0), room) + offsets[at];
    }
  };

  // Says of each bundle: whether it leads back in a cycle of boxes (`back`), and whether it is essential:
  // without all others each box still reaches the same boxes. Gives the essential ones.
  const classify = (bundles, rank) => {
    const ids = [...new Set(bundles.flatMap(({ from, to }) => [from, to]))].sort((a, b) => rank.get(a) - rank.get(b));
    const number = new Map(ids.map((id, at) => [id, at]));
    const out = ids.map(() => []);
    for (const { from, to } of bundles) out[number.get(from)].push(number.get(to));
    const { of } = Questions.components(ids.length, (node) => out[node]);
    // Components come after what they lead to; in each by rank: what is not back leads onwards in this.
    const order = ids.map((_, node) => node).sort((a, b) => of[b] - of[a] || a - b);
    const position = new Array(ids.length);
    order.forEach((node, at) => { position[node] = at; });
    const onwards = ids.map(() => []), backs = [];
    for (const bundle of bundles) {
      const from = position[number.get(bundle.from)], to = position[number.get(bundle.to)];
      bundle.looped = of[order[from]] === of[order[to]];
      bundle.back = to < from;
      bundle.essential = false;
      if (bundle.back) backs.push([from, to, bundle]); else onwards[from].push([to, bundle]);
    }
    const words = (ids.length + 31) >> 5;
    const reach = new Uint32Array(ids.length * words);
    const reaches = (from, to) => (reach[from * words + (to >> 5)] >>> (to & 31)) & 1;
    for (let from = ids.length - 1; from >= 0; from--) {
      reach[from * words + (from >> 5)] |= 1 << (from & 31);
      // The nearest first: what it reaches need not be said again.
      for (const [to, bundle] of onwards[from].sort((a, b) => a[0] - b[0])) {
        if (reaches(from, to)) continue;
        bundle.essential = true;
        for (let word = to >> 5; word < words; word++) reach[from * words + word] |= reach[to * words + word];
      }
    }
    backs.sort((a, b) => b[0] - b[1] - (a[0] - a[1]) || a[0] - b[0] || a[1] - b[1]);
    const kept = [];
    for (const [from, to, bundle] of backs) {
      if (kept.some(([a, b]) => reaches(from, a) && reaches(b, to))) continue;
      bundle.essential = true;
      kept.push([from, to]);
    }
    return bundles.filter((bundle) => bundle.essential);
  };

  return { place, classify };
})();
