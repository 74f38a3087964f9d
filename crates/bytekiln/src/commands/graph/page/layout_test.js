// Runs the parts of the page that need no document on the data of a page, as a test: everything is placed,
// nothing overlaps, twice the same. Knows nothing of drawing. The scripts stand before it.
"use strict";

const check = (holds, text) => { if (!holds) throw new Error(text); };

const picture = (raw, limit) => {
  const model = Data.read(raw);
  const tree = Groups.build(model);
  const shown = new Uint8Array(model.count).fill(1);
  const sums = Groups.counts(tree, shown);
  check(sums[tree.root.id] === model.count, "each module is in the tree once");
  const open = Groups.openUpTo(tree, sums, limit, true);
  const view = Groups.seen(tree, sums, open, shown, model.count);
  check(view.at.every((id) => id >= 0), "each module is seen as a box");
  const follow = Data.followed(model, new Set(Data.PRESETS.all));
  const edges = Array.from({ length: model.edgeCount }, (_, edge) => edge).filter((edge) => follow[model.label[edge]] === 1);
  const bundles = Groups.bundles(model, tree, view, edges);
  const placed = Layout.place(tree, view, bundles, (it) => [40 + 7 * Math.min(24, it.label.length), it.children.length > 0 ? 32 : 28], 1.5);
  const essential = Layout.classify(bundles, placed.rank);
  return { model, tree, view, bundles, placed, essential, edges };
};

const overlaps = (a, b) => a.x < b.x + b.w - 0.01 && b.x < a.x + a.w - 0.01 && a.y < b.y + b.h - 0.01 && b.y < a.y + a.h - 0.01;

const reached = (bundles) => {
  const out = new Map();
  for (const { from, to } of bundles) out.set(from, [...(out.get(from) ?? []), to]);
  return [...new Set(bundles.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b).map((start) => {
    const seen = new Set(), rest = [start];
    while (rest.length > 0) for (const next of out.get(rest.pop()) ?? []) if (!seen.has(next)) { seen.add(next); rest.push(next); }
    return `${start}: ${[...seen].sort((a, b) => a - b)}`;
  }).join("\n");
};

const raw = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const limit of [1, 12, 60, 400]) {
  const one = picture(raw, limit), two = picture(raw, limit);
  check(JSON.stringify([...one.placed.places]) === JSON.stringify([...two.placed.places]), "the same graph gives the same picture");
  check(one.view.boxes.length <= Math.max(limit * 1.5, one.tree.root.children.length), "no more boxes than asked for");
  for (const it of one.view.boxes) {
    const place = one.placed.places.get(it.id);
    check([place.x, place.y, place.w, place.h].every(Number.isFinite), "each box has a place");
    for (const frame of one.view.frames) {
      const outer = one.placed.places.get(frame.id);
      let inside = false;
      for (let at = it; at; at = at.parent) inside ||= at === frame;
      if (inside) check(place.x >= outer.x && place.y >= outer.y && place.x + place.w <= outer.x + outer.w + 0.01 && place.y + place.h <= outer.y + outer.h + 0.01, `${it.title} is in its frame`);
      else check(!overlaps(place, outer), `${it.title} is not in another's frame`);
    }
    for (const other of one.view.boxes) if (other !== it) check(!overlaps(place, one.placed.places.get(other.id)), `${it.title} and ${other.title} do not overlap`);
  }
  check(reached(one.essential) === reached(one.bundles), "what is implied is reached without it");
}
const { model, edges } = picture(raw, 60);
const follows = new Set(edges);
for (const cycle of Questions.cycles(model, (edge) => follows.has(edge))) {
  const trip = Questions.roundTrip(model, cycle);
  check(trip.length >= 2 && model.from[trip[0]] === model.to[trip[trip.length - 1]], "a round trip ends where it began");
  const cut = new Set(Questions.cut(model, cycle));
  const inside = new Set(cycle.nodes);
  const left = (edge) => inside.has(model.from[edge]) && follows.has(edge) && !cut.has(edge) && model.from[edge] !== model.to[edge];
  check(Questions.cycles(model, left).length === 0, "what is cut leaves no cycle");
  trip.forEach((edge, at) => check(at === 0 || model.from[edge] === model.to[trip[at - 1]], "a round trip has no gaps"));
}
console.log("held");
