// What the user chose (groups that are open, filters, focus), kept in the address so that a view can be
// linked; search, keys and buttons; from all that the picture. Knows nothing of how it is laid out or
// drawn.
"use strict";

(() => {
  const BOXES = 60, BOXES_AT_MOST = 2500, ARROWS_AT_MOST = 6000;
  const element = (id) => document.getElementById(id);
  const { make, number, plural } = Panel;
  const model = Data.read(JSON.parse(element("data").textContent));
  const tree = Groups.build(model);

  const initial = () => ({
    off: new Set(Data.PRESETS.runtime), areas: new Set(), ownersOff: new Set(), alone: true,
    open: new Set(), custom: false, limit: BOXES, chosen: [], bundle: null, marked: null, focus: null, steps: 1, arrows: "essential",
  });
  let state = initial();

  // Which tick shows a node: "" for those that are always there.
  const areaOf = model.kinds.map((kind, node) => {
    if (kind.startsWith("unresolved")) return "unresolved";
    const owner = model.owners[model.owner[node]]?.kind;
    if (kind === "standard-library" || owner === "standard-library") return "standard";
    return owner === "distribution" || kind === "external" ? "third" : "";
  });
  const areaCounts = { third: 0, standard: 0, unresolved: 0, "": 0 };
  for (const area of areaOf) areaCounts[area]++;
  const ownerCounts = new Uint32Array(model.owners.length);
  for (const owner of model.owner) if (owner >= 0) ownerCounts[owner]++;

  const app = {
    model, tree, areaCounts, ownerCounts, ownerText: "", aloneCount: 0, chain: null, chainBack: null, shown: new Uint8Array(model.count), sums: null, view: null,
    follows: () => false,
    get state() { return state; },
    set: (change) => {
      state = { ...state, ...change };
      refresh(change.custom === false || change.focus !== undefined);
    },
    toggle: (it) => {
      const open = new Set(state.open);
      if (open.has(it.id)) open.delete(it.id);
      else {
        open.add(it.id);
        // A group of one group is of no use closed.
        for (let at = it; ;) {
          const inner = at.children.filter((child) => app.sums[child.id] > 0);
          if (inner.length !== 1 || inner[0].children.length === 0) break;
          at = inner[0];
          open.add(at.id);
        }
      }
      state = { ...state, open, custom: true };
      refresh(false, it.id);
    },
    choose: (it, second) => {
      let chosen = [];
      if (it) chosen = second && state.chosen.length > 0 && state.chosen[0] !== it.id ? [state.chosen[0], it.id] : [it.id];
      state = { ...state, chosen, bundle: null, marked: null };
      light();
      if (it || panel.current === "chosen") panel.open("chosen");
      if (it) drawing.show(boxOf(it)?.id ?? it.id);
    },
    goTo: (node) => {
      const area = areaOf[node];
      const change = {};
      if (area && !state.areas.has(area)) change.areas = new Set([...state.areas, area]);
      if (model.owner[node] >= 0 && state.ownersOff.has(model.owner[node])) {
        change.ownersOff = new Set([...state.ownersOff].filter((owner) => owner !== model.owner[node]));
      }
      if (!state.alone) change.alone = true;
      if (!app.shown[node] && !change.areas && state.focus) change.focus = null;
      const open = new Set(state.open);
      const it = tree.byModule[node];
      for (let at = it.parent; at; at = at.parent) open.add(at.id);
      state = { ...state, ...change, open, custom: true, chosen: [it.id], bundle: null, marked: null };
      refresh(false);
      panel.open("chosen");
      drawing.show(it.id);
    },
    focus: (way) => {
      if (state.chosen.length === 0) return;
      app.set({ focus: { way, items: [...state.chosen] }, custom: false });
    },
    only: (nodes, text) => app.set({ focus: { nodes: [...new Set(nodes)], text }, custom: false }),
    swap: () => {
      state = { ...state, chosen: [...state.chosen].reverse() };
      light();
      panel.update();
    },
    mark: (cycle) => {
      state = { ...state, marked: cycle, chosen: [], bundle: null };
      light();
    },
    cycles: () => {
      app.cyclesFound ??= Questions.cycles(model, (edge) => app.follows(edge) && app.shown[model.from[edge]] === 1 && app.shown[model.to[edge]] === 1);
      return app.cyclesFound;
    },
  };

  // ---- from the state to the picture ----

  const showNodes = () => {
    const shown = new Uint8Array(model.count);
    for (let node = 0; node < model.count; node++) {
      shown[node] = areaOf[node] !== "" && !state.areas.has(areaOf[node]) || state.ownersOff.has(model.owner[node]) ? 0 : 1;
    }
    const both = (edge) => app.follows(edge) && shown[model.from[edge]] === 1 && shown[model.to[edge]] === 1;
    if (state.focus) {
      const nodes = state.focus.nodes ?? Questions.around(model, state.focus.items.flatMap((id) => Groups.modules(tree.items[id], shown)), state.focus.way, state.steps, both);
      const inside = new Uint8Array(model.count);
      for (const node of nodes) inside[node] = state.focus.nodes ? 1 : shown[node];
      shown.set(inside);
    }
    const touched = new Uint8Array(model.count);
    for (let edge = 0; edge < model.edgeCount; edge++) {
      if (both(edge)) touched[model.from[edge]] = touched[model.to[edge]] = 1;
    }
    app.aloneCount = 0;
    for (let node = 0; node < model.count; node++) {
      if (shown[node] && !touched[node]) {
        app.aloneCount++;
        // What is nobody's is there for those that import it only.
        if (!state.alone || model.owner[node] < 0 && !state.focus) shown[node] = 0;
      }
    }
    return shown;
  };

  // Which nodes and edges the filters let through: again only when a filter was changed.
  let filtered = [], edges = new Uint32Array(0);
  const filterAll = () => {
    const now = [state.off, state.areas, state.ownersOff, state.alone, state.focus, state.steps];
    if (filtered.length > 0 && now.every((value, at) => value === filtered[at])) return;
    filtered = now;
    const follow = Data.followed(model, state.off);
    app.follows = (edge) => follow[model.label[edge]] === 1;
    const shown = app.shown = showNodes();
    app.sums = Groups.counts(tree, shown);
    let count = 0;
    const found = new Uint32Array(model.edgeCount);
    for (let edge = 0; edge < model.edgeCount; edge++) {
      if (shown[model.from[edge]] && shown[model.to[edge]] && follow[model.label[edge]]) found[count++] = edge;
    }
    edges = found.slice(0, count);
    app.cyclesFound = null;
  };

  let scene = null;
  const refresh = (fit, keep = null) => {
    const before = keep === null ? null : drawing.place(keep);
    filterAll();
    if (!state.custom) state.open = Groups.openUpTo(tree, app.sums, state.limit, state.focus !== null);
    state.open.add(tree.root.id);
    app.view = Groups.seen(tree, app.sums, state.open, app.shown, model.count);
    let note = "";
    if (app.view.boxes.length > BOXES_AT_MOST) {
      // A picture of so many boxes is of no use: fewer groups are open.
      state.open = Groups.openUpTo(tree, app.sums, BOXES_AT_MOST, true);
      app.view = Groups.seen(tree, app.sums, state.open, app.shown, model.count);
      note = `; at most ${number(BOXES_AT_MOST)} boxes are shown`;
    }
    const bundles = Groups.bundles(model, tree, app.view, edges);
    const looped = new Set();
    for (const cycle of app.cycles()) {
      for (const node of cycle.nodes) if (tree.items[app.view.at[node]]?.module >= 0) looped.add(app.view.at[node]);
    }
    const aspect = Math.max(0.6, element("picture").clientWidth / Math.max(200, element("picture").clientHeight)) || 1.6;
    const placed = Layout.place(tree, app.view, bundles, (it) => drawing.size(it, app.sums[it.id], looped.has(it.id)), Math.min(2.4, aspect));
    const essential = Layout.classify(bundles, placed.rank);
    let drawn = state.arrows === "chosen" ? [] : state.arrows === "all" ? bundles : essential;
    if (drawn.length > ARROWS_AT_MOST) {
      drawn = [...drawn].sort((a, b) => b.count - a.count || a.from - b.from || a.to - b.to).slice(0, ARROWS_AT_MOST);
      note += `; the ${number(ARROWS_AT_MOST)} thickest arrows`;
    }
    scene = { ...placed, ...app.view, bundles, drawn, looped, sums: app.sums, chosen: [], look, matches: null, focus: null };
    drawing.set(scene);
    element("empty").hidden = app.view.boxes.length > 0;
    element("status").textContent = `${plural(app.view.boxes.length, "box", "boxes")}, ${number(drawn.length)} of ${plural(bundles.length, "arrow")}, ${number(app.sums[tree.root.id])} of ${plural(model.count, "module")}${note}`;
    const focus = element("focus");
    focus.hidden = !state.focus;
    if (state.focus) {
      const what = state.focus.text ?? `${state.focus.items.map((id) => tree.items[id].title || tree.items[id].label).join(", ")}${{ both: ", its imports and importers", imports: " and its imports", importers: " and its importers" }[state.focus.way]}, ${state.steps === 99 ? "all steps" : plural(state.steps, "step")}`;
      focus.replaceChildren(`Only ${what}`, make("button", { type: "button", onclick: () => app.set({ focus: null, custom: false }) }, "Show everything"));
    }
    drawing.margin = state.focus ? focus.offsetHeight + 8 : 0;
    if (fit) drawing.fit();
    else if (before) {
      // What was clicked stays where it was.
      const after = placed.places.get(keep), view = drawing.view;
      if (after) drawing.view = { ...view, x: view.x + (before.x - after.x) * view.scale, y: view.y + (before.y - after.y) * view.scale };
    }
    light();
    panel.update();
  };

  const look = (it) => {
    const kind = it.module >= 0 ? model.kinds[it.module] : it.kind;
    if (kind.includes("unresolved")) return { fill: "missing", line: "missing-line", dashed: true };
    if (kind === "deleted" || kind === "generated") return { fill: "missing", line: "missing-line", dashed: false };
    const area = it.module >= 0 ? areaOf[it.module] : outside(it) ? "third" : "";
    if (area) return { fill: "outside", line: "outside-line" };
    return it.children.length > 0 ? { fill: "group", line: "group-line" } : { fill: "box", line: "module-line", italic: kind === "stub" || kind === "extension" };
  };

  const outside = (it) => {
    for (let at = it; at; at = at.parent) if (at.kind === "distribution" || at.kind === "area-distribution" || at.kind === "area-standard-library") return true;
    return false;
  };

  // The box that an item is seen as.
  const boxOf = (it) => {
    let box = null;
    for (let at = it; at; at = at.parent) if (scene.places.has(at.id)) { box = at; break; }
    return box;
  };

  // Boxes that an item is seen as: one, or all in an open frame.
  const boxesOf = (it) => new Set(Groups.modules(it, app.shown).map((node) => app.view.at[node]).filter((id) => id >= 0));

  // What is brought out, by what is chosen.
  const light = () => {
    const marks = new Map(), items = new Set();
    scene.chosen = [...new Set(state.chosen.map((id) => boxOf(tree.items[id])?.id).filter((id) => id !== undefined))];
    const markEdges = (list, mark) => {
      const key = (from, to) => from * tree.items.length + to;
      const wanted = new Set();
      for (const edge of list) wanted.add(key(app.view.at[model.from[edge]], app.view.at[model.to[edge]]));
      for (const bundle of scene.bundles) if (wanted.has(key(bundle.from, bundle.to))) marks.set(bundle, mark);
    };
    app.chain = null;
    if (state.chosen.length === 2) {
      const [a, b] = state.chosen.map((id) => Groups.modules(tree.items[id], app.shown));
      const counts = (edge) => app.follows(edge) && app.shown[model.from[edge]] === 1 && app.shown[model.to[edge]] === 1;
      app.chain = Questions.chain(model, a, b, counts);
      app.chainBack = app.chain ? null : Questions.chain(model, b, a, counts);
      markEdges(app.chain ?? [], "chain");
      for (const id of state.chosen) for (const box of boxesOf(tree.items[id])) items.add(box);
    } else if (state.bundle) {
      const found = scene.bundles.find(({ from, to }) => from === state.bundle.from && to === state.bundle.to);
      if (found) marks.set(found, "chain");
    } else if (state.marked) {
      const inside = new Set(state.marked.nodes.map((node) => app.view.at[node]).filter((id) => id >= 0));
      for (const id of inside) items.add(id);
      markEdges(edges.filter(state.marked.inside), "cycle");
      // Of many arrows those that imply the rest are enough.
      if (marks.size > 60) for (const bundle of [...marks.keys()]) if (!bundle.essential) marks.delete(bundle);
    } else if (state.chosen.length === 1) {
      // By its own imports, also where it is seen only as a part of a box.
      const it = tree.items[state.chosen[0]];
      for (const id of boxesOf(it)) items.add(id);
      const own = new Uint8Array(model.count);
      for (const node of Groups.modules(it, app.shown)) own[node] = 1;
      markEdges(edges.filter((edge) => !own[model.from[edge]] && own[model.to[edge]]), "importers");
      markEdges(edges.filter((edge) => own[model.from[edge]] && !own[model.to[edge]]), "imports");
    }
    for (const bundle of marks.keys()) items.add(bundle.from).add(bundle.to);
    scene.focus = marks.size > 0 || items.size > 0 ? { marks, items } : null;
    drawing.plan();
    remember();
  };

  // ---- the address ----

  let writing = 0;
  const remember = () => {
    clearTimeout(writing);
    writing = setTimeout(() => {
      const hash = new URLSearchParams();
      if (state.custom) hash.set("open", [...state.open].sort((a, b) => a - b).map((id) => tree.items[id].key).filter((key) => key !== "").join("|"));
      else if (state.limit !== BOXES) hash.set("limit", state.limit);
      if (state.chosen.length > 0) hash.set("chosen", state.chosen.map((id) => tree.items[id].key).join("|"));
      if ([...state.off].sort().join() !== [...Data.PRESETS.runtime].sort().join()) hash.set("without", [...state.off].join(","));
      if (state.areas.size > 0) hash.set("with", [...state.areas].join(","));
      if (state.ownersOff.size > 0) hash.set("hidden", [...state.ownersOff].map((owner) => model.owners[owner].name).join("|"));
      if (!state.alone) hash.set("alone", "no");
      if (state.steps !== 1) hash.set("steps", state.steps);
      if (state.arrows !== "essential") hash.set("arrows", state.arrows);
      if (state.focus?.items) hash.set("focus", `${state.focus.way}|${state.focus.items.map((id) => tree.items[id].key).join("|")}`);
      if (state.focus?.nodes && state.focus.nodes.length <= 100) hash.set("only", `${state.focus.text}|${state.focus.nodes.map((node) => tree.byModule[node].key).join("|")}`);
      const { x, y, scale } = drawing.view;
      hash.set("view", [Math.round(x), Math.round(y), scale.toFixed(3)].join(","));
      const text = `#${hash}`;
      if (text !== location.hash) history.replaceState(null, "", text);
    }, 250);
  };

  // What the address no longer means in this graph is left out.
  const recall = () => {
    const hash = new URLSearchParams(location.hash.slice(1));
    const ids = (text) => text.split("|").map((key) => tree.byKey.get(key)?.id).filter((id) => id !== undefined);
    const list = (name) => (hash.get(name) ?? "").split(",").filter((word) => word !== "");
    state = initial();
    if (areaCounts[""] === 0) state.areas = new Set(["third", "standard", "unresolved"]);
    if (hash.has("without")) state.off = new Set(list("without").filter((word) => Data.MEANING[word]));
    if (hash.has("with")) state.areas = new Set(list("with").filter((area) => areaCounts[area] !== undefined));
    if (hash.has("hidden")) {
      const names = new Set(hash.get("hidden").split("|"));
      state.ownersOff = new Set([...model.owners.keys()].filter((owner) => names.has(model.owners[owner].name)));
    }
    state.alone = hash.get("alone") !== "no";
    if (["all", "chosen"].includes(hash.get("arrows"))) state.arrows = hash.get("arrows");
    const steps = Number(hash.get("steps"));
    if (steps >= 1 && steps <= 99) state.steps = Math.floor(steps);
    const limit = Number(hash.get("limit"));
    if (limit >= 1 && limit <= BOXES_AT_MOST) state.limit = Math.floor(limit);
    if (hash.has("open")) {
      state.open = new Set(ids(hash.get("open")));
      state.custom = true;
    }
    if (hash.has("focus")) {
      const [way, ...keys] = hash.get("focus").split("|");
      const items = ids(keys.join("|"));
      if (items.length > 0 && ["both", "imports", "importers"].includes(way)) state.focus = { way, items };
    } else if (hash.has("only")) {
      const [text, ...keys] = hash.get("only").split("|");
      const nodes = ids(keys.join("|")).map((id) => tree.items[id].module).filter((node) => node >= 0);
      if (nodes.length > 0) state.focus = { nodes, text: Data.visible(text) };
    }
    if (hash.has("chosen")) state.chosen = ids(hash.get("chosen")).slice(0, 2);
    element("arrows").value = state.arrows;
    const [x, y, scale] = list("view").map(Number);
    const view = [x, y, scale].every(Number.isFinite) && scale > 0.02 && scale < 5 ? { x, y, scale } : null;
    refresh(!view);
    if (view) drawing.view = view;
  };

  // ---- search ----

  const search = element("search"), results = element("results");
  let found = [], active = -1;
  const lower = model.names.map((name, node) => `${name}\n${model.paths[node]}`.toLowerCase());
  const find = (text) => {
    const wanted = text.trim().toLowerCase();
    if (wanted === "") return [];
    const ranked = [];
    const dotted = wanted.replaceAll("/", ".");
    for (let node = 0; node < model.count; node++) {
      const at = lower[node].indexOf(wanted);
      if (at < 0 && !lower[node].includes(dotted)) continue;
      const name = lower[node].slice(0, lower[node].indexOf("\n"));
      const last = name.slice(name.lastIndexOf(".") + 1);
      const rank = name === wanted ? 0 : last === wanted ? 1 : name.startsWith(wanted) ? 2 : last.startsWith(wanted) ? 3 : at >= 0 && at < name.length ? 4 : 5;
      ranked.push([rank, name.length, node]);
    }
    ranked.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    return ranked.map(([, , node]) => node);
  };
  const showResults = () => {
    const all = find(search.value);
    found = all.slice(0, 40);
    active = found.length > 0 ? 0 : -1;
    results.replaceChildren(...found.map((node, at) => {
      const row = make("li", { role: "option", id: `result-${at}`, "aria-selected": String(at === active) }, model.names[node] || "(computed)", make("small", {}, model.paths[node] || model.kinds[node]));
      row.addEventListener("mousedown", (event) => { event.preventDefault(); take(at); });
      return row;
    }), ...(all.length > 40 ? [make("li", { class: "quiet" }, `${number(all.length - 40)} more`)] : []), ...(search.value.trim() !== "" && all.length === 0 ? [make("li", { class: "quiet" }, "nothing found")] : []));
    results.hidden = search.value.trim() === "";
    search.setAttribute("aria-expanded", String(!results.hidden));
    activate(active);
    scene.matches = all.length === 0 ? null : new Set(all.map((node) => app.view.at[node]).filter((id) => id >= 0));
    drawing.plan();
  };
  const activate = (next) => {
    active = next;
    [...results.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === active)));
    if (active >= 0) {
      search.setAttribute("aria-activedescendant", `result-${active}`);
      results.children[active].scrollIntoView({ block: "nearest" });
    } else search.removeAttribute("aria-activedescendant");
  };
  const closeResults = () => {
    results.hidden = true;
    search.setAttribute("aria-expanded", "false");
    search.removeAttribute("aria-activedescendant");
  };
  const take = (at) => {
    const node = found[at];
    if (node === undefined) return;
    closeResults();
    scene.matches = null;
    app.goTo(node);
    element("picture").focus();
  };
  search.addEventListener("input", showResults);
  search.addEventListener("focus", () => { if (search.value !== "") showResults(); });
  search.addEventListener("blur", () => { closeResults(); scene.matches = null; drawing.plan(); });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") take(active);
    else if (event.key === "ArrowDown" && found.length > 0) activate((active + 1) % found.length);
    else if (event.key === "ArrowUp" && found.length > 0) activate((active - 1 + found.length) % found.length);
    else if (event.key === "Escape") {
      if (search.value === "") element("picture").focus(); else { search.value = ""; showResults(); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // ---- picture, buttons, keys ----

  const tip = element("tip");
  const drawing = Drawing.create(element("picture"), {
    choose: app.choose,
    toggle: app.toggle,
    bundle: (bundle) => {
      state = { ...state, bundle, chosen: [], marked: null };
      light();
      panel.open("chosen");
    },
    hover: (it, event) => {
      tip.hidden = !it;
      if (!it) return;
      const path = it.module >= 0 ? model.paths[it.module] : "";
      tip.textContent = [it.title || it.label, path, it.children.length > 0 ? plural(app.sums[it.id], "module") : model.kinds[it.module]].filter((text) => text !== "").join("\n");
      tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - 320)}px`;
      tip.style.top = `${Math.min(event.clientY + 16, window.innerHeight - 90)}px`;
    },
    moved: () => remember(),
  });
  const panel = Panel.create(app);

  const opened = (factor) => app.set({ custom: false, limit: Math.max(12, Math.min(1500, Math.round(Math.max(app.view.boxes.length, 12) * factor))) });
  const click = (id, action) => element(id).addEventListener("click", action);
  click("more", () => opened(1.6));
  click("less", () => opened(0.6));
  click("zoom-in", () => drawing.zoom(1.3));
  click("zoom-out", () => drawing.zoom(1 / 1.3));
  click("fit", () => drawing.fit());
  click("reset", () => { history.replaceState(null, "", "#"); search.value = ""; closeResults(); recall(); panel.open("chosen"); });
  element("arrows").addEventListener("change", (event) => app.set({ arrows: event.target.value }));

  // The nearest box that way: what is aside counts double.
  const step = (dx, dy) => {
    const from = state.chosen.length > 0 && boxOf(tree.items[state.chosen[state.chosen.length - 1]]);
    if (!from) { drawing.pan(-dx * 80, -dy * 80); return; }
    const middle = ({ x, y, w, h }) => [x + w / 2, y + h / 2];
    const [x, y] = middle(scene.places.get(from.id));
    let best = null, least = Infinity;
    for (const it of scene.boxes) {
      if (it === from) continue;
      const [a, b] = middle(scene.places.get(it.id));
      const along = (a - x) * dx + (b - y) * dy, aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
      if (along > 4 && along + 2 * aside < least) { best = it; least = along + 2 * aside; }
    }
    if (best) {
      app.choose(best, false);
      element("status").textContent = `${best.title || best.label}${best.children.length > 0 ? `, ${plural(app.sums[best.id], "module")}` : ""}`;
    }
  };
  const back = () => {
    if (state.chosen.length > 0 || state.bundle || state.marked) app.choose(null, false);
    else if (state.focus) app.set({ focus: null, custom: false });
  };
  const keys = {
    "/": () => { search.focus(); search.select(); },
    "+": () => drawing.zoom(1.3), "=": () => drawing.zoom(1.3), "-": () => drawing.zoom(1 / 1.3), 0: () => drawing.fit(),
    "]": () => opened(1.6), "[": () => opened(0.6), f: () => app.focus("both"), Escape: back,
  };
  const onPicture = {
    ArrowLeft: () => step(-1, 0), ArrowRight: () => step(1, 0), ArrowUp: () => step(0, -1), ArrowDown: () => step(0, 1),
    Enter: () => {
      const it = tree.items[state.chosen[0]];
      if (it && it.children.length > 0) app.toggle(it);
    },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
    const action = keys[event.key] ?? (event.target === element("picture") || event.target === document.body ? onPicture[event.key] : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
  new ResizeObserver(() => drawing.resize()).observe(element("picture"));
  window.addEventListener("hashchange", recall);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawing.recolour());
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("on-paper");
    element("paper").src = drawing.picture();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("on-paper");
    drawing.recolour();
  });

  const sample = (text, fill, line, style = "solid") => {
    const mark = make("i");
    Object.assign(mark.style, { background: fill && `var(--${fill})`, borderColor: `var(--${line})`, borderStyle: style });
    if (!fill) mark.className = "stroke";
    return make("li", {}, mark, text);
  };
  element("legend").append(
    sample("+ group of modules", "group", "group-line"), sample("module", "box", "module-line"),
    sample("outside the workspace", "outside", "outside-line"), sample("unresolved", "missing", "missing-line", "dashed"), sample("↻ module in a cycle", "box", "cycle"),
    sample("imports, and how many", "", "arrow"), sample("closes a cycle", "", "cycle", "dashed"),
    sample("what the chosen imports", "", "imports"), sample("who imports it", "", "importers", "dashed"));

  drawing.resize();
  recall();
  panel.open("chosen");
})();
