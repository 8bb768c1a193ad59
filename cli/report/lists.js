"use strict";
// Referrers and paths over time. A capture lists at most ten rows for the 14 days before it: the others are unknown.

const FIRST = 10; // rows to show until a person asks for all

/** Return the numbers of each name by capture; the names with the highest latest count come first. */
function followed(lists) {
  const series = lists.names.map((name) => ({ name, counts: lists.rows.map(() => null), uniques: lists.rows.map(() => null) }));
  lists.rows.forEach((row, capture) => {
    for (let at = 0; row !== null && at < row.length; at += 3) {
      series[row[at]].counts[capture] = row[at + 1];
      series[row[at]].uniques[capture] = row[at + 2];
    }
  });
  const peak = (cells) => Math.max(...cells.filter((cell) => cell !== null));
  const latest = (one) => one.counts.at(-1) ?? -1;
  for (const one of series) one.peak = peak(one.counts);
  return series.sort((one, other) => latest(other) - latest(one) || other.peak - one.peak);
}

/** Build a list's section: each name with its latest and highest numbers and a line over time. */
function listSection(title, naming, lists, captures) {
  const id = `list-${naming.toLowerCase()}`;
  const section = element("section", { class: "panel", "aria-labelledby": id }, element("h2", { id }, title));
  const series = followed(lists);
  if (!series.length) {
    section.append(element("p", { class: "quiet" }, "GitHub has not listed any yet."));
    return section;
  }
  const about = `Each count covers the 14 days before a capture. One capture a week is shown, the latest on ${dayText(captures.at(-1))}. GitHub lists at most ten: a dash means “not listed”, which is not zero.`;
  const body = element("tbody");
  const labels = [naming, "Latest views", "Latest visitors", "Highest views", "Listed", "Over time"];
  const wide = (index) => (index >= 2 && index <= 4 ? "wide" : null);
  const head = element("tr", {}, ...labels.map((label, index) => element("th", { scope: "col", class: wide(index) }, label)));
  const table = element("table", { class: "grid list" }, element("thead", {}, head), body);
  const draw = (count) => body.replaceChildren(...series.slice(0, count).map((one) => listRow(one, captures, wide)));
  draw(FIRST);
  section.append(element("p", { class: "quiet" }, about), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, scrollable` }, table));
  if (series.length > FIRST) {
    const all = element("button", { type: "button", class: "button" }, `Show all ${numberText(series.length)}`);
    all.addEventListener("click", () => (draw(series.length), all.remove()));
    section.append(all);
  }
  return section;
}

function listRow(one, captures, wide) {
  const listed = captures.filter((_day, index) => one.counts[index] !== null);
  const span = listed.length ? `${dayText(listed[0])} – ${dayText(listed.at(-1))}` : "–";
  const cells = [numberText(one.counts.at(-1)), numberText(one.uniques.at(-1)), numberText(one.peak), span, sparkline(one.counts, 160, 28)];
  return element("tr", {}, element("th", { scope: "row" }, one.name), ...cells.map((cell, index) => element("td", { class: wide(index + 1) }, cell)));
}
