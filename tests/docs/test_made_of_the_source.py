"""What is made of the source is what `make docs` would make now; tests/config holds the tables."""

import re
import runpy

from tests.docs.blocks import ROOT


def test_the_picture_of_the_layers_is_what_the_contract_says() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "draw_layers.py"))
    text = (ROOT / "docs" / "layers.svg").read_text("utf-8")
    assert text == tool["drawn"](tool["layers"]()), "docs/layers.svg is what `make docs` writes"
    assert {"cli", "sync", "adapters", "core"} <= set(re.findall(r">(\w+)[ <]", text))
