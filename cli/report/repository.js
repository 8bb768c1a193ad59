"use strict";
// The page of one repository.

const RANGES = [["30 days", 30], ["90 days", 90], ["1 year", 365], ["All", null]];

class RepositoryPage {
  constructor(box, row, data) {
    Object.assign(this, { box, row, data, period: data.views.length > 400 ? "week" : "day", range: null });
    const marked = (digits, bit) => Array.from(digits, (digit) => Boolean(Number(digit) & bit));
    const marks = (bit) => ({ complete: marked(data.complete, bit), imported: marked(data.imported, bit) });
    this.kinds = [
      { title: "Views", people: "Unique visitors", counts: data.views, uniques: data.visitors, ...marks(1) },
      { title: "Clones", people: "Unique cloners", counts: data.clones, uniques: data.cloners, ...marks(2) },
    ];
    this.charts = [];
    this.build();
  }

  build() {
    const { row, data } = this;
    const former = row.former.length ? [element("p", { class: "quiet" }, `Formerly ${row.former.join(", ")}.`)] : [];
    const heading = element("h1", { id: "repository-title", tabindex: "-1" }, row.name);
    this.box.replaceChildren(element("p", {}, element("a", { href: "#/" }, "← All repositories")), heading, ...former);
    if (data.views.length) this.addCharts();
    else this.box.append(element("p", { class: "quiet" }, "No day is stored yet."));
    if (data.notes.length) this.box.append(this.notes());
    this.box.append(listSection("Referrers", "Referrer", data.referrers, data.captures), listSection("Paths", "Path", data.paths, data.captures));
    heading.focus({ preventScroll: true });
  }

  addCharts() {
    this.tools = element("div", { class: "tools" });
    this.box.append(this.tools);
    const page = { firstDay: this.data.start, notes: this.data.notes, onZoom: (range) => this.zoom(range) };
    for (const kind of this.kinds) {
      const chart = element("div", { class: "chart", tabindex: "0", role: "img" });
      const numbers = element("details", {}, element("summary", {}, `${kind.title} as a table`));
      this.box.append(element("section", { class: "panel" }, element("h2", {}, kind.title), this.legend(kind), chart, numbers));
      const drawn = new TrafficChart(chart, kind, page);
      numbers.addEventListener("toggle", () => this.fillTable(numbers, drawn));
      this.charts.push(Object.assign(drawn, { numbers }));
    }
    this.choosePeriod(this.period);
  }

  legend(kind) {
    const imported = kind.imported.some(Boolean) ? " · The table marks what was imported, and not reported by GitHub." : "";
    return element("p", { class: "quiet legend" }, element("i", { class: "partial" }), " partial: GitHub did not report all of it ", element("i", { class: "gap" }), " not recorded", imported);
  }

  drawTools() {
    const button = (label, pressed, act) => element("button", { type: "button", class: "button", "aria-pressed": String(pressed), onclick: act }, label);
    const periods = PERIODS.map((period) => button(period[0].toUpperCase() + period.slice(1), period === this.period, () => this.choosePeriod(period)));
    const ranges = RANGES.map(([label, days]) => button(label, this.days === days, () => this.chooseRange(days)));
    const kept = document.activeElement?.textContent;
    const inside = this.tools.contains(document.activeElement);
    const group = (label, buttons) => element("div", { role: "group", "aria-label": label, class: "group" }, ...buttons);
    this.tools.replaceChildren(group("Period", periods), group("Range", ranges), element("span", { class: "quiet hint" }, "Drag in a chart to zoom."));
    if (inside) [...this.tools.querySelectorAll("button")].find((each) => each.textContent === kept)?.focus();
  }

  choosePeriod(period) {
    this.period = period;
    for (const chart of this.charts) {
      chart.draw(period);
      this.fillTable(chart.numbers, chart);
    }
    if (this.days === undefined && this.range === null) this.days = null;
    this.drawTools();
  }

  chooseRange(days) {
    const end = this.data.start + this.data.views.length;
    this.zoom(days === null ? null : [Math.max(end - days, this.data.start) * DAY - DAY / 2, end * DAY - DAY / 2], days);
  }

  zoom(range, days = range === null ? null : undefined) {
    Object.assign(this, { range, days });
    for (const chart of this.charts) chart.zoom(range);
    this.drawTools();
  }

  redraw() {
    for (const chart of this.charts) chart.draw();
  }

  fillTable(numbers, chart) {
    numbers.querySelector(".scroll")?.remove();
    if (!numbers.open) return;
    const { starts, counts, uniques, partial, imported } = chart.periods;
    const labels = [chart.period, chart.kind.title, uniquesLabel(chart.kind, chart.period), "Remark"];
    const rows = starts.map((start, index) => {
      const remarks = [counts[index] === null && "not recorded", partial[index] && "partial", imported[index] && "imported"];
      const cells = [numberText(counts[index]), numberText(uniques[index]), remarks.filter(Boolean).join(", ")];
      return element("tr", {}, element("th", { scope: "row" }, periodText(start, chart.period)), ...cells.map((cell) => element("td", {}, cell)));
    });
    const head = element("thead", {}, element("tr", {}, ...labels.map((label) => element("th", { scope: "col" }, label))));
    const table = element("table", { class: "grid" }, head, element("tbody", {}, ...rows.reverse()));
    numbers.append(element("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `${chart.kind.title} as a table` }, table));
  }

  notes() {
    const items = this.data.notes.map(([day, text]) => element("li", {}, element("b", {}, dayText(day)), ` ${text}`));
    return element("section", { class: "panel" }, element("h2", {}, "Notes"), element("ol", {}, ...items));
  }

  destroy() {
    for (const chart of this.charts) chart.destroy();
  }
}
