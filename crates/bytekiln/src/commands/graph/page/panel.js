// The tabs beside the picture: what is chosen, filters, cycles, and the outline, which says as text what
// the picture shows. Names reach the document as text only. Knows nothing of how boxes are drawn; what
// its buttons do is `app`'s.
"use strict";

const Panel = (() => {
  const ROWS = 120;
  const element = (id) => document.getElementById(id);
  const make = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "onclick" || key === "onchange" || key === "oninput") node.addEventListener(key.slice(2), value);
      else if (key === "checked" || key === "disabled" || key === "value") node[key] = value;
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };
  const number = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
  const plural = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
  const button = (text, onclick, title) => make("button", { type: "button", onclick, ...(title ? { title } : {}) }, text);
  const link = (text, onclick, title) => make("button", { type: "button", class: "link", onclick, ...(title ? { title } : {}) }, text);

  // The first rows of a long list, and a button for more.
  const list = (rows, render) => {
    const ul = make("ul");
    let shown = 0;
    const more = () => {
      ul.querySelector(".rest")?.remove();
      for (const row of rows.slice(shown, shown + ROWS)) ul.append(render(row));
      shown += ROWS;
      if (shown < rows.length) ul.append(make("li", { class: "rest" }, button(`${number(rows.length - shown)} more`, more)));
    };
    more();
    return ul;
  };

  const create = (app) => {
    const { model, tree } = app;
    const nameOf = (node) => model.names[node] || "(computed)";
    const words = (edge) => model.labels[model.label[edge]].filter((word) => !["name", "unbound", "relative"].includes(word));
    const places = (edges) => {
      const lines = [...new Set(edges.map((edge) => model.line[edge]).filter((line) => line > 0))];
      if (lines.length === 0) return "its package";
      return `${lines.length === 1 ? "line" : "lines"} ${lines.slice(0, 6).join(", ")}${lines.length > 6 ? ", …" : ""}`;
    };
    const moduleLink = (node) => link(nameOf(node), () => app.goTo(node), model.paths[node]);
    const tags = (list) => list.map((word) => make("span", { class: "tag", title: Data.MEANING[word] ?? "" }, word));

    // ---- chosen ----

    const chosen = () => {
      const { state } = app;
      const out = [];
      if (state.bundle) out.push(...bundle(state.bundle));
      else if (state.chosen.length === 2) out.push(...chain(...state.chosen));
      else if (state.chosen.length === 1) {
        const it = tree.items[state.chosen[0]];
        out.push(...(it.module >= 0 ? module(it) : group(it)));
      } else out.push(...nothing());
      element("chosen").replaceChildren(...out);
    };

    const nothing = () => [
      make("p", { class: "hint" }, "Click a box to see what it imports and who imports it, “+” or a double click to open it, an arrow to see its imports. Shift-click a second box for the shortest chain between the two."),
      make("h3", { class: "hint" }, "Keys"),
      make("dl", { class: "keys hint" }, ...[
        ["/", "search"], ["← ↑ ↓ →", "to the next box; move the picture if none is chosen"], ["Enter", "open or close what is chosen"], ["f", "focus on what is chosen"],
        ["+ − 0", "zoom in, out, show everything"], ["] [", "open more, close"], ["Esc", "step back"],
      ].flatMap(([key, text]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, text)])),
      ...top(),
    ];

    // Where to begin reading.
    const top = () => {
      const importers = new Map();
      for (let node = 0; node < model.count; node++) {
        if (!app.shown[node]) continue;
        const from = new Set();
        for (let at = model.backStart[node]; at < model.backStart[node + 1]; at++) {
          const edge = model.back[at];
          if (app.follows(edge) && app.shown[model.from[edge]]) from.add(model.from[edge]);
        }
        if (from.size > 0) importers.set(node, from.size);
      }
      const rows = [...importers].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 12);
      if (rows.length === 0) return [];
      return [make("h3", {}, "Imported by the most modules"),
        make("ul", {}, ...rows.map(([node, count]) => make("li", {}, moduleLink(node), make("span", { class: "tag" }, number(count)))))];
    };

    const actions = (it) => {
      const { state } = app;
      const steps = make("select", { "aria-label": "Steps", onchange: (event) => app.set({ steps: Number(event.target.value) }) },
        ...[1, 2, 3, 5, 99].map((value) => make("option", { value: String(value), ...(state.steps === value ? { selected: "" } : {}) }, value === 99 ? "all steps" : plural(value, "step"))));
      return make("div", { class: "row" },
        button("Focus", () => app.focus("both"), "Only this, what it imports, and who imports it (f)"),
        button("Its imports", () => app.focus("imports"), "Only this, and what it imports"),
        button("Its importers", () => app.focus("importers"), "Only this, and who imports it"), steps,
        ...(it.children.length > 0 ? [button(state.open.has(it.id) ? "Close" : "Open", () => app.toggle(it))] : []));
    };

    const where = (it) => {
      const parents = [];
      for (let at = it.parent; at && at.parent; at = at.parent) parents.unshift(at);
      return parents.length === 0 ? [] : [make("p", { class: "quiet" }, "in ", ...parents.flatMap((at, i) => [i ? " › " : "", link(at.label, () => app.choose(at, false))]))];
    };

    const module = (it) => {
      const node = it.module;
      const owner = model.owner[node] >= 0 ? model.owners[model.owner[node]] : null;
      const out = [make("h2", {}, nameOf(node)), make("p", {}, ...tags([model.kinds[node]]), owner ? ` ${owner.kind.replace("-", " ")} ${owner.name}` : "")];
      if (model.paths[node]) out.push(make("p", { class: "path" }, model.paths[node]));
      for (const [a, b, text] of model.ambiguities) {
        if (a === node) out.push(make("p", {}, "⚠ hides ", moduleLink(b), ` ${model.paths[b]} (${text})`));
        if (b === node) out.push(make("p", {}, "⚠ is hidden by ", moduleLink(a), ` ${model.paths[a]} (${text})`));
      }
      out.push(...where(it), actions(it));
      const forth = [], back = [];
      for (let edge = model.start[node]; edge < model.start[node + 1]; edge++) if (app.follows(edge)) forth.push(edge);
      for (let at = model.backStart[node]; at < model.backStart[node + 1]; at++) if (app.follows(model.back[at])) back.push(model.back[at]);
      out.push(...imports("Imports", forth, (edge) => model.to[edge]), ...imports("Imported by", back, (edge) => model.from[edge]));
      return out;
    };

    // One row for each module at the other end, with all the lines.
    const imports = (title, edges, other) => {
      const byOther = new Map();
      for (const edge of edges) {
        if (!byOther.has(other(edge))) byOther.set(other(edge), []);
        byOther.get(other(edge)).push(edge);
      }
      const rows = [...byOther].sort((a, b) => (nameOf(a[0]) < nameOf(b[0]) ? -1 : 1));
      return [make("h3", {}, `${title} (${number(rows.length)})`), list(rows, ([node, own]) => {
        const facts = new Set(own.flatMap(words));
        return make("li", {}, moduleLink(node), ...tags([...facts]),
          make("small", {}, ` ${places(own)}`));
      })];
    };

    const group = (it) => {
      const inner = new Set(Groups.modules(it, app.shown));
      const kind = { range: "part of a group", package: "package", member: "member", distribution: "distribution" }[it.kind] ?? "group";
      const out = [make("h2", {}, it.title || it.label), make("p", {}, ...tags([kind]), ` ${plural(inner.size, "module")}`), ...where(it), actions(it)];
      const forth = new Map(), back = new Map();
      let own = 0;
      for (const node of inner) {
        for (let edge = model.start[node]; edge < model.start[node + 1]; edge++) {
          if (!app.follows(edge) || !app.shown[model.to[edge]]) continue;
          if (inner.has(model.to[edge])) own++; else count(forth, model.to[edge]);
        }
        for (let at = model.backStart[node]; at < model.backStart[node + 1]; at++) {
          const edge = model.back[at];
          if (app.follows(edge) && app.shown[model.from[edge]] && !inner.has(model.from[edge])) count(back, model.from[edge]);
        }
      }
      out.push(make("p", { class: "quiet" }, `${plural(own, "import")} inside`));
      const rows = (sums) => [...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      const render = ([node, sum]) => make("li", {}, moduleLink(node), make("span", { class: "tag" }, number(sum)));
      out.push(make("h3", {}, `Imports (${number(forth.size)})`), list(rows(forth), render));
      out.push(make("h3", {}, `Imported (${number(back.size)} importers)`), list(rows(back), render));
      return out;
    };

    const count = (sums, key) => sums.set(key, (sums.get(key) ?? 0) + 1);

    const bundle = (it) => {
      const edges = Groups.inside(model, app.view, it, app.follows);
      const from = tree.items[it.from], to = tree.items[it.to];
      return [make("h2", {}, `${from.title || from.label} → ${to.title || to.label}`),
        make("p", {}, plural(edges.length, "import")), steps(edges)];
    };

    const steps = (edges) => list(edges, (edge) => make("li", {}, moduleLink(model.from[edge]), " → ", moduleLink(model.to[edge]), ...tags(words(edge)),
      make("small", { class: "path" }, ` ${model.paths[model.from[edge]]}${model.line[edge] > 0 ? `:${model.line[edge]}` : ""}`)));

    const chain = (first, second) => {
      const [a, b] = [tree.items[first], tree.items[second]];
      const out = [make("h2", {}, "Why"), make("div", { class: "row" }, link(a.title || a.label, () => app.choose(a, false)), "→", link(b.title || b.label, () => app.choose(b, false)), button("Swap", () => app.swap()))];
      const found = app.chain;
      if (!found) {
        out.push(make("p", {}, "No chain of imports that the filter lets through leads there."));
        if (app.chainBack) out.push(make("p", {}, `The other way round there is one, of ${plural(app.chainBack.length, "import")}.`));
      }
      else if (found.length === 0) out.push(make("p", {}, "One is part of the other."));
      else {
        out.push(make("p", {}, `The shortest chain has ${plural(found.length, "import")}.`),
          button("Show only the chain", () => app.only([model.from[found[0]], ...found.map((edge) => model.to[edge])], "the chain")), steps(found));
      }
      return out;
    };

    // ---- filter ----

    const filter = () => {
      const { state } = app;
      const sums = new Map([["plain", 0]]);
      model.labels.forEach((set, at) => {
        const asked = set.filter((word) => !Data.SILENT.has(word));
        if (asked.length === 0) sums.set("plain", sums.get("plain") + model.uses[at]);
        for (const word of asked) sums.set(word, (sums.get(word) ?? 0) + model.uses[at]);
      });
      const preset = Object.entries(Data.PRESETS).find(([, off]) => [...sums.keys()].every((word) => off.includes(word) === state.off.has(word)))?.[0] ?? "";
      const check = (text, checked, sum, title, onchange) => make("label", { class: "line", title }, make("input", { type: "checkbox", checked, onchange: (event) => onchange(event.target.checked) }), text, make("small", {}, number(sum)));
      const kinds = make("fieldset", {}, make("legend", {}, "Imports"),
        make("label", {}, "Which ", make("select", { value: preset, onchange: (event) => app.set({ off: new Set(Data.PRESETS[event.target.value] ?? state.off) }) },
          ...[["eager", "eager: at import"], ["lazy", "and lazy"], ["runtime", "all that can run"], ["all", "all"], ["", "as ticked"]].map(([value, text]) => make("option", { value, ...(preset === value ? { selected: "" } : {}) }, text)))),
        ...["plain", ...model.words].filter((word) => sums.has(word)).map((word) => check(word === "plain" ? "unconditional" : word, !state.off.has(word), sums.get(word), Data.MEANING[word] ?? "", (on) => {
          const off = new Set(state.off);
          if (on) off.delete(word); else off.add(word);
          app.set({ off });
        })),
        make("p", { class: "quiet" }, "An import is shown if all that is said of it is ticked."));
      const area = (name, text, title) => check(text, state.areas.has(name), app.areaCounts[name], title, (on) => {
        const areas = new Set(state.areas);
        if (on) areas.add(name); else areas.delete(name);
        app.set({ areas, custom: false });
      });
      const areas = make("fieldset", {}, make("legend", {}, "Modules"),
        area("third", "Third-party distributions", "One box for each"), area("standard", "Standard library", "One box, to open"), area("unresolved", "Unresolved imports", "Names that were not found"),
        check("Not connected with anything", state.alone, app.aloneCount, "Modules without a shown import", (alone) => app.set({ alone, custom: false })));
      element("filter").replaceChildren(kinds, areas, owners());
    };

    const owners = () => {
      const { state } = app;
      const rows = make("ul");
      const used = app.ownerCounts;
      const fill = (text) => {
        const wanted = text.toLowerCase();
        const found = model.owners.map((owner, at) => [owner, at]).filter(([owner, at]) => used[at] > 0 && owner.name.toLowerCase().includes(wanted));
        rows.replaceChildren(...found.slice(0, 300).map(([owner, at]) => make("li", {}, make("label", { class: "line" },
          make("input", { type: "checkbox", checked: !state.ownersOff.has(at), onchange: (event) => {
            const off = new Set(app.state.ownersOff);
            if (event.target.checked) off.delete(at); else off.add(at);
            app.set({ ownersOff: off, custom: false });
          } }), owner.name, link("only", () => app.set({ ownersOff: new Set([...model.owners.keys()].filter((other) => other !== at)), custom: false })), make("small", {}, number(used[at]))))),
        ...(found.length > 300 ? [make("li", { class: "quiet" }, `${number(found.length - 300)} more: search for them`)] : []));
      };
      const input = make("input", { type: "search", placeholder: "Search members and distributions", "aria-label": "Search members and distributions", value: app.ownerText, oninput: (event) => { app.ownerText = event.target.value; fill(app.ownerText); } });
      fill(app.ownerText);
      return make("fieldset", {}, make("legend", {}, "Owners"), input,
        make("div", { class: "row" }, button("All", () => app.set({ ownersOff: new Set(), custom: false })), button("None", () => app.set({ ownersOff: new Set(model.owners.keys()), custom: false }))),
        make("div", { class: "scroll" }, rows));
    };

    // ---- cycles ----

    const cycles = () => {
      const found = app.cycles();
      const out = [make("p", {}, found.length === 0 ? "No cycle among the imports that the filter lets through." : `${plural(found.length, "cycle")} among the imports that the filter lets through: modules that all import each other, if by detours.`),
        make("div", { class: "row" }, button("Only eager imports", () => app.set({ off: new Set(Data.PRESETS.eager) }), "Cycles that can fail at import"))];
      out.push(list(found.slice(0, 500), (cycle) => {
        const first = cycle.nodes.slice(0, 3).map(nameOf).join(", ");
        const details = make("details", {}, make("summary", {}, plural(cycle.nodes.length, "module"), make("small", {}, ` ${first}${cycle.nodes.length > 3 ? ", …" : ""}`)));
        details.addEventListener("toggle", () => {
          if (!details.open || details.children.length > 1) return;
          details.append(make("div", { class: "row" }, button("Mark", () => app.mark(cycle), "Mark its modules in the picture"), button("Show only it", () => app.only(cycle.nodes, `a cycle of ${plural(cycle.nodes.length, "module")}`))),
            make("h3", {}, "A shortest way round"), steps(Questions.roundTrip(model, cycle)),
            ...cuts(cycle), make("h3", {}, "Modules"), list(cycle.nodes, (node) => make("li", {}, moduleLink(node))));
        });
        return make("li", {}, details);
      }));
      element("cycles").replaceChildren(...out);
    };

    const cuts = (cycle) => {
      const edges = Questions.cut(model, cycle);
      return [make("h3", {}, `Without ${edges.length === 1 ? "this import" : `these ${number(edges.length)} imports`} there is no cycle`), steps(edges)];
    };

    // ---- outline ----

    const outline = () => {
      const { state } = app;
      const branch = (it) => make("ul", {}, ...it.children.filter((inner) => app.sums[inner.id] > 0).map((inner) => {
        const group = inner.children.length > 0, open = group && state.open.has(inner.id);
        const sign = group ? make("button", { type: "button", class: "sign", "aria-expanded": String(open), "aria-label": `${open ? "Close" : "Open"} ${inner.label}`, onclick: () => app.toggle(inner) }, open ? "−" : "+") : make("span", {}, "\u2003");
        const row = make("li", {}, sign, link(inner.label, () => app.choose(inner, false)), ...(group ? [make("small", {}, ` ${number(app.sums[inner.id])}`)] : []));
        if (open) {
          const deeper = branch(inner);
          deeper.style.marginLeft = "16px";
          row.append(deeper);
        }
        return row;
      }));
      const whole = branch(tree.root);
      whole.className = "tree";
      element("outline").replaceChildren(make("p", { class: "quiet" }, "What the picture shows, as text."), whole);
    };

    // ---- tabs ----

    const tabs = { chosen, filter, cycles, outline };
    const names = Object.keys(tabs);
    let current = "chosen";
    const open = (name) => {
      current = name;
      for (const other of names) {
        const is = other === name;
        element(other).hidden = !is;
        element(`tab-${other}`).setAttribute("aria-selected", String(is));
        element(`tab-${other}`).tabIndex = is ? 0 : -1;
      }
      tabs[name]();
    };
    for (const name of names) {
      element(`tab-${name}`).addEventListener("click", () => open(name));
      element(`tab-${name}`).addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = names[(names.indexOf(name) + step + names.length) % names.length];
        open(next);
        element(`tab-${next}`).focus();
      });
    }
    return { open, update: () => tabs[current](), get current() { return current; } };
  };

  return { create, make, number, plural };
})();
