"use strict";
// Referrers and paths over time. Each capture tells the 14 days before it, at most ten rows: who is absent is unknown.

const FIRST = 10; // rows shown before a person asks for all

/** Follow each name through the captures. */
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

/** Show the names of a list, with their latest and highest numbers and their course. */
function listSection(title, naming, lists, captures) {
  const id = `list-${naming.toLowerCase()}`;
  const section = element("section", { class: "panel", "aria-labelledby": id }, element("h2", { id }, title));
  const series = followed(lists);
  if (!series.length) {
    section.append(element("p", { class: "quiet" }, "GitHub has listed none yet."));
    return section;
  }
  const about = `Counts of the 14 days before each capture, the latest on ${dayText(captures.at(-1))}; one capture a week is shown. GitHub lists ten at most: a dash was not listed, which is not zero.`;
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
