// What is in tables: the ways, the imports, what is worth making lazy, and what is chosen.
const figure = (it) => it ? `${milliseconds(it.median)} (${milliseconds(it.least)} … ${milliseconds(it.most)})` : "–";

const drawWays = () => {
  const most = data.variants.reduce((most, it) => Math.max(most, it.wall?.most ?? 0), 1);
  const base = without >= 0 ? data.variants[without].wall : null;
  const saved = (it) => {
    if (!base || !it.wall || it === data.variants[without]) return "";
    if (it.wall.lower <= base.upper && base.lower <= it.wall.upper) return "unclear";
    return `${Math.round((base.median - it.wall.median) / Math.max(1, base.median) * 100)} %`;
  };
  const zips = data.variants.some((it) => it.zipped > 0);
  const head = make("tr", {}, ...["", "median", "middle half", "", "saved", "cached", "compiled", "stale", ...(zips ? ["in zips"] : [])].map((name, at) => make("th", { scope: "col", class: at === 0 || at === 3 ? "" : "number" }, name)));
  const rows = data.variants.map((it) => {
    const track = make("div", { class: "track" });
    if (it.wall) {
      track.append(
        make("b", { style: `width: ${it.wall.median / most * 100}%; --tone: var(--${it.id.replace(/^(tree|zip)-/, "")})`, title: `fastest ${tenths(it.wall.least)}, slowest ${tenths(it.wall.most)} ms` }),
        make("i", { style: `left: ${it.wall.least / most * 100}%; width: ${(it.wall.most - it.wall.least) / most * 100}%` }),
      );
    }
    const number = (text) => make("td", { class: "number" }, text);
    return make("tr", { "data-way": it.id },
      make("th", { scope: "row", title: it.explanation }, it.title),
      number(it.wall ? `${tenths(it.wall.median)} ms` : "–"),
      number(it.wall ? `${tenths(it.wall.lower)} … ${tenths(it.wall.upper)}` : "–"),
      make("td", { class: "range" }, track), number(saved(it)),
      ...["cache", "compiled", "stale"].map((origin) => number(count(it.origins[origin] ?? 0))),
      ...(zips ? [number(count(it.zipped))] : []));
  });
  element("ways").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  const agree = data.variants.reduce((sum, it) => sum + it.doctor.agree, 0);
  const differ = data.variants.reduce((sum, it) => sum + it.doctor.differ.length, 0);
  element("ways-note").textContent = agree ? `bytekiln doctor foretells ${count(agree)} of these loads${differ ? `, and is wrong about ${count(differ)}` : ""}` : "";
};

// ---- imports ----

const PAGE = 150;
let shownRows = PAGE, sortBy = "order", sortDown = true;
const columns = () => {
  const list = [];
  const add = (variant) => {
    const { id, title } = data.variants[variant];
    list.push({ key: `self-${id}`, title: `${title}: self`, value: (it) => own(it, variant), text: milliseconds });
    list.push({ key: `total-${id}`, title: "total", value: (it) => total(it, variant), text: milliseconds });
  };
  add(upperVariant);
  if (isTwo()) {
    add(lowerVariant);
    list.push({ key: "saved", title: "saved", value: (it) => total(it, upperVariant) === null || total(it, lowerVariant) === null ? null : total(it, upperVariant) - total(it, lowerVariant), text: milliseconds });
  }
  return list;
};
const matching = () => {
  const words = element("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const phase = element("filter-phase").value, origin = element("filter-origin").value;
  return imports.filter((it) => {
    const text = `${it.label} ${it.path}`.toLowerCase();
    return words.every((word) => text.includes(word)) && (!phase || it.phase === phase) && (!origin || it.origins[lowerVariant] === origin);
  });
};
const drawModules = () => {
  const list = columns();
  const sortHead = (key, title, number) => {
    const button = make("button", { type: "button", "data-sort": key }, title);
    const attributes = { scope: "col", class: number ? "number" : "" };
    if (sortBy === key) attributes["aria-sort"] = sortDown ? "descending" : "ascending";
    return make("th", attributes, button);
  };
  const rows = matching();
  const column = list.find((it) => it.key === sortBy);
  if (column) rows.sort((a, b) => ((column.value(a) ?? -1) - (column.value(b) ?? -1)) * (sortDown ? -1 : 1) || a.index - b.index);
  else if (sortBy === "name") rows.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0) * (sortDown ? 1 : -1));
  const isTree = sortBy === "order" && !element("search").value.trim();
  const row = (it) => make("tr", { "data-import": it.index, tabindex: "0", "aria-selected": String(it === chosen) },
    ...list.map(({ value, text }) => make("td", { class: "number" }, value(it) === null ? "–" : text(value(it)))),
    make("td", { class: "path", style: isTree ? `padding-left: ${12 + it.depth * 14}px` : "" }, it.label, ...(it.loaded || it.name === null ? [] : [make("span", { class: "tag" }, "not loaded")])),
    make("td", {}, it.origins[lowerVariant] ?? ""));
  const head = make("tr", {}, ...list.map(({ key, title }) => sortHead(key, title, true)), sortHead(sortBy === "order" ? "name" : "order", sortBy === "order" ? "module, below its importer" : "module", false), make("th", { scope: "col" }, "from"));
  element("module-table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows.slice(0, shownRows).map(row)));
  element("shown").textContent = `${count(Math.min(rows.length, shownRows))} of ${plural(rows.length, "import", "imports")} shown`;
  element("more").hidden = rows.length <= shownRows;
  const isSearch = element("search").value.trim() !== "";
  found = isSearch ? new Set(rows.map((it) => it.index)) : null;
};

// ---- worth making lazy ----

const drawCandidates = () => {
  element("candidates").hidden = data.candidates.length === 0;
  if (!data.candidates.length) return;
  const variant = data.variants.find((it) => it.id === data.candidates[0].variant);
  element("candidates-note").textContent = `nothing else at start needs them; times are ${variant.explanation}`;
  const head = make("tr", {}, ...["would save", "modules", "module", "imported at start by"].map((name, at) => make("th", { scope: "col", class: at < 2 ? "number" : "" }, name)));
  const rows = data.candidates.map(({ import: index, saving, modules }) => {
    const it = imports[index];
    const places = it.places.filter((place) => place.eager);
    const shown = places.slice(0, 4).map((place) => `${short(place.file)}:${place.line}`).join(", ");
    const more = places.length > 4 ? ` and ${places.length - 4} more` : "";
    return make("tr", {}, make("td", { class: "number" }, `${milliseconds(saving)} ms`), make("td", { class: "number" }, count(modules)),
      make("td", { class: "path" }, make("button", { type: "button", class: "link", "data-choose": index }, it.label)), make("td", { class: "text" }, shown + more || (it.parent === null ? "" : imports[it.parent].label)));
  });
  element("candidate-table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
};

// ---- the chosen one ----

const drawChosen = () => {
  const box = element("chosen-box");
  element("chosen").classList.toggle("some", chosen !== null);
  if (!chosen) return;
  const link = (it) => make("button", { type: "button", class: "link", "data-choose": it.index }, it.label);
  const origins = data.variants.map((it, at) => `${it.title}: ${ORIGINS[chosen.origins[at]] ?? "not loaded"}`);
  const chain = make("ol", {}, ...chainOf(chosen).map((it) => make("li", {}, it === chosen ? it.label : link(it))));
  const places = chosen.places.length
    ? make("ol", {}, ...chosen.places.map((it) => make("li", {}, make("span", { class: "path" }, `${short(it.file)}:${it.line}`), it.eager ? "" : make("span", { class: "tag" }, "later"))))
    : make("p", { class: "quiet" }, "no statement of what was loaded is known to");
  const times = make("table", {}, make("thead", {}, make("tr", {}, ...["ms", "self", "total"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...data.variants.map((it, at) => make("tr", {}, make("th", { scope: "row" }, it.title), make("td", {}, figure(chosen.times[at]?.self)), make("td", {}, figure(chosen.times[at]?.cumulative))))));
  box.replaceChildren(
    make("p", {}, make("span", { class: "name", id: "chosen-name" }, chosen.label), " ", make("span", { class: "path quiet" }, chosen.path)),
    make("div", { class: "columns" },
      make("div", {}, make("p", { class: "quiet" }, "came in by"), chain, make("p", { class: "quiet" }, "statements that import it"), places),
      make("div", {}, times, make("p", { class: "quiet" }, origins.join(" · ")))),
  );
};
