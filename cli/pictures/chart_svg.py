"""Draws a chart of a repository's days as SVG, which follows the reader's light or dark theme. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from html import escape
from itertools import groupby

WIDTH, HEIGHT = 800, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 44, 28  # margins
TICKS = 4  # horizontal lines above zero
ROUND = (10, 15, 20, 25, 30, 40, 50, 75)  # steps between lines, in tenths of a power of ten
LABELS = 6  # dates below the chart
LONGEST = 60  # characters of the title that fit beside the legend

STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-size:14px;font-weight:600;fill:#1f2328}"
    ".grid{stroke:#d8dee4}.line{fill:none;stroke:#0969da;stroke-width:1.5;stroke-linejoin:round}"
    ".uniques{stroke:#bc4c00;stroke-dasharray:4 3}.dot{fill:#0969da}.dot.uniques{fill:#bc4c00;stroke:none}"
    ".ground{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.grid{stroke:#30363d}"
    ".line{stroke:#4493f8}.uniques{stroke:#f0883e}.dot{fill:#4493f8}.dot.uniques{fill:#f0883e}.ground{fill:#0d1117}}"
)

Series = Mapping[str, int]  # by day; a day for which GitHub reported no number is absent


def chart_svg(title: str, counts: Series, uniques: Series, names: tuple[str, str]) -> str:
    """Draw two lines over days, with a gap at days without a number.

    Args:
        title: The heading. It is escaped, and cut after `LONGEST` characters.
        counts: The solid line.
        uniques: The dashed line.
        names: The names of the two lines.
    """
    days = sorted({*counts, *uniques})
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    scale = Scale(first, last, upper_edge(max([*counts.values(), *uniques.values(), 1])))
    heading = title if len(title) <= LONGEST else f"{title[:LONGEST]}..."
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" ',
        f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title><style>{STYLE}</style>',
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="title" x="{LEFT}" y="22">{escape(heading)}</text>',
        *_legend(names),
        *_grid(scale),
        *_line(counts, scale, ""),
        *_line(uniques, scale, " uniques"),
        "</svg>\n",
    ]
    return "".join(parts)


class Scale:
    """Converts days and numbers to positions in the picture."""

    def __init__(self, first: date, last: date, most: int) -> None:
        self.first, self.days, self.most = first, max((last - first).days, 1), most

    def x(self, day: date) -> float:
        """Return the horizontal position of a day, in pixels from the left."""
        return round(LEFT + (day - self.first).days / self.days * (WIDTH - LEFT - RIGHT), 1)

    def y(self, number: float) -> float:
        """Return the vertical position of a number, in pixels from the top."""
        return round(HEIGHT - BOTTOM - number / self.most * (HEIGHT - TOP - BOTTOM), 1)


def upper_edge(most: int) -> int:
    """Return the number at the upper edge: at least `most`, and `TICKS` times a round number."""
    size = 1
    while True:
        for tenths in ROUND:
            if size * tenths % 10 == 0 and (edge := size * tenths // 10 * TICKS) >= most:
                return edge
        size *= 10


def runs(series: Series) -> Iterator[Sequence[str]]:
    """Split the days into runs of neighbouring days. Between two runs at least one day has no number."""
    numbered = enumerate(sorted(series))
    for _, run in groupby(numbered, key=lambda each: date.fromisoformat(each[1]).toordinal() - each[0]):
        yield [day for _, day in run]


def _line(series: Series, scale: Scale, kind: str) -> Iterator[str]:
    for run in runs(series):
        points = [f"{scale.x(date.fromisoformat(day))},{scale.y(series[day])}" for day in run]
        if len(points) == 1:
            x, y = points[0].split(",")
            yield f'<circle class="dot{kind}" cx="{x}" cy="{y}" r="1.5"/>'
        else:
            yield f'<polyline class="line{kind}" points="{" ".join(points)}"/>'


def _grid(scale: Scale) -> Iterator[str]:
    for tick in range(TICKS + 1):
        number = scale.most * tick // TICKS
        y = scale.y(number)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number:,}</text>'
    labels = min(LABELS, scale.days + 1)
    for label in range(labels):
        day = scale.first + timedelta(days=round(scale.days * label / max(labels - 1, 1)))
        anchor = "start" if label == 0 else "end" if label == labels - 1 else "middle"
        yield f'<text x="{scale.x(day)}" y="{HEIGHT - 8}" text-anchor="{anchor}">{day}</text>'


def _legend(names: tuple[str, str]) -> Iterator[str]:
    for name, x, kind in ((names[0], WIDTH - 260, ""), (names[1], WIDTH - 160, " uniques")):
        yield f'<polyline class="line{kind}" points="{x},18 {x + 20},18"/><text x="{x + 26}" y="22">{name}</text>'
