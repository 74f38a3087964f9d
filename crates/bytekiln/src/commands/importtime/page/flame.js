// Two flame graphs, one above the other: each import as wide as it takes, below its importer.
let lowerVariant = best;
let upperVariant = without >= 0 ? without : best;
let zoomed = null, chosen = null, found = null;
const ROW = 17;
const colors = {};
const readColors = () => {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["box", "ink", "quiet", "line", "accent", "match", "on-frame", "frame-line", "cache", "compiled", "stale", "extension", "builtin", "zip", "failed"]) {
    colors[name] = style.getPropertyValue(`--${name}`).trim();
  }
};
const isTwo = () => upperVariant !== lowerVariant;

// From where to where each import goes in a variant: medians of parts need not add up to that of the whole,
// so an importer is at least as wide as what it imports.
const layouts = new Map();
const layout = (variant) => {
  if (layouts.has(variant)) return layouts.get(variant);
  const widths = new Array(imports.length).fill(0);
  for (let at = imports.length - 1; at >= 0; at--) {
    const below = imports[at].children.reduce((sum, child) => sum + widths[child.index], 0);
    widths[at] = Math.max(total(imports[at], variant) ?? 0, below);
  }
  const starts = new Array(imports.length).fill(0);
  let end = 0;
  for (const root of roots) { starts[root.index] = end; end += widths[root.index]; }
  for (const it of imports) {
    let at = starts[it.index];
    for (const child of it.children) { starts[child.index] = at; at += widths[child.index]; }
  }
  const made = { starts, widths, end };
  layouts.set(variant, made);
  return made;
};

const view = (variant) => {
  const { starts, widths, end } = layout(variant);
  if (zoomed) return { from: starts[zoomed.index], span: Math.max(1, widths[zoomed.index]) };
  return { from: 0, span: Math.max(1, end) };
};
const depthOf = (variant) => {
  const { widths } = layout(variant);
  const base = zoomed ? zoomed.depth : 0;
  let deepest = 0;
  for (const it of imports) if (widths[it.index] > 0 && isInView(it)) deepest = Math.max(deepest, it.depth - base);
  return Math.min(deepest, 39);
};
const isInView = (it) => {
  if (!zoomed) return true;
  for (let at = it; at; at = at.parent === null ? null : imports[at.parent]) if (at === zoomed) return true;
  return false;
};

const frames = new Map();
const draw = (canvas, variant, span) => {
  const { starts, widths } = layout(variant);
  const { from } = view(variant);
  const width = Math.max(100, canvas.parentElement.clientWidth - 24);
  const height = (depthOf(variant) + 1) * ROW + 4;
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.style.marginLeft = "12px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const drawn = [];
  const base = zoomed ? zoomed.depth : 0;
  for (const it of imports) {
    if (!isInView(it) || it.depth - base > 39) continue;
    const x = (starts[it.index] - from) / span * width, w = widths[it.index] / span * width;
    if (w < 0.4) continue;
    const y = (it.depth - base) * ROW + 2;
    const tone = it.loaded ? TONES[it.origins[variant]] ?? "builtin" : "failed";
    const isFound = found && found.has(it.index);
    context.globalAlpha = found && !isFound ? 0.45 : 1;
    context.fillStyle = isFound ? colors.match : colors[tone];
    context.fillRect(x, y, Math.max(0.6, w - 0.6), ROW - 1.5);
    context.globalAlpha = 1;
    if (chosen === it) {
      context.strokeStyle = colors.accent;
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, Math.max(1, w - 2.6), ROW - 3.5);
    }
    if (w > 26) {
      context.save();
      context.beginPath();
      context.rect(x + 3, y, w - 6, ROW);
      context.clip();
      context.fillStyle = colors["on-frame"];
      const time = w > 110 ? `  ${milliseconds(total(it, variant) ?? widths[it.index])}` : "";
      const name = it.parent !== null && imports[it.parent].name && it.label.startsWith(`${imports[it.parent].label}.`) && w < 120 ? it.label.slice(imports[it.parent].label.length) : it.label;
      context.fillText(name + time, x + 4, y + ROW / 2 - 0.5);
      context.restore();
    }
    drawn.push({ x, y, w, it });
  }
  frames.set(canvas, { drawn, variant });
};

const heading = (variant) => {
  const { title, explanation } = data.variants[variant];
  const part = zoomed ? `${zoomed.label}: ${milliseconds(total(zoomed, variant) ?? 0)} ms` : `all imports: ${milliseconds(layout(variant).end)} ms`;
  return `${title}, ${explanation.replace(/^without any cache: /, "")} — ${part}`;
};
const drawFlames = () => {
  const upper = view(upperVariant), lower = view(lowerVariant);
  const one = element("same-scale").checked ? Math.max(upper.span, lower.span) : null;
  element("upper-title").textContent = heading(upperVariant);
  draw(element("upper"), upperVariant, one ?? upper.span);
  element("lower").hidden = element("lower-title").hidden = !isTwo();
  if (isTwo()) {
    element("lower-title").textContent = heading(lowerVariant);
    draw(element("lower"), lowerVariant, one ?? lower.span);
  }
  element("out").disabled = element("whole").disabled = !zoomed;
};
const at = (canvas, event) => {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const frame = frames.get(canvas)?.drawn.find((it) => x >= it.x && x < it.x + it.w && y >= it.y && y < it.y + ROW);
  return frame?.it ?? null;
};
const zoom = (it) => { zoomed = it; drawFlames(); };

const drawLegend = () => {
  const used = new Set();
  for (const it of imports) for (const variant of new Set([upperVariant, lowerVariant])) if (it.loaded) used.add(TONES[it.origins[variant]] ?? "builtin");
  const names = { cache: "from its cache", compiled: "compiled", stale: "stale", extension: "extension module", builtin: "built in, frozen, other", zip: "in a zip" };
  const entries = Object.entries(names).filter(([tone]) => used.has(tone)).map(([tone, name]) => make("li", {}, make("i", { style: `background: ${colors[tone]}` }), name));
  if (imports.some((it) => !it.loaded)) entries.push(make("li", {}, make("i", { style: `background: ${colors.failed}; border: 1px solid ${colors.quiet}` }), "not loaded"));
  element("legend").replaceChildren(...entries);
};
