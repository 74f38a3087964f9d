// The measurement that the page holds, and words for its numbers. Names reach the document as text only.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};
// Characters that turn the direction of a line, or are not seen, would make one name look like another.
const visible = (name) => name.replace(/[\u0000-\u001f\u007f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\ufffd");
const milliseconds = (micros) => (Math.round(micros / 10) / 100).toFixed(2);
const tenths = (micros) => (Math.round(micros / 100) / 10).toFixed(1);
const count = (number) => number.toLocaleString("en").replaceAll(",", "\u202f");
const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
const short = (file) => {
  const folder = data.program.folder.replace(/\/*$/, "/");
  const packages = file.match(/^.*\/(?:site|dist)-packages\/(.*)$/);
  if (packages) return visible(packages[1]);
  if (file.startsWith(folder)) return visible(file.slice(folder.length));
  const library = file.match(/\/lib\/python3\.\d+t?\/(.*)$/);
  return visible(library ? library[1] : file);
};

const imports = data.imports.map((it, index) => ({
  ...it, index, children: [], label: it.name === null ? "(never ended)" : visible(it.name),
  path: it.file === null ? "" : visible(it.file),
}));
const roots = [];
for (const it of imports) (it.parent === null ? roots : imports[it.parent].children).push(it);
const variantOf = (id) => data.variants.findIndex((it) => it.id === id);
// Without caches, and what is set against it.
const firstOf = (...ids) => ids.map(variantOf).find((at) => at >= 0);
const without = firstOf("none", "zip-none") ?? -1;
const others = data.variants.map((_, at) => at).filter((at) => at !== without);
const best = firstOf("unchecked", "checked", "timestamp", "tree-unchecked", "tree-checked", "zip-unchecked", "zip-checked", "as-is") ?? without;
const own = (it, variant) => it.times[variant]?.self.median ?? null;
const total = (it, variant) => it.times[variant]?.cumulative.median ?? null;
const ORIGINS = { cache: "from its cache", compiled: "compiled", stale: "compiled: its cache is stale", zip: "from a zip", extension: "an extension module", "built-in": "built in", frozen: "frozen", namespace: "a namespace package", other: "by a loader of its own" };
const TONES = { cache: "cache", compiled: "compiled", stale: "stale", zip: "zip", extension: "extension", "built-in": "builtin", frozen: "builtin", namespace: "builtin", other: "builtin" };
const chainOf = (it) => {
  const chain = [it];
  while (chain[0].parent !== null) chain.unshift(imports[chain[0].parent]);
  return chain;
};
