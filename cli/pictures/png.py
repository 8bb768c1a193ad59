"""Converts a picture to PNG, for pages that show no SVG."""

from pathlib import Path

import font_roboto
import resvg_py

# With a font from a package, the picture does not depend on the fonts of the machine.
FONT = Path(font_roboto.__file__).parent / "files" / "Roboto-Regular.ttf"
ZOOM = 2  # pixels for each pixel of the SVG, for screens of high resolution


def png(svg: str) -> bytes:
    """Draw an SVG in the light theme."""
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
