// Puts modules into a tree of groups (members and distributions, packages, modules), says which of them
// are boxes when some groups are open, and adds up imports between boxes. Knows nothing of where boxes
// are, nor of the document.
"use strict";

const Groups = (() => {
  // Groups with more children than this are cut into ranges of the alphabet.
  const CHILDREN_AT_MOST = 72;
  const RANGE = 40;

  // A tree: items with `parent`, `children`, `kind`, `label` (short), `title` (whole), `key` (for links),
  // `module` (a node's number, or -1), `depth`, `id` (place in `items`).
  const build = (model) => {
    const root = item("root", "", model.title, "");
    const areas = { distribution: null, "standard-library": null, unresolved: null, other: null };
    const area = (name, label) => areas[name] ??= child(root, item(`area-${name}`, label, label, `~${name}`));
    const owners = new Map();
    const ownerItem = (number) => {
      if (owners.has(number)) return owners.get(number);
      const { name, kind } = model.owners[number];
      let made;
      if (kind === "member") made = child(root, item("member", name, name, `m:${name}`));
      else if (kind === "distribution") made = child(area("distribution", "Third party"), item("distribution", name, name, `d:${name}`));
      else made = area("standard-library", "Standard library");
      owners.set(number, made);
      return made;
    };
    const homeless = namespaceOwners(model);
    for (let node = 0; node < model.count; node++) {
      const kind = model.kinds[node];
      let top;
      if (kind.startsWith("unresolved")) top = area("unresolved", "Unresolved");
      else {
        const whose = model.owner[node] >= 0 ? model.owner[node] : homeless.get(model.names[node]) ?? -1;
        if (whose >= 0) top = ownerItem(whose);
        else if (kind === "standard-library") top = area("standard-library", "Standard library");
        else top = area("other", kind === "generated" ? "Generated" : "Other modules");
      }
      place(model, top, node);
    }
    merge(root);
    divide(root);
    const items = [];
    const number = (it, depth) => {
      it.id = items.length;
      it.depth = depth;
      items.push(it);
      for (const inner of it.children) number(inner, depth + 1);
    };
    number(root, 0);
    const byModule = new Array(model.count);
    for (const it of items) if (it.module >= 0) byModule[it.module] = it;
    return { root, items, byModule, byKey: new Map(items.map((it) => [it.key, it])) };
  };

  const item = (kind, label, title, key, module = -1) => ({ kind, label, title, key, module, prefix: "", names: null, children: [], parent: null });

  const child = (parent, made) => {
    made.parent = parent;
    parent.children.push(made);
    return made;
  };

  // Namespace packages belong to nobody: they stand with whoever has the first module below them.
  const namespaceOwners = (model) => {
    const found = new Map();
    for (let node = 0; node < model.count; node++) {
      if (model.owner[node] < 0 || model.kinds[node] === "unimportable") continue;
      for (let at = model.names[node].indexOf("."); at > 0; at = model.names[node].indexOf(".", at + 1)) {
        const name = model.names[node].slice(0, at);
        if (!found.has(name)) found.set(name, model.owner[node]);
      }
    }
    return found;
  };

  const place = (model, top, node) => {
    const name = model.names[node], kind = model.kinds[node];
    if (name === "") {
      child(top, item("module", "(computed)", "a name that is computed when the program runs", `!${node}`, node));
      return;
    }
    const path = kind === "unimportable";
    const segments = path ? name.split("/") : name.split(".");
    const flat = top.kind === "area-unresolved" || top.kind === "area-standard-library" && segments.length === 1;
    let at = top;
    const last = kind === "package" || kind === "namespace" ? segments.length : segments.length - 1;
    for (let depth = 0; depth < last && !flat; depth++) {
      at.names ??= new Map();
      const segment = segments[depth] + (path ? "/" : "");
      let next = at.names.get(segment);
      if (!next) {
        const title = path ? segments.slice(0, depth + 1).join("/") : segments.slice(0, depth + 1).join(".");
        next = child(at, item("package", segments[depth], title, `${at.key}/${segment}`));
        next.prefix = title;
        at.names.set(segment, next);
      }
      at = next;
    }
    const whole = kind === "package" || kind === "namespace";
    const label = whole ? (kind === "package" ? "__init__" : "(namespace)") : flat ? name : segments[segments.length - 1];
    child(at, item("module", label, name, `!${model.paths[node] || name}`, node)).sort = whole ? "" : label;
  };

  // A group with nothing in it but one other group is that group.
  const merge = (it) => {
    while (it.children.length === 1 && it.children[0].children.length > 0 && it.parent) {
      const only = it.children[0];
      if (it.kind === "package") {
        it.label = `${it.label}.${only.label}`;
        it.title = only.title;
        it.key = only.key;
      }
      it.prefix = only.prefix;
      it.children = only.children;
      for (const inner of it.children) inner.parent = it;
    }
    it.names = null;
    const area = (child) => (child.kind.startsWith("area-") ? 1 : 0);
    // Numbers in names by their value.
    const key = (child) => (child.sort ?? child.label).replace(/\d+/g, (digits) => digits.padStart(12, "0"));
    it.children.sort((a, b) => area(a) - area(b) || compare(key(a), key(b)) || compare(a.key, b.key));
    it.children.forEach(merge);
    // A namespace package or an `__init__` alone in its group: the group is that module.
    it.children = it.children.map((inner) => {
      if (inner.kind !== "package" || inner.children.length !== 1 || inner.children[0].module < 0) return inner;
      const only = inner.children[0];
      only.label = inner.label;
      only.parent = it;
      return only;
    });
  };

  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  const divide = (it) => {
    it.children.forEach(divide);
    const areas = it.children.filter((inner) => inner.kind.startsWith("area-"));
    const rest = it.children.filter((inner) => !inner.kind.startsWith("area-"));
    if (rest.length <= CHILDREN_AT_MOST) return;
    const ranges = Math.ceil(rest.length / Math.max(RANGE, Math.ceil(rest.length / CHILDREN_AT_MOST)));
    const made = [];
    for (let range = 0; range < ranges; range++) {
      const part = rest.slice(Math.round(range * rest.length / ranges), Math.round((range + 1) * rest.length / ranges));
      const label = `${part[0].label} … ${part[part.length - 1].label}`;
      const group = item("range", label, `${it.title ? `${it.title}: ` : ""}${label}`, `${it.key}/[${part[0].label}]`);
      group.parent = it;
      group.prefix = it.prefix;
      for (const inner of part) child(group, inner);
      made.push(group);
    }
    it.children = [...made, ...areas];
  };

  // How many modules that are `shown` (1 or 0 for each node) are in each item.
  const counts = (tree, shown) => {
    const sums = new Uint32Array(tree.items.length);
    for (let id = tree.items.length - 1; id >= 0; id--) {
      const it = tree.items[id];
      if (it.module >= 0) sums[id] = shown[it.module];
      if (it.parent) sums[it.parent.id] += sums[id];
    }
    return sums;
  };

  // Opens groups, the one with the most modules first, until there are about `limit` boxes: half as many
  // again for a group that has a fifth of all, so that no half of a graph stays one box.
  const openUpTo = (tree, sums, limit, all = false) => {
    const open = new Set([tree.root.id]);
    const present = (it) => it.children.filter((inner) => sums[inner.id] > 0);
    const may = (it) => it.children.length > 0 && (all || it.kind !== "distribution" && it.kind !== "area-standard-library" && it.kind !== "area-unresolved");
    let boxes = present(tree.root).length;
    const closed = present(tree.root).filter(may);
    while (closed.length > 0) {
      let best = 0;
      closed.forEach((it, at) => {
        const than = closed[best];
        if (sums[it.id] > sums[than.id] || sums[it.id] === sums[than.id] && it.id < than.id) best = at;
      });
      const [it] = closed.splice(best, 1);
      const after = boxes - 1 + present(it).length;
      if (after > (sums[it.id] * 5 >= sums[tree.root.id] ? limit * 1.5 : limit)) {
        // What is smaller stays closed too, unless hardly anything would be seen.
        if (boxes * 2 > limit) return open;
        continue;
      }
      open.add(it.id);
      boxes = after;
      closed.push(...present(it).filter(may));
    }
    return open;
  };

  // What is seen when these groups are open: the items that are boxes, those that are frames around
  // boxes, and for each node the number of the item that it is seen as (-1 if it is hidden).
  const seen = (tree, sums, open, shown, count) => {
    const boxes = [], frames = [];
    const at = new Int32Array(count).fill(-1);
    const hide = (it, box) => {
      if (it.module >= 0) {
        if (shown[it.module]) at[it.module] = box;
      } else for (const inner of it.children) if (sums[inner.id] > 0) hide(inner, box);
    };
    const walk = (it) => {
      for (const inner of it.children) {
        if (sums[inner.id] === 0) continue;
        if (inner.children.length > 0 && open.has(inner.id)) {
          frames.push(inner);
          walk(inner);
        } else {
          boxes.push(inner);
          hide(inner, inner.id);
        }
      }
    };
    walk(tree.root);
    return { boxes, frames, at };
  };

  // Imports between boxes, added up: `{from, to, count}` by ids of items, in their order.
  const bundles = (model, tree, view, edges) => {
    const sums = new Map();
    const size = tree.items.length;
    for (const edge of edges) {
      const from = view.at[model.from[edge]], to = view.at[model.to[edge]];
      if (from < 0 || to < 0 || from === to) continue;
      const key = from * size + to;
      sums.set(key, (sums.get(key) ?? 0) + 1);
    }
    const found = [];
    for (const [key, count] of sums) found.push({ from: Math.floor(key / size), to: key % size, count });
    return found.sort((a, b) => a.from - b.from || a.to - b.to);
  };

  // The nodes in an item that are shown.
  const modules = (it, shown, found = []) => {
    if (it.module >= 0) {
      if (!shown || shown[it.module]) found.push(it.module);
    } else for (const inner of it.children) modules(inner, shown, found);
    return found;
  };

  // The edges of one bundle.
  const inside = (model, view, bundle, follows) => {
    const edges = [];
    for (let edge = 0; edge < model.edgeCount; edge++) {
      if (view.at[model.from[edge]] === bundle.from && view.at[model.to[edge]] === bundle.to && follows(edge)) edges.push(edge);
    }
    return edges;
  };

  return { build, counts, openUpTo, seen, bundles, modules, inside };
})();
