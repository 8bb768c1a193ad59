"use strict";
// A chart of counts and unique people over time, drawn by uPlot. The charts of a page share their zoom and cursor.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const PERIODS = ["day", "week", "month"];

const uniquesLabel = (kind, period) => (period === "day" ? kind.people : `${kind.people}, best day of the ${period}`);

class TrafficChart {
  /**
   * @param {object} kind title and people are texts; counts, uniques, complete and imported hold a value for each day; imported can be empty.
   * @param {object} page firstDay, notes, and onZoom, which gets the range that a person chose.
   */
  constructor(box, kind, page) {
    Object.assign(this, { box, kind, page, period: "day", range: null });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(box);
    box.addEventListener("keydown", (event) => this.onKey(event));
    this.draw();
  }

  /** Draw the chart again, for another period or theme. */
  draw(period = this.period) {
    this.period = period;
    this.periods = gather(this.kind, this.page.firstDay, period);
    this.plot?.destroy();
    const data = [this.periods.starts.map((day) => day * DAY), this.periods.counts, this.periods.uniques];
    this.plot = new uPlot(this.options(), data, this.box);
    this.plot.over.setAttribute("aria-hidden", "true");
    this.zoom(this.range);
    this.box.setAttribute("aria-label", this.summary());
  }

  /** Describe the chart in words, for screen readers. */
  summary() {
    const { counts, partial, starts } = this.periods;
    const known = counts.filter((count) => count !== null);
    if (!known.length) return `${this.kind.title}: GitHub reported none.`;
    const best = counts.indexOf(Math.max(...known));
    const missing = counts.length - known.length;
    return (
      `${this.kind.title} by ${this.period}, ${dayText(starts[0])} to ${dayText(starts.at(-1))}. ` +
      `Highest: ${numberText(counts[best])}, ${periodText(starts[best], this.period)}. ` +
      `${missing} not recorded, ${partial.filter(Boolean).length} partial. ` +
      "Arrow keys move, plus and minus zoom, 0 shows everything. The table below has the numbers."
    );
  }

  options() {
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const line = { spanGaps: false, value: (_plot, value) => numberText(value) };
    return {
      width: Math.max(this.box.clientWidth, 200),
      height: 260,
      tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
      cursor: { sync: { key: "traffic" }, drag: { x: true, y: false } },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, 4) * 1.08] } },
      axes: [{ ...axis, space: 76, values: (_plot, times) => times.map((time) => dayText(time / DAY)) }, { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? numberText(tick) : "")) }],
      series: [
        { label: this.period, value: (_plot, time) => (time === null ? "–" : periodText(time / DAY, this.period)) },
        { ...line, label: this.kind.title, stroke: colour("counts"), fill: colour("counts-fill"), width: 2, points: this.points() },
        { ...line, label: uniquesLabel(this.kind, this.period), stroke: colour("uniques"), width: 2, dash: [6, 3], points: this.lonePoints() },
      ],
      hooks: { drawClear: [(plot) => this.drawGaps(plot)], draw: [(plot) => this.drawNotes(plot)], setScale: [(plot, key) => this.onScale(plot, key)] },
    };
  }

  /** Mark partial periods with circles, and numbers without neighbours too, because no line shows those. */
  points() {
    const lone = this.lonePoints().filter;
    const marked = (plot, series, show, gaps) => [...new Set([...this.partialInView(plot), ...(lone(plot, series, show, gaps) ?? [])])].sort((a, b) => a - b);
    return { show: true, size: 7, width: 1.5, fill: colour("panel"), stroke: colour("partial"), filter: marked };
  }

  lonePoints() {
    const filter = (plot, series) => {
      const cells = plot.data[series];
      const has = (index) => (cells[index] ?? null) !== null;
      return cells.map((_cell, index) => index).filter((index) => has(index) && !has(index - 1) && !has(index + 1));
    };
    return { show: true, size: 5, filter };
  }

  partialInView(plot) {
    const { min, max } = plot.scales.x;
    const seen = this.periods.partial.map((_is, index) => index).filter((index) => plot.data[0][index] >= min && plot.data[0][index] <= max);
    return seen.filter((index) => this.periods.partial[index]);
  }

  /** Hatch the periods that were not recorded: a missing number is not zero and must not look like zero. */
  drawGaps(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour("gap");
    ctx.lineWidth = devicePixelRatio;
    for (const [first, last] of gapsIn(this.periods.counts)) {
      const time = (index) => this.periods.starts[index] * DAY;
      const left = Math.max(plot.valToPos(first ? time(first - 1) : time(0), "x", true), bbox.left);
      const end = last + 1 < this.periods.starts.length ? time(last + 1) : time(last);
      const right = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
      if (right > left) hatch(ctx, left, right, bbox);
    }
    ctx.restore();
  }

  /** Draw a dashed line on each day with a note, and beside it the note's number in the list below. */
  drawNotes(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("note");
    ctx.font = `bold ${11 * devicePixelRatio}px system-ui`;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    this.page.notes.forEach(([day], index) => {
      const x = plot.valToPos(day * DAY, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillText(String(index + 1), x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
    });
    ctx.restore();
  }

  onScale(plot, key) {
    if (key !== "x" || plot !== this.plot || this.zooming) return;
    const { min, max } = plot.scales.x;
    this.page.onZoom([min, max]);
  }

  /** Show the range [from, to] of times in seconds, or everything if it is null. */
  zoom(range) {
    this.range = range;
    const times = this.plot.data[0];
    this.zooming = true;
    const [min, max] = range ?? [times[0] - DAY / 2, (times.at(-1) ?? DAY) + DAY / 2];
    this.plot.batch(() => this.plot.setScale("x", { min, max }));
    this.zooming = false;
  }

  onKey(event) {
    const { min, max } = this.plot.scales.x;
    const width = max - min;
    const move = { ArrowLeft: [-0.2, -0.2], ArrowRight: [0.2, 0.2], "+": [0.2, -0.2], "=": [0.2, -0.2], "-": [-0.3, 0.3] }[event.key];
    if (event.key === "0") this.page.onZoom(null);
    else if (move && width + (move[1] - move[0]) * width > 3 * DAY) this.page.onZoom([min + move[0] * width, max + move[1] * width]);
    else return;
    event.preventDefault();
  }

  resize() {
    if (this.box.clientWidth && this.box.clientWidth !== this.plot.width) this.plot.setSize({ width: this.box.clientWidth, height: 260 });
  }

  destroy() {
    this.observer.disconnect();
    this.plot.destroy();
  }
}

function hatch(ctx, left, right, { top, height }) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, right - left, height);
  ctx.clip();
  const step = 8 * devicePixelRatio;
  ctx.beginPath();
  for (let x = left - height; x < right; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}
