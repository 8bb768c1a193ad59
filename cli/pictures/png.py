"""A picture as PNG, for pages that show no SVG."""

from pathlib import Path

import font_roboto
import resvg_py

# The font comes along: whatever fonts a machine has, or has not, the picture is the same.
FONT = Path(font_roboto.__file__).parent / "files" / "Roboto-Regular.ttf"
ZOOM = 2  # pixels of the picture for each of the SVG's, for screens that have twice as many


def png(svg: str) -> bytes:
    """Draw an SVG as a reader in light mode sees it."""
    family = FONT.stem.partition("-")[0]
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=ZOOM,
            skip_system_fonts=True,
            font_files=[str(FONT)],
            font_family=family,
            sans_serif_family=family,
        )
    )
