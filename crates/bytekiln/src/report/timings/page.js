// Draws the timings page from the data that `data.rs` wrote. Names reach the document as text only.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [COMPILED, RESTORED, UNCHANGED, REJECTED, FAILED, NOT_TRIED] = [0, 1, 2, 3, 4, 5];
  const TONES = ["compiled", "from-cache", "unchanged", "rejected", "failed", "not-tried"];
  const HUES = ["#4c7fe0", "#e08a3c", "#3fa677", "#c65f9e", "#8f6fd6", "#b5a13a", "#3aa5b8", "#cf5a55", "#7d8b99", "#86a83f"];
  const NONE = "(no member)";
  const element = (id) => document.getElementById(id);

  // ---- data ----

  // Characters that turn the direction of a line, or are not seen, would make one name look like another.
  const visible = (name) => name.replace(/[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\ufffd");
  const files = data.files.map(([folder, name, member, bytes]) => ({
    folder: data.folders[folder] === "." ? "" : visible(data.folders[folder]) + "/", name: visible(name), member, bytes,
  }));
  const jobs = data.jobs.map(([file, target, outcome, worker, began, ended, compile], index) => {
    const { folder, name, member, bytes } = files[file];
    return {
      index, folder, name, path: folder + name, member: member < 0 ? NONE : data.members[member],
      memberIndex: member, bytes, target, outcome, worker, began, ended, compile,
      // What another job's compilation gave along with its own.
      shared: worker < 0 && compile > 0,
    };
  });
  const messages = new Map();
  for (const [, job, text] of data.messages) if (job >= 0) messages.set(job, text);

  // Bars: what stood in a worker when. A result is reported a little after its worker has begun the
  // next file, hence the clip.
  const byWorker = new Map();
  const barsOf = (worker) => {
    if (!byWorker.has(worker)) byWorker.set(worker, []);
    return byWorker.get(worker);
  };
  for (const job of jobs) {
    if (job.began >= 0) barsOf(job.worker).push({ from: job.began, to: Math.min(job.ended, job.began + job.compile), job });
  }
  for (const [worker, compiler, ready, elapsed] of data.workers) {
    barsOf(worker).push({ from: Math.max(0, ready - elapsed), to: ready, starting: data.compilers[compiler] ?? "" });
  }
  for (const [worker, at, job, since] of data.losses) {
    barsOf(worker).push({ from: since < 0 ? at : since, to: at, lost: true, job: jobs[job] });
  }
  // Workers that followed one another share a lane.
  const lanes = [];
  const lives = [...byWorker].map(([worker, bars]) => {
    bars.sort((a, b) => a.from - b.from || a.to - b.to);
    bars.forEach((bar, i) => {
      const next = bars[i + 1]?.from ?? Infinity;
      bar.to = Math.max(bar.from, Math.min(bar.to, next));
      // Until its result was taken, checked and written, or the worker's next file began.
      if (bar.job && !bar.lost) bar.handled = Math.max(bar.to, Math.min(bar.job.ended, next));
    });
    return { worker, bars, from: bars[0].from, to: bars.reduce((to, bar) => Math.max(to, bar.to), 0) };
  }).sort((a, b) => a.from - b.from || a.worker - b.worker);
  for (const life of lives) {
    let lane = lanes.find((lane) => lane.to <= life.from);
    if (!lane) lanes.push(lane = { bars: [], to: 0, workers: [] });
    lane.bars.push(...life.bars);
    lane.workers.push(life.worker);
    lane.to = life.to;
  }
  const compileBars = lanes.flatMap((lane) => lane.bars.filter((bar) => bar.job));
  const known = jobs.filter((job) => job.worker < 0 && !job.shared && [RESTORED, UNCHANGED, REJECTED].includes(job.outcome))
    .sort((a, b) => a.ended - b.ended);
  const workFrom = lives.length ? Math.min(...lives.map((life) => life.from)) : data.looked_up;
  const workTo = lives.reduce((to, life) => Math.max(to, life.to), workFrom);
  const end = Math.max(data.wall, workTo, data.looked_up, 1);
  const lastKnown = known.length ? known[known.length - 1].ended : 0;
  const phases = [
    ["prepare", 0, data.started], ["look up", data.started, data.looked_up],
    ["restore", data.looked_up, Math.max(data.looked_up, Math.min(lastKnown, lives.length ? workFrom : end))],
    ["compile", workFrom, workTo],
  ].filter(([, from, to]) => to > from);

  // How many compile: the area below the steps up to each step, so that any stretch has its mean.
  const steps = [];
  for (const bar of compileBars) if (bar.to > bar.from) steps.push([bar.from, 1], [bar.to, -1]);
  steps.sort((a, b) => a[0] - b[0]);
  const stepTimes = [0], stepCounts = [0], stepAreas = [0];
  for (const [time, change] of steps) {
    const last = stepTimes.length - 1;
    stepAreas.push(stepAreas[last] + stepCounts[last] * (time - stepTimes[last]));
    stepTimes.push(time);
    stepCounts.push(stepCounts[last] + change);
  }
  // Index of the last entry that is not greater.
  const lastUpTo = (list, value, key = (it) => it) => {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (key(list[middle]) <= value) low = middle + 1; else high = middle;
    }
    return low - 1;
  };
  const area = (time) => {
    const i = Math.max(0, lastUpTo(stepTimes, time));
    return stepAreas[i] + stepCounts[i] * Math.max(0, time - stepTimes[i]);
  };
  const busiest = stepCounts.reduce((most, count) => Math.max(most, count), 0);
  const spent = compileBars.reduce((sum, bar) => sum + (bar.to - bar.from), 0);

  // ---- words ----

  const digits = (value, unit) => `${value >= 100 ? Math.round(value) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;
  const duration = (micros) => {
    if (micros < 1000) return `${Math.round(micros)} µs`;
    if (micros < 999500) return digits(micros / 1e3, "ms");
    if (micros < 1e8) return digits(micros / 1e6, "s");
    const seconds = Math.round(micros / 1e6);
    return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  };
  const count = (number) => number.toLocaleString("en").replaceAll(",", "\u202f");
  const size = (bytes) => bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? digits(bytes / 1024, "KiB") : digits(bytes / (1 << 20), "MiB");
  const percent = (part, whole) => whole > 0 ? `${Math.round(part / whole * 100)} %` : "–";
  const plural = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
  const make = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const dot = (tone) => make("i", { class: "dot", style: `background: ${tone}` });

  // ---- totals ----

  const tile = (name, value, note, tone) => {
    const box = make("div", {}, make("dt", {}, name), make("dd", {}, value, ...(note ? [make("span", { class: "note" }, note)] : [])));
    if (tone) box.style.setProperty("--tone", `var(--${tone})`);
    element("tiles").append(box);
  };
  const counts = data.counts;
  tile("Wall time", duration(data.wall), `at most ${plural(data.workers_at_most, "worker", "workers")}`);
  tile("Compile time", duration(spent), spent ? `${(spent / Math.max(1, workTo - workFrom)).toFixed(1)} at once, peak ${busiest}` : "nothing compiled");
  tile("Look-up", duration(data.looked_up - data.started), `${count(data.hits)} of ${count(data.hits + data.misses)} known`, "look-up");
  tile("Compiled", count(counts[COMPILED]), `of ${plural(jobs.length, "job", "jobs")}`, counts[COMPILED] ? "compiled" : "");
  tile("From cache", count(counts[RESTORED]), "", counts[RESTORED] ? "from-cache" : "");
  tile("Unchanged", count(counts[UNCHANGED]), "output was right", counts[UNCHANGED] ? "unchanged" : "");
  tile("Rejected", count(counts[REJECTED]), "do not compile", counts[REJECTED] ? "rejected" : "");
  tile("Failed", count(counts[FAILED]), counts[NOT_TRIED] ? `${count(counts[NOT_TRIED])} not tried` : "", counts[FAILED] ? "failed" : "");
  if (data.removed) tile("Removed", count(data.removed), "outputs");
  element("targets").textContent = data.targets.length ? `For ${data.targets.join(" · ")}` : "";

  // ---- colours ----

  const colors = {};
  const readColors = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["paper", "box", "ink", "quiet", "line", "soft", "starting", "lost", "look-up", "area", "phase", "accent", "on-bar", ...TONES]) {
      colors[name] = style.getPropertyValue(`--${name}`).trim();
    }
  };
  let colorBy = "outcome";
  const hue = (index) => index < 0 ? colors.unchanged : HUES[index % HUES.length];
  const toneOf = (bar) => {
    if (bar.lost) return colors.lost;
    if (bar.starting !== undefined) return colors.starting;
    const { job } = bar;
    if (colorBy === "outcome" || job.outcome === REJECTED || job.outcome === FAILED) return colors[TONES[job.outcome]];
    return hue(colorBy === "target" ? job.target : job.memberIndex);
  };
  const drawLegend = () => {
    const entries = [];
    if (colorBy === "outcome") {
      TONES.forEach((tone, i) => { if (counts[i]) entries.push([colors[tone], data.outcomes[i]]); });
    } else if (colorBy === "target") {
      data.targets.forEach((name, i) => entries.push([hue(i), name]));
    } else {
      data.members.forEach((name, i) => entries.push([hue(i), name]));
    }
    const more = entries.length - 10;
    if (more > 1) entries.splice(10, more, ["transparent", `and ${more} more`]);
    if (lives.length) entries.push([colors.starting, "worker starts"]);
    if (lives.some((life) => life.bars.some((bar) => bar.handled > bar.to))) entries.push([`color-mix(in srgb, ${colors.compiled} 28%, transparent)`, "result handled"]);
    if (data.losses.length) entries.push([colors.lost, "worker lost"]);
    element("legend").replaceChildren(...entries.map(([tone, name]) => make("li", {}, make("i", { style: `background: ${tone}` }), name)));
  };

  // ---- charts ----

  const gantt = element("gantt"), concurrency = element("concurrency");
  const LEFT = 78, RIGHT = 14, AXIS = 22, PHASES = 20, CACHE = known.length ? 22 : 0, GAP = 5;
  const laneHeight = lanes.length <= 12 ? 24 : lanes.length <= 32 ? 16 : lanes.length <= 96 ? 9 : 5;
  const lanesTop = AXIS + PHASES + CACHE + GAP;
  const ganttHeight = lanesTop + Math.max(1, lanes.length) * laneHeight + 4;
  const CHART = 110;
  let view = [0, end], selection = null, width = 1000;
  const x = (time) => LEFT + (time - view[0]) / (view[1] - view[0]) * (width - LEFT - RIGHT);
  const timeAt = (pixel) => view[0] + (pixel - LEFT) / Math.max(1, width - LEFT - RIGHT) * (view[1] - view[0]);

  const prepare = (canvas, height) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = "11.5px system-ui, sans-serif";
    context.textBaseline = "middle";
    return context;
  };
  const inside = (context, height, draw) => {
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT - RIGHT, height);
    context.clip();
    draw();
    context.restore();
  };
  const fit = (context, text, room) => {
    if (room < 18) return "";
    if (context.measureText(text).width <= room) return text;
    let keep = Math.floor(text.length * room / context.measureText(text).width);
    while (keep > 1 && context.measureText(text.slice(0, keep) + "…").width > room) keep -= 1;
    return keep > 2 ? text.slice(0, keep) + "…" : "";
  };
  const ticks = () => {
    const rough = (view[1] - view[0]) / Math.max(2, (width - LEFT - RIGHT) / 110);
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
    const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough) * power);
    const list = [];
    for (let time = Math.ceil(view[0] / step) * step; time <= view[1]; time += step) list.push(time);
    const [unit, divisor] = view[1] >= 1e6 ? ["s", 1e6] : view[1] >= 1e3 ? ["ms", 1e3] : ["µs", 1];
    const places = Math.max(0, Math.ceil(-Math.log10(step / divisor) - 1e-9));
    return list.map((time) => [time, `${(time / divisor).toFixed(places)} ${unit}`]);
  };
  const drawGrid = (context, top, height, labels) => {
    context.textAlign = "center";
    for (const [time, label] of ticks()) {
      const at = Math.round(x(time)) + 0.5;
      context.fillStyle = colors.line;
      context.fillRect(at - 0.5, top, 1, height - top);
      const half = context.measureText(label).width / 2;
      if (labels && at - half > LEFT - 30 && at + half < width) {
        context.fillStyle = colors.quiet;
        context.fillText(label, at, AXIS / 2);
      }
    }
  };

  // Bars that are narrower than this are summed up by pixel column, the worse colour first.
  const NARROW = 2.5;
  const badness = (bar) => bar.lost ? 3 : bar.job ? (bar.job.outcome === REJECTED || bar.job.outcome === FAILED ? 2 : 1) : 0;
  const drawLane = (context, bars, top, height) => {
    const columns = new Map();
    context.globalAlpha = 0.28;
    for (const bar of bars) {
      if (!bar.handled || bar.handled < view[0] || bar.to > view[1]) continue;
      const from = x(bar.to), to = x(bar.handled);
      if (to - from < 0.3) continue;
      context.fillStyle = toneOf(bar);
      context.fillRect(from, top + height * 0.3, to - from, height * 0.4);
    }
    context.globalAlpha = 1;
    for (const bar of bars) {
      if (bar.to < view[0] || bar.from > view[1]) continue;
      const from = x(bar.from), to = x(bar.to);
      if (to - from >= NARROW) {
        context.fillStyle = toneOf(bar);
        const left = Math.max(from, LEFT - 4), right = Math.min(to, width - RIGHT + 4);
        context.fillRect(left, top, Math.max(1, right - left - (to - from > 5 ? 1 : 0.5)), height);
        if (height >= 14 && right - left > 34) {
          const text = bar.starting !== undefined ? `starts ${bar.starting}` : bar.job ? bar.job.name : "lost";
          context.fillStyle = bar.starting !== undefined ? colors.ink : colors["on-bar"];
          context.textAlign = "left";
          context.fillText(fit(context, text, right - left - 10), left + 5, top + height / 2 + 0.5);
        }
        continue;
      }
      for (let column = Math.floor(from); column <= Math.floor(to); column += 1) {
        const share = Math.max(0.04, Math.min(to, column + 1) - Math.max(from, column));
        const seen = columns.get(column);
        if (!seen) columns.set(column, { bar, share });
        else {
          seen.share += share;
          if (badness(bar) > badness(seen.bar)) seen.bar = bar;
        }
      }
    }
    for (const [column, { bar, share }] of columns) {
      context.globalAlpha = badness(bar) > 1 ? 1 : Math.min(1, 0.3 + 0.7 * share);
      context.fillStyle = toneOf(bar);
      context.fillRect(column, top, 1, height);
    }
    context.globalAlpha = 1;
    for (const bar of bars) {
      if (!bar.lost || bar.to < view[0] || bar.to > view[1]) continue;
      context.fillStyle = colors.lost;
      context.fillRect(Math.round(x(bar.to)) - 1, top - 2, 2, height + 4);
    }
  };

  const drawGantt = () => {
    const context = prepare(gantt, ganttHeight);
    drawGrid(context, AXIS, ganttHeight, true);
    context.fillStyle = colors.quiet;
    context.textAlign = "right";
    context.fillText("phase", LEFT - 8, AXIS + PHASES / 2);
    if (CACHE) context.fillText("known", LEFT - 8, AXIS + PHASES + CACHE / 2);
    lanes.forEach((lane, i) => {
      const every = laneHeight >= 14 ? 1 : laneHeight >= 9 ? 4 : 8;
      if (i % every === 0) context.fillText(`slot ${i + 1}`, LEFT - 8, lanesTop + i * laneHeight + Math.max(laneHeight, 8) / 2);
    });
    if (!lanes.length) {
      context.textAlign = "left";
      context.fillText("No worker was needed.", LEFT + 6, lanesTop + laneHeight / 2);
    }
    inside(context, ganttHeight, () => {
      for (const [name, from, to] of phases) {
        const left = Math.max(LEFT, x(from)), right = Math.min(width - RIGHT, x(to));
        if (right < LEFT || left > width - RIGHT) continue;
        context.fillStyle = name === "look up" ? colors["look-up"] : colors.phase;
        context.fillRect(left, AXIS + 2, Math.max(1.5, right - left - 1), PHASES - 5);
        context.fillStyle = name === "look up" ? colors["on-bar"] : colors.quiet;
        context.textAlign = "left";
        const label = `${name} ${duration(to - from)}`;
        context.fillText(fit(context, label, right - left - 10), left + 5, AXIS + PHASES / 2 - 0.5);
      }
      const ticksByColumn = new Map();
      for (const job of known) {
        if (job.ended < view[0] || job.ended > view[1]) continue;
        const column = Math.floor(x(job.ended));
        const seen = ticksByColumn.get(column);
        if (!seen) ticksByColumn.set(column, { job, number: 1 });
        else {
          seen.number += 1;
          if (job.outcome === REJECTED) seen.job = job;
        }
      }
      const most = [...ticksByColumn.values()].reduce((most, seen) => Math.max(most, seen.number), 1);
      for (const [column, { job, number }] of ticksByColumn) {
        const tall = (CACHE - 5) * (0.35 + 0.65 * Math.log1p(number) / Math.log1p(most));
        context.fillStyle = toneOf({ job });
        context.fillRect(column, AXIS + PHASES + CACHE - 2 - tall, 1.5, tall);
      }
      lanes.forEach((lane, i) => {
        const margin = laneHeight >= 14 ? 2 : 0.5;
        drawLane(context, lane.bars, lanesTop + i * laneHeight + margin, laneHeight - 2 * margin);
      });
      if (selection) {
        context.globalAlpha = 0.18;
        context.fillStyle = colors.accent;
        context.fillRect(Math.min(...selection), 0, Math.abs(selection[1] - selection[0]), ganttHeight);
        context.globalAlpha = 1;
      }
    });
  };

  const drawConcurrency = () => {
    const context = prepare(concurrency, CHART);
    const top = 14, bottom = CHART - 8, most = Math.max(1, data.workers_at_most, busiest);
    const y = (value) => bottom - value / most * (bottom - top);
    drawGrid(context, 0, bottom, false);
    context.fillStyle = colors.quiet;
    context.textAlign = "right";
    context.fillText("compiling", LEFT - 8, (top + bottom) / 2);
    context.fillText(String(most), LEFT - 8, top);
    context.fillText("0", LEFT - 8, bottom);
    inside(context, CHART, () => {
      const right = width - RIGHT, value = [];
      for (let pixel = LEFT; pixel <= right; pixel += 1) {
        const from = timeAt(pixel), to = timeAt(pixel + 1);
        value.push((area(to) - area(from)) / (to - from));
      }
      const trace = () => value.forEach((it, i) => context.lineTo(LEFT + i, y(it)));
      context.beginPath();
      context.moveTo(LEFT, bottom);
      trace();
      context.lineTo(right, bottom);
      context.globalAlpha = 0.25;
      context.fillStyle = colors.area;
      context.fill();
      context.globalAlpha = 1;
      context.beginPath();
      trace();
      context.strokeStyle = colors.area;
      context.lineWidth = 1.25;
      context.lineJoin = "round";
      context.stroke();
      context.setLineDash([4, 4]);
      context.strokeStyle = colors.quiet;
      context.beginPath();
      context.moveTo(LEFT, y(data.workers_at_most) + 0.5);
      context.lineTo(right, y(data.workers_at_most) + 0.5);
      context.stroke();
      context.setLineDash([]);
    });
    context.fillStyle = colors.line;
    context.fillRect(LEFT, bottom, width - LEFT - RIGHT, 1);
  };

  let planned = false;
  const draw = () => {
    width = Math.max(320, gantt.parentElement.clientWidth);
    drawGantt();
    if (lanes.length) drawConcurrency();
  };
  const redraw = () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => { planned = false; draw(); });
  };
  const show = (from, to) => {
    const least = Math.min(50, end);
    const length = Math.min(end, Math.max(least, to - from));
    const middle = (from + to) / 2;
    const start = Math.max(0, Math.min(end - length, middle - length / 2));
    view = [start, start + length];
    redraw();
  };
  const zoom = (factor, around = (view[0] + view[1]) / 2) => {
    const length = (view[1] - view[0]) * factor, share = (around - view[0]) / (view[1] - view[0]);
    show(around - share * length, around + (1 - share) * length);
  };
  const move = (share) => {
    const by = (view[1] - view[0]) * share;
    const clipped = Math.max(-view[0], Math.min(end - view[1], by));
    show(view[0] + clipped, view[1] + clipped);
  };
  const showAll = () => show(0, end);
  const showWork = () => {
    const margin = (workTo - workFrom) * 0.02;
    if (workTo > workFrom) show(workFrom - margin, workTo + margin);
  };

  // ---- what is under the pointer ----

  const tip = element("tip");
  const under = (px, py) => {
    const [from, to] = [timeAt(px - 1.5), timeAt(px + 1.5)];
    if (py >= AXIS && py < AXIS + PHASES) {
      return { phase: phases.filter(([, begin, stop]) => stop >= from && begin <= to).at(-1) };
    }
    if (CACHE && py >= AXIS + PHASES && py < AXIS + PHASES + CACHE) {
      return { known: known.filter((job) => job.ended >= from && job.ended <= to) };
    }
    const lane = lanes[Math.floor((py - lanesTop) / laneHeight)];
    if (!lane || py < lanesTop) return {};
    const bars = [];
    for (let i = Math.max(0, lastUpTo(lane.bars, to, (bar) => bar.from)); i >= 0 && bars.length < 400; i -= 1) {
      const bar = lane.bars[i];
      const stop = bar.handled ?? bar.to;
      if (stop >= from && bar.from <= to) bars.push(bar);
      else if (stop < from) break;
    }
    return { bars: bars.reverse() };
  };
  const describe = (job) => {
    const lines = [`${data.targets[job.target]} · ${data.outcomes[job.outcome]}`];
    if (job.worker >= 0) lines.push(`${duration(job.compile)} from ${duration(job.began)} in worker ${job.worker}, done at ${duration(job.ended)}`);
    else if (job.ended) lines.push(`at ${duration(job.ended)}`);
    lines.push(`${size(job.bytes)} · ${job.member}`);
    if (messages.has(job.index)) lines.push(messages.get(job.index));
    return lines.join("\n");
  };
  const fill = (title, text) => tip.replaceChildren(make("b", {}, title), ...(text ? [`\n${text}`] : []));
  const hover = (event) => {
    const box = gantt.getBoundingClientRect();
    const found = under(event.clientX - box.left, event.clientY - box.top);
    tip.hidden = true;
    if (found.phase) {
      const [name, from, to] = found.phase;
      fill(name, `${duration(to - from)} from ${duration(from)}`);
    } else if (found.known?.length === 1) fill(found.known[0].path, describe(found.known[0]));
    else if (found.known?.length) fill(plural(found.known.length, "known result", "known results"), found.known.slice(0, 6).map((job) => job.path).join("\n"));
    else if (found.bars?.length > 1 && found.bars.filter((bar) => x(bar.to) - x(bar.from) < NARROW).length > 1) {
      const list = found.bars.filter((bar) => bar.job).sort((a, b) => b.to - b.from - (a.to - a.from));
      const lines = list.slice(0, 6).map((bar) => `${duration(bar.to - bar.from)}  ${bar.job.path}`);
      fill(`${plural(list.length, "file", "files")} here`, lines.join("\n") + (list.length > 6 ? "\n…" : ""));
    } else if (found.bars?.length) {
      const bar = found.bars.find((bar) => x(bar.from) <= event.clientX - box.left && x(bar.to) >= event.clientX - box.left) ?? found.bars[0];
      if (bar.starting !== undefined) fill(`worker starts: ${bar.starting}`, `${duration(bar.to - bar.from)} from ${duration(bar.from)}`);
      else if (bar.lost) fill("worker lost", `at ${duration(bar.to)}${bar.job ? ` on ${bar.job.path}` : ""}`);
      else fill(bar.job.path, describe(bar.job));
    } else return;
    tip.hidden = false;
    const { offsetWidth, offsetHeight } = tip;
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - offsetWidth - 8))}px`;
    tip.style.top = `${event.clientY + 18 + offsetHeight > innerHeight ? Math.max(4, event.clientY - offsetHeight - 12) : event.clientY + 18}px`;
  };
  gantt.addEventListener("pointermove", (event) => {
    if (selection) {
      selection[1] = event.clientX - gantt.getBoundingClientRect().left;
      tip.hidden = true;
      redraw();
    } else hover(event);
  });
  gantt.addEventListener("pointerleave", () => { tip.hidden = true; });
  gantt.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = event.clientX - gantt.getBoundingClientRect().left;
    selection = [at, at];
    gantt.setPointerCapture(event.pointerId);
  });
  gantt.addEventListener("pointerup", (event) => {
    if (!selection) return;
    const [from, to] = selection.map(timeAt).sort((a, b) => a - b);
    const dragged = Math.abs(selection[1] - selection[0]) > 4;
    selection = null;
    if (dragged) show(Math.max(0, from), Math.min(end, to));
    else {
      const box = gantt.getBoundingClientRect();
      const found = under(event.clientX - box.left, event.clientY - box.top);
      const job = found.bars?.find((bar) => bar.job)?.job ?? found.known?.[0];
      if (job) { element("search").value = job.path; listFiles(); }
      redraw();
    }
  });
  gantt.addEventListener("pointercancel", () => { selection = null; redraw(); });
  gantt.addEventListener("dblclick", showAll);
  gantt.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(1.0025 ** event.deltaY, timeAt(event.clientX - gantt.getBoundingClientRect().left));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      move((event.deltaX || event.deltaY) / (width - LEFT - RIGHT));
    }
  }, { passive: false });
  gantt.addEventListener("keydown", (event) => {
    const action = {
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "0": showAll, w: showWork,
      ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
    }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  element("zoom-in").onclick = () => zoom(0.5);
  element("zoom-out").onclick = () => zoom(2);
  element("zoom-all").onclick = showAll;
  element("zoom-work").onclick = showWork;
  element("color-by").onchange = (event) => { colorBy = event.target.value; drawLegend(); redraw(); };

  // ---- tables ----

  // Columns: [heading, key to sort by, cell, is a number]. Sorted by click; `rows` may be long.
  const table = (id, caption, columns, sorted, descending, limit = Infinity) => {
    const node = element(id);
    const state = { node, rows: [], sorted, descending, limit };
    const head = make("tr"), body = make("tbody");
    node.replaceChildren(make("thead", {}, head), body);
    node.setAttribute("aria-label", caption);
    const headings = columns.map(([name, , , number], i) => {
      const button = make("button", { type: "button" }, name);
      const heading = make("th", { scope: "col", ...(number ? { class: "number" } : {}) }, button);
      button.onclick = () => {
        state.descending = state.sorted === i ? !state.descending : Boolean(number);
        state.sorted = i;
        state.render();
      };
      head.append(heading);
      return [heading, button, name];
    });
    state.render = () => {
      const key = columns[state.sorted][1], sign = state.descending ? -1 : 1;
      const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
      const rows = [...state.rows].sort((a, b) => sign * compare(key(a), key(b)));
      headings.forEach(([heading, button, name], i) => {
        const here = i === state.sorted;
        if (here) heading.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
        else heading.removeAttribute("aria-sort");
        button.textContent = here ? `${name} ${state.descending ? "↓" : "↑"}` : name;
      });
      body.replaceChildren(...rows.slice(0, state.limit).map((row) => make("tr", {}, ...columns.map(([, , cell, number, kind]) => {
        const content = cell(row);
        return make("td", { class: [number ? "number" : "", kind ?? ""].join(" ").trim() }, ...(Array.isArray(content) ? content : [content]));
      }))));
    };
    return state;
  };
  // A button below a table of which only the beginning is shown.
  const mayShowAll = (state) => {
    if (state.rows.length <= state.limit) return;
    const button = make("button", { type: "button" }, `Show all ${count(state.rows.length)}`);
    const line = make("p", { class: "controls" }, button);
    button.onclick = () => { state.limit = Infinity; state.render(); line.remove(); };
    state.node.parentElement.after(line);
  };
  const outcomeCell = (job) => {
    const shared = job.shared ? " (with another)" : "";
    return [dot(`var(--${TONES[job.outcome]})`), data.outcomes[job.outcome] + shared];
  };
  const PAGE = 50;
  const fileTable = table("file-table", "Files, the slowest first", [
    ["File", (job) => job.path, (job) => [make("span", { class: "folder" }, job.folder), job.name], false, "path"],
    ["Target", (job) => job.target, (job) => data.targets[job.target]],
    ["Result", (job) => job.outcome, outcomeCell],
    ["Compile", (job) => job.shared ? 0 : job.compile, (job) => job.compile && !job.shared ? duration(job.compile) : "–", true],
    ["Began", (job) => job.began >= 0 ? job.began : job.ended, (job) => job.began >= 0 ? duration(job.began) : job.ended ? duration(job.ended) : "–", true],
    ["Source", (job) => job.bytes, (job) => size(job.bytes), true],
    ["Worker", (job) => job.worker, (job) => job.worker < 0 ? "–" : String(job.worker), true],
    ["Member", (job) => job.member, (job) => job.member],
  ], 3, true, PAGE);
  const listFiles = () => {
    const wanted = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const target = element("filter-target").value, outcome = element("filter-outcome").value;
    fileTable.rows = jobs.filter((job) => (target === "" || job.target === Number(target))
      && (outcome === "" || job.outcome === Number(outcome))
      && wanted.every((word) => job.path.toLowerCase().includes(word)));
    fileTable.render();
    const all = fileTable.rows.length, some = Math.min(all, fileTable.limit);
    element("shown").textContent = some === all ? plural(all, "row", "rows") : `${count(some)} of ${plural(all, "row", "rows")}`;
    element("more").hidden = some === all;
  };
  const option = (value, text) => make("option", { value }, text);
  element("filter-target").append(option("", "All targets"), ...data.targets.map((name, i) => option(i, name)));
  element("filter-outcome").append(option("", "All results"), ...data.outcomes.map((name, i) => [name, i]).filter(([, i]) => counts[i]).map(([name, i]) => option(i, `${name} (${count(counts[i])})`)));
  const fromStart = () => { fileTable.limit = PAGE; listFiles(); };
  element("search").oninput = fromStart;
  element("filter-target").onchange = fromStart;
  element("filter-outcome").onchange = fromStart;
  element("more").onclick = () => { fileTable.limit += fileTable.limit < 500 ? 200 : 2000; listFiles(); };

  const groups = (keyOf) => {
    const found = new Map();
    for (const job of jobs) {
      const key = keyOf(job);
      if (!found.has(key)) found.set(key, { name: key, jobs: 0, compile: 0, slowest: 0, outcomes: [0, 0, 0, 0, 0, 0] });
      const group = found.get(key), own = job.shared ? 0 : job.compile;
      group.jobs += 1;
      group.compile += own;
      group.slowest = Math.max(group.slowest, own);
      group.outcomes[job.outcome] += 1;
    }
    return [...found.values()];
  };
  const share = (part) => make("i", { "aria-hidden": "true" }, make("b", { style: `width: ${spent ? Math.min(100, part / spent * 100) : 0}%` }));
  const groupTable = (id, heading, keyOf) => {
    const columns = [
      [heading, (group) => group.name, (group) => group.name],
      ["Jobs", (group) => group.jobs, (group) => count(group.jobs), true],
      ["Compile", (group) => group.compile, (group) => [duration(group.compile)], true],
      ["Share", (group) => group.compile, (group) => [percent(group.compile, spent), share(group.compile)], true, "share"],
      ["Slowest", (group) => group.slowest, (group) => group.slowest ? duration(group.slowest) : "–", true],
    ];
    data.outcomes.forEach((name, i) => {
      if (counts[i]) columns.push([name[0].toUpperCase() + name.slice(1), (group) => group.outcomes[i], (group) => group.outcomes[i] ? count(group.outcomes[i]) : "–", true]);
    });
    const state = table(id, `${heading}s`, columns, 2, true, 30);
    state.rows = groups(keyOf);
    state.render();
    mayShowAll(state);
  };
  groupTable("member-table", "Member", (job) => job.member);
  groupTable("target-table", "Target", (job) => data.targets[job.target]);

  const compilerOf = new Map(data.workers.map(([worker, compiler, , elapsed]) => [worker, [data.compilers[compiler] ?? "", elapsed]]));
  const workerTable = table("worker-table", "Workers", [
    ["Worker", (life) => life.worker, (life) => `${life.worker}${data.losses.some(([worker]) => worker === life.worker) ? " (lost)" : ""}`],
    ["Compiler", (life) => life.compiler, (life) => life.compiler],
    ["Start", (life) => life.start, (life) => duration(life.start), true],
    ["Jobs", (life) => life.jobs, (life) => count(life.jobs), true],
    ["Compile", (life) => life.busy, (life) => duration(life.busy), true],
    ["Busy", (life) => life.busy / (life.to - life.from || 1), (life) => percent(life.busy, life.to - life.from), true],
  ], 0, false, 16);
  workerTable.rows = lives.map((life) => {
    const own = life.bars.filter((bar) => bar.job && !bar.lost);
    const [compiler, start] = compilerOf.get(life.worker) ?? ["", 0];
    return { ...life, compiler, start, jobs: own.length, busy: own.reduce((sum, bar) => sum + bar.to - bar.from, 0) };
  });
  workerTable.render();
  mayShowAll(workerTable);
  if (!lives.length) workerTable.node.closest("section").hidden = true;

  if (data.messages.length) {
    element("incidents").hidden = false;
    const state = table("incident-table", "Messages", [
      ["When", ([at]) => at, ([at]) => duration(at), true],
      ["File", ([, job]) => jobs[job]?.path ?? "", ([, job]) => jobs[job]?.path ?? "–", false, "path"],
      ["Target", ([, job]) => jobs[job]?.target ?? -1, ([, job]) => data.targets[jobs[job]?.target] ?? "–"],
      ["Message", ([, , text]) => text, ([, , text]) => text, false, "text"],
    ], 0, false, 12);
    state.rows = data.messages;
    state.render();
    mayShowAll(state);
    if (data.unsaid) element("incidents").append(make("p", { class: "quiet" }, `${plural(data.unsaid, "more message was", "more messages were")} left out.`));
  }

  // ---- go ----

  const restyle = () => { readColors(); drawLegend(); draw(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  addEventListener("resize", redraw);
  addEventListener("beforeprint", () => { document.documentElement.classList.add("on-paper"); restyle(); });
  addEventListener("afterprint", () => { document.documentElement.classList.remove("on-paper"); restyle(); });
  concurrency.hidden = !lanes.length;
  listFiles();
  restyle();
  // Where preparing took longer than the work, begin with the work.
  if (lives.length && workTo - workFrom < end / 4) { showWork(); draw(); }
})();
