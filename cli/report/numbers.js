"use strict";
// Days, weeks and months of numbers. A cell is a number, or null if GitHub did not report one: null is not zero.

const DAY = 86400; // seconds

const grouped = new Intl.NumberFormat("en");
const monthAndYear = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

const numberText = (number) => (number === null || number === undefined ? "–" : grouped.format(number));

/** Return a day, given as days since 1970-01-01, in the form 2026-11-20. */
const dayText = (day) => (day === null ? "–" : new Date(day * DAY * 1000).toISOString().slice(0, 10));

/** Return the first day of the period that contains a day. Weeks begin on Monday. */
function periodStart(day, period) {
  if (period === "week") return day - ((((day + 3) % 7) + 7) % 7);
  if (period === "month") {
    const date = new Date(day * DAY * 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / (DAY * 1000);
  }
  return day;
}

/** Return the first day of the next period. */
const nextPeriod = (start, period) => periodStart(start + { day: 1, week: 7, month: 31 }[period], period);

/** Return a period's name: 2026-11-20, week of 2026-11-16, November 2026. */
function periodText(start, period) {
  if (period === "month") return monthAndYear.format(new Date(start * DAY * 1000));
  return period === "week" ? `week of ${dayText(start)}` : dayText(start);
}

/**
 * Gather days into periods.
 *
 * @param {object} kind counts and uniques by day, and complete: whether GitHub reported the complete day.
 * @returns {object} starts; counts, the sums of the reported numbers; uniques, the number of the day with the most,
 *   because a sum would count a person who comes on two days twice; partial: whether a part of the period is missing.
 */
function gather(kind, firstDay, period) {
  const periods = { starts: [], counts: [], uniques: [], partial: [], imported: [] };
  const end = firstDay + kind.counts.length;
  for (let start = periodStart(firstDay, period); start < end; start = nextPeriod(start, period)) {
    const next = nextPeriod(start, period);
    const cut = (cells) => cells.slice(Math.max(start - firstDay, 0), next - firstDay);
    const counts = cut(kind.counts).filter((count) => count !== null);
    const uniques = cut(kind.uniques).filter((number) => number !== null);
    const complete = cut(kind.complete).filter(Boolean).length;
    periods.starts.push(start);
    periods.counts.push(counts.length ? counts.reduce((sum, count) => sum + count, 0) : null);
    periods.uniques.push(uniques.length ? Math.max(...uniques) : null);
    periods.partial.push(counts.length > 0 && complete < next - start);
    periods.imported.push(cut(kind.imported).some(Boolean));
  }
  return periods;
}

/** Return the runs of nulls, as pairs of first and last index. */
function gapsIn(cells) {
  const gaps = [];
  cells.forEach((cell, index) => {
    if (cell !== null) return;
    const last = gaps.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else gaps.push([index, index]);
  });
  return gaps;
}

/** Make an element. Children are nodes, or texts, which are never read as HTML. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Draw a line of numbers without axes. Nulls interrupt the line; a number without neighbours is a dot. */
function sparkline(cells, width, height) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const highest = Math.max(1, ...cells.filter((cell) => cell !== null));
  const step = width / Math.max(cells.length - 1, 1);
  const path = cells.map((cell, index) => {
    if (cell === null) return "";
    const point = `${(index * step).toFixed(1)} ${(height - 1.5 - (cell / highest) * (height - 3)).toFixed(1)}`;
    const begins = index === 0 || cells[index - 1] === null;
    return (begins ? `M${point}` : `L${point}`) + (begins && (cells[index + 1] ?? null) === null ? "h.1" : "");
  });
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("d", path.join(""));
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, width, height, class: "spark" }))
    svg.setAttribute(name, value);
  svg.setAttribute("aria-hidden", "true"); // the numbers beside it are enough
  svg.append(line);
  return svg;
}
