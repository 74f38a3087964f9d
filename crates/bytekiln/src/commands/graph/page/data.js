// Reads the graph that `data.rs` wrote: names put together, edges in typed arrays with their way back.
// Knows nothing of groups, of the view, or of the document.
"use strict";

const Data = (() => {
  // Characters that turn the direction of a line, or are not seen, would make one name look like another.
  const visible = (name) => name.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\ufffd");

  const fileOf = (leaf, file) => file === 0 ? `${leaf}.py` : file === 1 ? "__init__.py" : visible(file);

  // Nodes are numbers from 0; edges too, in the order of the importing node and line.
  const read = (raw) => {
    const count = raw.nodes.length;
    const names = new Array(count), paths = new Array(count), kinds = new Array(count);
    const owner = new Int32Array(count);
    const folders = raw.folders.map(visible), prefixes = raw.prefixes.map(visible);
    raw.nodes.forEach(([kind, whose, prefix, leaf, folder, file], node) => {
      const last = visible(leaf);
      names[node] = prefixes[prefix] === "" ? last : `${prefixes[prefix]}.${last}`;
      paths[node] = folder < 0 ? "" : (folders[folder] === "" ? "" : `${folders[folder]}/`) + fileOf(last, file);
      kinds[node] = raw.kinds[kind];
      owner[node] = whose;
    });
    let total = 0;
    for (const list of raw.edges) total += list.length / 3;
    const start = new Uint32Array(count + 1);
    const from = new Uint32Array(total), to = new Uint32Array(total), line = new Uint32Array(total);
    const label = new Uint16Array(total);
    let next = 0;
    for (let node = 0; node < count; node++) {
      start[node] = next;
      const list = raw.edges[node] ?? [];
      for (let at = 0; at < list.length; at += 3, next++) {
        from[next] = node;
        to[next] = list[at];
        line[next] = list[at + 1];
        label[next] = list[at + 2];
      }
    }
    start[count] = next;
    // Edges to each node: counted, summed, filled.
    const backStart = new Uint32Array(count + 1), back = new Uint32Array(total);
    for (let edge = 0; edge < total; edge++) backStart[to[edge] + 1]++;
    for (let node = 0; node < count; node++) backStart[node + 1] += backStart[node];
    const fill = backStart.slice();
    for (let edge = 0; edge < total; edge++) back[fill[to[edge]]++] = edge;

    const words = [...new Set(raw.labels.flat())].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    const uses = new Array(raw.labels.length).fill(0);
    for (let edge = 0; edge < total; edge++) uses[label[edge]]++;
    return {
      title: visible(raw.title), version: raw.version, target: visible(raw.target),
      count, names, paths, kinds, owner,
      owners: raw.owners.map(([name, kind]) => ({ name: visible(name), kind })),
      edgeCount: total, start, from, to, line, label, backStart, back,
      labels: raw.labels, words, uses, ambiguities: raw.ambiguities,
    };
  };

  // How imports run first, then how they are written.
  const ORDER = ["lazy", "function", "main", "conditional", "optional", "fallback", "type-checking", "string",
    "dynamic", "never", "star", "package", "name", "unbound", "relative"];

  // What words mean, for people.
  const MEANING = {
    plain: "runs whenever its module is imported",
    lazy: "runs at first use (PEP 810)",
    function: "in a function: runs when that is called",
    main: "under if __name__ == \"__main__\"",
    conditional: "in a branch, loop or handler",
    optional: "in a try that catches its failure",
    fallback: "in the handler of a failed import",
    "type-checking": "under TYPE_CHECKING, or in a stub",
    string: "a string that names a module",
    dynamic: "a call such as import_module",
    never: "under a test that never holds",
    star: "from module import *",
    package: "the package around a module, whose __init__ runs first",
    name: "from module import name, where the name is no module",
    unbound: "the name is not seen in the module",
    relative: "written with leading dots",
  };

  // Facts that say how a name was found, not whether an import runs: no filter asks for them.
  const SILENT = new Set(["name", "unbound", "relative", "star", "dynamic"]);

  // As `--imports` has them: words of imports that are left out.
  const PRESETS = {
    eager: ["type-checking", "string", "never", "function", "main", "lazy", "package"],
    lazy: ["type-checking", "string", "never", "function", "main", "package"],
    runtime: ["type-checking", "string", "never", "package"],
    all: ["package"],
  };

  // For each label, whether its imports are looked at: 1 or 0. `off` are words (and "plain" for imports
  // that no filter names).
  const followed = (model, off) => Uint8Array.from(model.labels, (words) => {
    const asked = words.filter((word) => !SILENT.has(word));
    if (asked.length === 0) return off.has("plain") ? 0 : 1;
    return asked.some((word) => off.has(word)) ? 0 : 1;
  });

  return { read, visible, followed, MEANING, SILENT, PRESETS };
})();
