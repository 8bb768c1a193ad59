"use strict";
// The table of all repositories, sorted and searched. Only the visible rows are drawn: there may be a thousand.

const ROW = 44; // pixels: the height of every row in report.css
const AROUND = 8; // rows to draw above and below the visible ones, so that scrolling shows no blank

const COLUMNS = [
  { key: "name", label: "Repository", text: (row) => row.name },
  { key: "recentViews", label: "Views", hint: "recent" },
  { key: "peakVisitors", label: "Visitors, best day", hint: "recent", wide: true },
  { key: "spark", label: "Views, 13 weeks", unsortable: true },
  { key: "recentClones", label: "Clones", hint: "recent", wide: true },
  { key: "views", label: "Views", hint: "all time", wide: true },
  { key: "clones", label: "Clones", hint: "all time", wide: true },
  { key: "last", label: "Newest day", wide: true, text: (row) => dayText(row.last) },
];

class Overview {
  constructor(summary) {
    this.summary = summary;
    this.rows = summary.repositories.map((row, index) => ({ ...row, index }));
    this.shown = this.rows;
    this.sort = { key: "recentViews", descending: true };
    this.box = document.getElementById("rows");
    this.body = this.box.querySelector("tbody");
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => this.draw());
    addEventListener("beforeprint", () => this.draw(true));
    addEventListener("afterprint", () => this.draw());
    document.getElementById("search").addEventListener("input", () => this.update());
    this.describe();
    this.drawHeadings();
    this.update();
  }

  describe() {
    const { madeAt, place, newest, recent } = this.summary;
    const made = madeAt.slice(0, 16).replace("T", " ");
    document.getElementById("about").textContent =
      `Made ${made} UTC from ${place}. “Recent” means the ${recent} days up to ${dayText(newest)}.`;
    const sum = (key) => this.rows.reduce((total, row) => (row[key] === null ? total : (total ?? 0) + row[key]), null);
    const totals = [
      ["Repositories", this.rows.length],
      ["Recent views", sum("recentViews")],
      ["Recent clones", sum("recentClones")],
      ["Views of all time", sum("views")],
    ];
    document.getElementById("totals").append(
      ...totals.map(([name, total]) => element("div", {}, element("dt", {}, name), element("dd", {}, numberText(total)))),
    );
  }

  drawHeadings() {
    const headings = COLUMNS.map((column) => {
      const chosen = this.sort.key === column.key;
      const order = chosen ? (this.sort.descending ? "descending" : "ascending") : null;
      const label = [element("span", {}, column.label), ...(column.hint ? [element("small", {}, column.hint)] : [])];
      const content = column.unsortable ? label : [element("button", { type: "button", onclick: () => this.sortBy(column.key) }, ...label)];
      return element("th", { scope: "col", "aria-sort": order, class: column.wide ? "wide" : null, "data-key": column.key }, ...content);
    });
    document.getElementById("headings").replaceChildren(...headings);
  }

  sortBy(key) {
    this.sort = { key, descending: this.sort.key === key ? !this.sort.descending : key !== "name" };
    this.drawHeadings();
    document.querySelector(`th[data-key="${key}"] button`).focus();
    this.update();
  }

  update() {
    const asked = document.getElementById("search").value.trim().toLowerCase();
    const { key, descending } = this.sort;
    const order = (one, other) => (typeof one === "string" ? one.localeCompare(other, "en") : one - other);
    const compare = (one, other) => {
      if (one[key] === null || other[key] === null) return (one[key] === null) - (other[key] === null); // unknown numbers come last
      return descending ? order(other[key], one[key]) : order(one[key], other[key]);
    };
    const matches = (row) => [row.name, ...row.former].some((name) => name.toLowerCase().includes(asked));
    this.shown = this.rows.filter(matches).sort(compare);
    document.getElementById("found").textContent = `${numberText(this.shown.length)} of ${numberText(this.rows.length)}`;
    this.box.scrollTop = 0;
    this.draw();
  }

  /** Draw the visible rows, or all for paper. An empty row above and one below keep the scroll bar's proportions. */
  draw(all = false) {
    const first = all ? 0 : Math.max(Math.floor(this.box.scrollTop / ROW) - AROUND, 0);
    // The window's height, because the box is only as high as the rows that are already drawn.
    const count = Math.ceil(Math.max(innerHeight, 260) / ROW) + 2 * AROUND;
    const end = all ? this.shown.length : Math.min(first + count, this.shown.length);
    document.getElementById("table").setAttribute("aria-rowcount", this.shown.length + 1);
    const rows = this.shown.slice(first, end).map((row, offset) => this.row(row, first + offset));
    this.body.replaceChildren(this.space(first), ...rows, this.space(this.shown.length - end));
  }

  space(rows) {
    // One cell without a colspan: a span over columns that a phone does not show would give them half of the width.
    const made = element("tr", { "aria-hidden": "true", class: "space", hidden: rows ? null : "" }, element("td"));
    made.firstChild.style.height = `${rows * ROW}px`;
    return made;
  }

  row(row, place) {
    const cells = COLUMNS.map((column) => {
      const attributes = { class: column.wide ? "wide" : null };
      if (column.key === "name") {
        const link = element("a", { href: `#/${encodeURIComponent(row.name)}`, title: row.name }, row.name);
        return element("th", { scope: "row" }, link);
      }
      if (column.key === "spark") return element("td", attributes, sparkline(row.spark, 120, 28));
      return element("td", attributes, column.text ? column.text(row) : numberText(row[column.key]));
    });
    return element("tr", { "aria-rowindex": place + 2 }, ...cells);
  }
}
