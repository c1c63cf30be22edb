#!/usr/bin/env python3
"""Draw the layers of lorsync as an SVG, from the contract in pyproject.toml that holds them.

usage: tools/draw_layers.py >docs/layers.svg
"""

import sys
import tomllib
from pathlib import Path

WIDTH, MARGIN, ROW, GAP = 760, 20, 36, 8
ROLE = {
    "__main__": "what is called",
    "cli": "what a person types and reads",
    "sync": "one pass",
    "core": "decides: no clock, file, socket or log",
}
"""What stands beside the layer with this module."""

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2933 }
.role { font-size: 12px; fill: #52606d }
rect { fill: #eef2f7; stroke: #9aa5b1 }
.core rect { fill: #dcf0e3; stroke: #3f9142 }
@media (prefers-color-scheme: dark) {
  text { fill: #f5f7fa } .role { fill: #cbd2d9 }
  rect { fill: #323f4b; stroke: #7b8794 }
  .core rect { fill: #1d4d2b; stroke: #57ae5b }
}
"""


def layers() -> list[list[str]]:
    """Return the layers, outermost first, each with its modules."""
    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [[module.strip() for module in layer.split("|")] for layer in found]


def drawn(listed: list[list[str]]) -> str:
    """Return the picture: one box for each module, the outermost layer on top."""
    height = 2 * MARGIN + len(listed) * (ROW + GAP) - GAP
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-labelledby="title">'
        ),
        '<title id="title">The layers of lorsync: each imports only from those below it</title>',
        f"<style>{STYLE}</style>",
    ]
    for number, modules in enumerate(listed):
        top = MARGIN + number * (ROW + GAP)
        role = next((ROLE[module] for module in modules if module in ROLE), "")
        width = (WIDTH - 2 * MARGIN - (len(modules) - 1) * GAP) / len(modules)
        for place, module in enumerate(modules):
            left = MARGIN + place * (width + GAP)
            kind = "core" if module == "core" else "layer"
            middle, line = left + width / 2, top + ROW / 2 + 5
            shown = f' <tspan class="role">· {role}</tspan>' if role and place == 0 else ""
            parts.append(
                f'<g class="{kind}"><rect x="{left:.1f}" y="{top}" width="{width:.1f}" '
                f'height="{ROW}" rx="5"/><text x="{middle:.1f}" y="{line:.1f}" '
                f'text-anchor="middle">{module}{shown}</text></g>'
            )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(drawn(layers()))
