// Draws boxes and arrows on a canvas, only what is in view, and says what is under the pointer. Knows
// nothing of modules: it is given places, words and marks.
"use strict";

const Drawing = (() => {
  const FONT = "system-ui, -apple-system, \"Segoe UI\", \"Noto Sans\", sans-serif";
  const GROUP = `600 13px ${FONT}`, MODULE = `13px ${FONT}`;
  const LABEL_AT_MOST = 210, SEEN = 9.5;
  const COLOURS = ["paper", "box", "ink", "quiet", "line", "soft", "accent", "group", "group-line", "module-line", "outside", "outside-line",
    "missing", "missing-line", "arrow", "imports", "importers", "cycle", "chain", "match", "frame"];

  const create = (canvas, say) => {
    const context = canvas.getContext("2d");
    let scene = null, colours = {}, hovered = null;
    let view = { x: 0, y: 0, scale: 1 };
    let width = 1, height = 1, margin = 0, planned = false;
    const widths = new Map();

    const measure = (text, font) => {
      const key = font + text;
      if (!widths.has(key)) {
        context.font = font;
        widths.set(key, context.measureText(text).width);
      }
      return widths.get(key);
    };

    // Of a box that is not open.
    const size = (it, count, looped) => {
      const group = it.children.length > 0;
      const label = Math.min(LABEL_AT_MOST, measure((looped ? "↻ " : "") + it.label, group ? GROUP : MODULE));
      return group ? [Math.max(92, label + measure(String(count), MODULE) + 48), 32] : [Math.max(64, label + 24), 28];
    };

    const readColours = () => {
      const style = getComputedStyle(document.documentElement);
      for (const name of COLOURS) colours[name] = style.getPropertyValue(`--${name}`).trim();
    };

    const resize = () => {
      const ratio = window.devicePixelRatio || 1;
      width = canvas.clientWidth || 1;
      height = canvas.clientHeight || 1;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      plan();
    };

    const plan = () => {
      if (planned) return;
      planned = true;
      requestAnimationFrame(() => {
        planned = false;
        const ratio = window.devicePixelRatio || 1;
        paint(context, width, height, view, ratio);
      });
    };

    // ---- where arrows run ----

    const route = (a, b) => {
      const ax = a.x + a.w / 2, bx = b.x + b.w / 2;
      const lean = (from, w, to) => from + Math.max(-w * 0.36, Math.min(w * 0.36, (to - from) * 0.22));
      if (b.y >= a.y + a.h - 1) {
        const [x0, y0, x1, y1] = [lean(ax, a.w, bx), a.y + a.h, lean(bx, b.w, ax), b.y];
        const bend = Math.max(10, Math.min(150, (y1 - y0) * 0.48));
        return [x0, y0, x0, y0 + bend, x1, y1 - bend, x1, y1];
      }
      // Beside each other, or up: from side to side, unless one stands above the other.
      const apart = bx > ax ? b.x - (a.x + a.w) : a.x - (b.x + b.w);
      if (apart < 12) {
        const up = a.y >= b.y + b.h - 1 ? 1 : 0;
        const [x0, x1] = [a.x + a.w, b.x + b.w];
        const [y0, y1] = [a.y + a.h / 2 - 5 * up, b.y + b.h / 2 + 5 * up];
        const far = Math.max(x0, x1) + Math.min(90, 22 + Math.abs(y0 - y1) * 0.12);
        return [x0, y0, far, y0, far, y1, x1, y1];
      }
      const right = bx > ax;
      const [x0, x1] = right ? [a.x + a.w, b.x] : [a.x, b.x + b.w];
      const [y0, y1] = [a.y + a.h / 2 + (right ? -4 : 4), b.y + b.h / 2 + (right ? -4 : 4)];
      const far = (x1 - x0) * (apart > 60 ? 0.4 : 0.5);
      const lift = Math.abs(y1 - y0) < 40 && apart > 70 ? (right ? -1 : 1) * Math.min(40, apart * 0.14) : 0;
      return [x0, y0, x0 + far, y0 + lift, x1 - far, y1 + lift, x1, y1];
    };

    const thickness = (count) => Math.min(7, 1 + Math.log2(count) * 0.55);

    // ---- painting ----

    const paint = (to, wide, high, at, ratio) => {
      to.setTransform(ratio, 0, 0, ratio, 0, 0);
      to.fillStyle = colours.paper;
      to.fillRect(0, 0, wide, high);
      if (!scene) return;
      to.translate(at.x, at.y);
      to.scale(at.scale, at.scale);
      const left = -at.x / at.scale, top = -at.y / at.scale, right = left + wide / at.scale, bottom = top + high / at.scale;
      const inView = (p) => p.x < right && p.x + p.w > left && p.y < bottom && p.y + p.h > top;
      for (const it of scene.frames) {
        const p = scene.places.get(it.id);
        if (inView(p)) frame(to, it, p, at.scale);
      }
      const focus = scene.focus ?? (hovered ? aroundHovered() : null);
      arrows(to, focus, at.scale, [left, top, right, bottom]);
      for (const it of scene.boxes) {
        const p = scene.places.get(it.id);
        if (inView(p)) box(to, it, p, at.scale, focus);
      }
      for (const it of scene.frames) {
        const p = scene.places.get(it.id);
        if (inView(p)) frameTitle(to, it, p, at.scale);
      }
    };

    const aroundHovered = () => {
      const marks = new Map(), items = new Set([hovered]);
      for (const bundle of scene.bundles) {
        if (bundle.from === hovered) { marks.set(bundle, "imports"); items.add(bundle.to); }
        else if (bundle.to === hovered) { marks.set(bundle, "importers"); items.add(bundle.from); }
      }
      return { marks, items, light: true };
    };

    const rounded = (to, p, radius) => {
      to.beginPath();
      to.roundRect(p.x, p.y, p.w, p.h, radius);
    };

    const frame = (to, it, p, scale) => {
      rounded(to, p, 9);
      to.fillStyle = colours.frame;
      to.fill();
      const chosen = scene.chosen.includes(it.id);
      to.lineWidth = (chosen ? 3 : 1.2) / Math.min(1, scale);
      to.strokeStyle = chosen ? colours.accent : colours.line;
      to.stroke();
    };

    // Letters stay readable when one zooms out, as long as there is room.
    const letters = (scale, most) => Math.max(13, Math.min(most, SEEN / scale));

    const frameTitle = (to, it, p, scale) => {
      const pixels = letters(scale, 24);
      if (pixels * scale < 4) return;
      to.font = `600 ${pixels}px ${FONT}`;
      to.textBaseline = "middle";
      to.textAlign = "left";
      const text = fitted(to, `− ${it.label}  ${scene.sums[it.id]}`, p.w - 16);
      const wide = to.measureText(text).width;
      to.fillStyle = colours.frame;
      to.globalAlpha = 0.85;
      to.fillRect(p.x + 8, p.y + 15 - pixels / 2 - 1, wide + 6, pixels + 2);
      to.globalAlpha = 1;
      to.fillStyle = colours.quiet;
      to.fillText(text, p.x + 11, p.y + 15);
    };

    const box = (to, it, p, scale, focus) => {
      const group = it.children.length > 0;
      const look = scene.look(it);
      const away = focus && !focus.items.has(it.id) && !scene.chosen.includes(it.id);
      to.globalAlpha = away && !focus.light ? 0.28 : away ? 0.7 : 1;
      if (group) {
        rounded(to, { x: p.x + 3, y: p.y + 3, w: p.w, h: p.h }, 6);
        to.fillStyle = colours[look.fill];
        to.fill();
        to.lineWidth = 1;
        to.strokeStyle = colours[look.line];
        to.stroke();
      }
      rounded(to, p, 6);
      to.fillStyle = colours[scene.matches?.has(it.id) ? "match" : look.fill];
      to.fill();
      const chosen = scene.chosen.includes(it.id);
      to.setLineDash(look.dashed ? [5, 3] : []);
      to.lineWidth = chosen ? 3 / Math.min(1, scale) : 1.3;
      to.strokeStyle = chosen ? colours.accent : scene.looped.has(it.id) ? colours.cycle : colours[look.line];
      to.stroke();
      to.setLineDash([]);
      const pixels = letters(scale, p.h * 0.66);
      if (pixels * scale >= 3.5) {
        to.textBaseline = "middle";
        to.textAlign = "left";
        to.fillStyle = colours.ink;
        const middle = p.y + p.h / 2 + 0.5;
        const loop = scene.looped.has(it.id) ? "↻ " : "";
        if (group) {
          const count = String(scene.sums[it.id]);
          to.font = `${pixels * 0.9}px ${FONT}`;
          const wide = to.measureText(count).width;
          to.font = `600 ${pixels}px ${FONT}`;
          // Letters that grew need the room of the sign and the number.
          const roomy = to.measureText(`+ ${loop}${it.label}`).width <= p.w - 24 - wide || pixels < 14;
          to.fillText(roomy ? fitted(to, `+ ${loop}${it.label}`, p.w - 24 - wide) : fitted(to, loop + it.label, p.w - 10), p.x + (roomy ? 8 : 6), middle);
          if (roomy) {
            to.font = `${pixels * 0.9}px ${FONT}`;
            to.fillStyle = colours.quiet;
            to.textAlign = "right";
            to.fillText(count, p.x + p.w - 8, middle);
          }
        } else {
          to.font = `${look.italic ? "italic " : ""}${pixels}px ${FONT}`;
          const text = fitted(to, pixels < 15 ? loop + it.label : it.label, p.w - 8);
          to.textAlign = "center";
          to.fillText(text, p.x + p.w / 2, middle);
        }
      }
      to.globalAlpha = 1;
    };

    const fitted = (to, text, room) => {
      if (to.measureText(text).width <= room) return text;
      let low = 0, high = text.length;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (to.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle; else high = middle - 1;
      }
      return low > 0 ? `${text.slice(0, low)}…` : "";
    };

    const arrows = (to, focus, scale, [left, top, right, bottom]) => {
      const list = focus ? [...scene.drawn.filter((bundle) => !focus.marks.has(bundle)), ...focus.marks.keys()] : scene.drawn;
      const many = scene.drawn.length > 150;
      for (const bundle of list) {
        const a = scene.places.get(bundle.from), b = scene.places.get(bundle.to);
        if (!a || !b) continue;
        const curve = bundle.route ??= route(a, b);
        const [x0, y0, x1, y1, x2, y2, x3, y3] = curve;
        if (Math.max(x0, x1, x2, x3) < left || Math.min(x0, x1, x2, x3) > right) continue;
        if (Math.max(y0, y1, y2, y3) < top || Math.min(y0, y1, y2, y3) > bottom) continue;
        const mark = focus?.marks.get(bundle);
        to.globalAlpha = mark ? 1 : focus ? (focus.light ? 0.16 : 0.07) : many ? 0.4 : 0.65;
        to.strokeStyle = colours[mark ?? (bundle.back ? "cycle" : "arrow")];
        to.fillStyle = to.strokeStyle;
        to.lineWidth = Math.max(thickness(bundle.count), mark ? 1.8 / Math.min(1, scale) : 0.7 / scale);
        to.setLineDash(bundle.back && !mark || mark === "importers" ? [6, 4] : []);
        to.beginPath();
        to.moveTo(x0, y0);
        to.bezierCurveTo(x1, y1, x2, y2, x3, y3);
        to.stroke();
        to.setLineDash([]);
        head(to, x2, y2, x3, y3, Math.max(6 + to.lineWidth, 5 / scale));
        if (bundle.count > 1 && (mark || !focus && list.length <= 90) && 12 * scale > 5) {
          const [x, y] = [(x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8];
          const pixels = letters(scale, 20) * 0.85;
          to.font = `${pixels}px ${FONT}`;
          to.textAlign = "center";
          to.textBaseline = "middle";
          const wide = to.measureText(String(bundle.count)).width + 6;
          to.globalAlpha = mark ? 1 : 0.8;
          to.fillStyle = colours.paper;
          to.fillRect(x - wide / 2, y - pixels / 2 - 1, wide, pixels + 2);
          to.fillStyle = mark ? colours[mark] : colours.quiet;
          to.fillText(String(bundle.count), x, y);
        }
      }
      to.globalAlpha = 1;
    };

    const head = (to, x0, y0, x, y, length) => {
      const angle = Math.atan2(y - y0, x - x0);
      to.beginPath();
      to.moveTo(x, y);
      to.lineTo(x - length * Math.cos(angle - 0.42), y - length * Math.sin(angle - 0.42));
      to.lineTo(x - length * Math.cos(angle + 0.42), y - length * Math.sin(angle + 0.42));
      to.fill();
    };

    // ---- moving ----

    const moved = () => { plan(); say.moved(); };

    const zoom = (factor, x = width / 2, y = height / 2) => {
      const scale = Math.min(4, Math.max(0.03, view.scale * factor));
      view = { x: x - (x - view.x) * scale / view.scale, y: y - (y - view.y) * scale / view.scale, scale };
      moved();
    };

    const pan = (dx, dy) => {
      view = { ...view, x: view.x + dx, y: view.y + dy };
      moved();
    };

    const fitTo = (p, most) => {
      const scale = Math.min(most, (width - 48) / p.w, (height - margin - 40) / p.h);
      view = { scale, x: (width - p.w * scale) / 2 - p.x * scale, y: margin + (height - margin - p.h * scale) / 2 - p.y * scale };
      moved();
    };

    const fit = () => scene && fitTo({ x: 0, y: 0, w: Math.max(1, scene.width), h: Math.max(1, scene.height) }, 1.25);

    // Brings a box into view; zooms in only if it could not be read.
    const show = (id) => {
      const p = scene?.places.get(id);
      if (!p) return;
      const scale = Math.max(view.scale, Math.min(0.8, (width - 48) / p.w, (height - 72) / p.h));
      const x = view.x + p.x * view.scale, y = view.y + p.y * view.scale;
      if (scale === view.scale && x > 8 && y > 8 && x + p.w * scale < width - 8 && y + p.h * scale < height - 8) return;
      view = { scale, x: width / 2 - (p.x + p.w / 2) * scale, y: height / 2 - (p.y + Math.min(p.h, height * 0.8 / scale) / 2) * scale };
      moved();
    };

    // ---- under the pointer ----

    const point = (event) => {
      const rectangle = canvas.getBoundingClientRect();
      return [event.clientX - rectangle.left, event.clientY - rectangle.top];
    };

    const itemAt = (px, py) => {
      if (!scene) return null;
      const x = (px - view.x) / view.scale, y = (py - view.y) / view.scale;
      const inside = (p) => x >= p.x && x <= p.x + p.w && y >= p.y && y <= p.y + p.h;
      for (const it of scene.boxes) {
        const p = scene.places.get(it.id);
        if (inside(p)) return { it, sign: it.children.length > 0 && x < p.x + 24 };
      }
      for (let at = scene.frames.length - 1; at >= 0; at--) {
        const it = scene.frames[at], p = scene.places.get(it.id);
        if (inside(p) && y < p.y + 30) return { it, sign: x < p.x + 24 };
      }
      return null;
    };

    const bundleAt = (px, py) => {
      if (!scene) return null;
      const ratio = window.devicePixelRatio || 1;
      const list = scene.focus ? [...scene.focus.marks.keys()] : scene.drawn;
      context.save();
      context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
      let found = null;
      for (const bundle of list) {
        if (!bundle.route) continue;
        const [x0, y0, x1, y1, x2, y2, x3, y3] = bundle.route;
        context.lineWidth = Math.max(thickness(bundle.count), 9 / view.scale);
        context.beginPath();
        context.moveTo(x0, y0);
        context.bezierCurveTo(x1, y1, x2, y2, x3, y3);
        if (context.isPointInStroke(px * ratio, py * ratio)) { found = bundle; break; }
      }
      context.restore();
      return found;
    };

    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag = { at: point(event), far: false };
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = point(event);
      if (drag && event.buttons) {
        const [dx, dy] = [x - drag.at[0], y - drag.at[1]];
        if (!drag.far && Math.hypot(dx, dy) < 4) return;
        drag = { at: [x, y], far: true };
        pan(dx, dy);
        return;
      }
      const found = itemAt(x, y);
      const id = found?.it.id ?? null;
      canvas.style.cursor = found ? "pointer" : "grab";
      say.hover(found?.it ?? null, event);
      if (id !== hovered) {
        hovered = id;
        plan();
      }
    });
    canvas.addEventListener("pointerleave", () => {
      hovered = null;
      say.hover(null);
      plan();
    });
    canvas.addEventListener("pointerup", (event) => {
      const was = drag;
      drag = null;
      if (!was || was.far) return;
      const [x, y] = point(event);
      const found = itemAt(x, y);
      if (found) {
        if (found.sign) say.toggle(found.it);
        else say.choose(found.it, event.shiftKey || event.ctrlKey || event.metaKey);
        return;
      }
      const bundle = bundleAt(x, y);
      if (bundle) say.bundle(bundle); else say.choose(null, false);
    });
    canvas.addEventListener("dblclick", (event) => {
      const found = itemAt(...point(event));
      if (found && !found.sign && found.it.children.length > 0) say.toggle(found.it);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.shiftKey) pan(-event.deltaY, 0);
      else zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : event.ctrlKey ? 0.01 : 0.0016)), ...point(event));
    }, { passive: false });

    // The whole picture for paper, as an image in light colours.
    const picture = () => {
      readColours();
      const wide = Math.max(1, scene.width + 24), high = Math.max(1, scene.height + 24);
      const factor = Math.min(2, 4000 / Math.max(wide, high));
      const sheet = document.createElement("canvas");
      sheet.width = Math.ceil(wide * factor);
      sheet.height = Math.ceil(high * factor);
      paint(sheet.getContext("2d"), wide, high, { x: 12, y: 12, scale: 1 }, factor);
      return sheet.toDataURL();
    };

    const set = (next) => {
      scene = next;
      hovered = null;
      plan();
    };

    readColours();
    return {
      set, size, fit, show, zoom, pan, resize, picture, plan,
      set margin(pixels) { margin = pixels; },
      recolour: () => { readColours(); plan(); },
      get view() { return view; },
      set view(next) { view = next; moved(); },
      place: (id) => scene?.places.get(id),
    };
  };

  return { create };
})();
