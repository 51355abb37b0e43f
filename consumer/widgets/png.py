"""SVG to PNG with the fonts beside this file, so that a picture is alike on every machine."""

import re
from pathlib import Path

import resvg_py

FONTS = [str(file) for file in sorted((Path(__file__).parent / "fonts").glob("*.ttf"))]
# what Inter cannot draw: letters beyond Latin, Greek and Cyrillic, emoji
_NO_GLYPH = re.compile("[\u0530-\u1dff\u2300-\u24ff\u2600-\U0010ffff]+")


def png(svg: str, zoom: float = 1) -> bytes:
    """The drawing as PNG, `zoom` times as large; letters that Inter has not become an ellipsis."""
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=_NO_GLYPH.sub("…", svg),
            zoom=zoom,
            skip_system_fonts=True,
            font_files=FONTS,
            font_family="Inter",
            sans_serif_family="Inter",
        )
    )
