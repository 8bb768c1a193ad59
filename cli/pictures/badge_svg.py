"""Draws a badge as SVG, in the style of shields.io. Pure.

Source:
    https://github.com/badges/shields/blob/master/spec/SPECIFICATION.md
"""

from html import escape

GREY, BLUE = "#555", "#007ec6"
NARROW, WIDE = "fijlrtI.,:;'|! ()", "mwMW@%"  # letters in Verdana, at 11 px


def badge_svg(label: str, text: str) -> str:
    """Draw a badge: a label on grey, then a text on blue."""
    left, right = width(label) + 10, width(text) + 10
    total = left + right
    title = escape(f"{label}: {text}")
    words = "".join(
        f'<text x="{at}" y="15" fill="#010101" fill-opacity=".3">{escape(word)}</text>'
        f'<text x="{at}" y="14">{escape(word)}</text>'
        for word, at in ((label, left / 2), (text, left + right / 2))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        '<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/>'
        '<stop offset="1" stop-opacity=".1"/></linearGradient>'
        f'<clipPath id="r"><rect width="{total}" height="20" rx="3" fill="#fff"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{GREY}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{BLUE}"/>'
        f'<rect width="{total}" height="20" fill="url(#s)"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">'
        f"{words}</g></svg>\n"
    )


def width(text: str) -> int:
    """Estimate the width of a text in pixels."""
    return round(sum(4.2 if each in NARROW else 10.5 if each in WIDE else 7.2 for each in text))


def short_number(number: int) -> str:
    """Shorten a number as badges do: `999`, `1.2k`, `12k`, `1.2M`."""
    for size, unit, least in ((10**6, "M", 999_500), (10**3, "k", 1000)):
        if number >= least:  # 999,500 would be rounded to 1000k
            value = number / size
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return str(number)
