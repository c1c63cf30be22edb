"""The colours and letters of the picture, for a light and a dark ground.

Every colour of a text or a mark stands out from its ground by at least 4.5 to 1 (WCAG 2.2, 1.4.3);
lines and shades are weaker, since nothing hangs on them alone.
"""

from collections.abc import Mapping
from typing import Final

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, '
    '"DejaVu Sans", sans-serif'
)

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#ffffff",
    "ink": "#18212c",
    "quiet": "#566271",
    "rule": "#e3e7ec",
    "month": "#edf0f4",
    "away": "#e4e8ee",
    "stripe": "#c9d0da",
    "writing": "#dbe3f6",
    "now": "#c2410c",
    "contact": "#2f54c8",
    "due": "#a3135f",
    "good": "#0f7048",
    "bad": "#b42318",
    "task": "#8a5200",
}

DARK: Final[Mapping[str, str]] = {
    "paper": "#12161c",
    "ink": "#e8edf3",
    "quiet": "#a3afbd",
    "rule": "#2a323d",
    "month": "#20262f",
    "away": "#252c36",
    "stripe": "#3d4855",
    "writing": "#26345c",
    "now": "#fb923c",
    "contact": "#93b0ff",
    "due": "#f58bc4",
    "good": "#5fd39b",
    "bad": "#ff8d80",
    "task": "#efb454",
}

_HUES = ("contact", "due", "good", "bad", "task")


def variables(palette: Mapping[str, str]) -> str:
    """Return a palette as custom properties, for a page."""
    return "".join(f"--{name}:{value};" for name, value in palette.items())


def svg_style() -> str:
    """Return the style of an SVG file: plain colours, since few viewers know custom properties."""
    dark = f"@media(prefers-color-scheme:dark){{{_colours(DARK)}}}"
    return f"{_LETTERS}{_colours(LIGHT)}{dark}"


_LETTERS = (
    f"text{{font-family:{FONT};font-size:12px}}"
    ".title{font-size:20px;font-weight:650;letter-spacing:-.01em}"
    ".name{font-size:13.5px;font-weight:600}"
    ".small{font-size:11.5px}"
    ".why{font-size:11px;font-style:italic}"
    ".why,.tick{paint-order:stroke;stroke-width:6;stroke-linejoin:round}"
    ".year{font-size:12px;font-weight:650}"
    ".today{font-weight:650}"
    ".rule,.month{fill:none;stroke-width:1}"
    ".now{fill:none;stroke-width:1.6}"
    ".dots{fill:none;stroke-width:1.3}"
    ".passed{stroke-dasharray:2.4 2.2}"
    ".dismissed{opacity:.75}"
)


def _colours(of: Mapping[str, str]) -> str:
    hues = "".join(f".{hue}{{color:{of[hue]}}}" for hue in _HUES)
    return (
        f".paper{{fill:{of['paper']}}}"
        f"text{{fill:{of['ink']}}}"
        f".quiet{{fill:{of['quiet']}}}"
        f".rule{{stroke:{of['rule']}}}.month{{stroke:{of['month']}}}"
        f".tick{{stroke:{of['paper']}}}"
        f".why{{stroke:{of['away']};fill:{of['ink']}}}"
        f".stripe{{stroke:{of['stripe']};stroke-width:1}}"
        f".away{{fill:{of['away']}}}.writing{{fill:{of['writing']}}}"
        f".now{{stroke:{of['now']}}}.today{{fill:{of['now']}}}"
        f".dots{{stroke:{of['quiet']}}}.used{{fill:{of['quiet']}}}"
        f"{hues}"
        f".mark{{fill:{of['paper']};stroke:currentColor}}"
        f".done,.overdue{{fill:currentColor;stroke:{of['paper']}}}"
    )
