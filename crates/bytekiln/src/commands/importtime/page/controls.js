// What a reader may do: choose, zoom, search, sort, print.
const choose = (it, scroll) => {
  chosen = it;
  drawFlames();
  drawChosen();
  for (const row of element("module-table").querySelectorAll("tr[data-import]")) {
    row.setAttribute("aria-selected", String(Number(row.dataset.import) === it?.index));
  }
  if (scroll) element("chosen").scrollIntoView({ block: "nearest" });
};
const tip = element("tip");
for (const id of ["upper", "lower"]) {
  const canvas = element(id);
  canvas.addEventListener("click", (event) => { const it = at(canvas, event); if (it) choose(it); });
  canvas.addEventListener("dblclick", (event) => { const it = at(canvas, event); zoom(it === zoomed ? null : it); });
  canvas.addEventListener("pointermove", (event) => {
    const it = at(canvas, event);
    tip.hidden = !it;
    if (!it) return;
    const lines = data.variants.map((variant, which) => `${variant.title}: ${figure(it.times[which]?.cumulative)}, self ${figure(it.times[which]?.self)}`);
    tip.textContent = `${it.label}\n${lines.join("\n")}`;
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8))}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
}
const up = () => zoom(zoomed === null || zoomed.parent === null ? null : imports[zoomed.parent]);
element("out").addEventListener("click", up);
element("whole").addEventListener("click", () => zoom(null));
element("same-scale").addEventListener("change", drawFlames);
element("against").replaceChildren(...(others.length ? others : [best]).map((at) => make("option", { value: at }, data.variants[at].title)));
element("against").value = String(best);
element("against").addEventListener("change", (event) => {
  lowerVariant = Number(event.target.value);
  if (without < 0) upperVariant = lowerVariant;
  drawLegend(); drawModules(); drawFlames();
});
const refine = () => { shownRows = PAGE; drawModules(); drawFlames(); };
for (const id of ["search", "filter-phase", "filter-origin"]) element(id).addEventListener("input", refine);
const origins = [...new Set(imports.flatMap((it) => it.origins.filter(Boolean)))].sort();
element("filter-origin").replaceChildren(make("option", { value: "" }, "from anywhere"), ...origins.map((origin) => make("option", { value: origin }, ORIGINS[origin] ?? origin)));
element("more").addEventListener("click", () => { shownRows += 1000; drawModules(); });
element("module-table").addEventListener("click", (event) => {
  const key = event.target.closest("button")?.dataset.sort;
  if (key) {
    sortDown = sortBy === key ? !sortDown : true;
    sortBy = key;
    return drawModules();
  }
  const row = event.target.closest("tr[data-import]");
  if (row) choose(imports[Number(row.dataset.import)]);
});
document.addEventListener("click", (event) => {
  const index = event.target.closest("[data-choose]")?.dataset.choose;
  if (index !== undefined) choose(imports[Number(index)], true);
});
document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select")) {
    if (event.key === "Escape") { event.target.value = ""; refine(); event.target.blur(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { element("search").focus(); event.preventDefault(); }
  else if (event.key === "0") zoom(null);
  else if (event.key === "Backspace") up();
  else if (event.key === "Enter" && event.target.dataset?.import) choose(imports[Number(event.target.dataset.import)]);
  else if (event.key === "Enter" && event.target.tagName === "CANVAS" && chosen) zoom(chosen === zoomed ? null : chosen);
});

const about = [`CPython ${data.interpreter.version}`, plural(data.runs, "run each, in turns", "runs each, in turns"), plural(imports.filter((it) => it.loaded).length, "module", "modules"), visible(data.program.folder)];
element("about").textContent = about.join(" · ");
element("warnings").hidden = data.warnings.length === 0;
element("warning-list").replaceChildren(...data.warnings.map((text) => make("li", {}, visible(text))));
const drawAll = () => { readColors(); drawLegend(); drawFlames(); };
drawWays();
drawCandidates();
drawModules();
drawAll();
addEventListener("resize", drawFlames);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
// Paper is white, and shows every row.
let before = PAGE;
addEventListener("beforeprint", () => { document.documentElement.classList.add("on-paper"); before = shownRows; shownRows = Infinity; drawModules(); drawAll(); });
addEventListener("afterprint", () => { document.documentElement.classList.remove("on-paper"); shownRows = before; drawModules(); drawAll(); });
