"""What a page consists of that is not Python: templates (Jinja), styles and scripts."""

from __future__ import annotations

from importlib import resources

import jinja2

_EXPLORER = (
    "state", "data", "sheets", "photos", "palette", "dots", "view", "map", "controls", "panels",
    "gallery", "main",
)  # fmt: skip
"""The explorer's scripts, each using those before it."""


def load(name: str) -> jinja2.Template:
    """A template of this folder; whatever it is given is escaped, unless it is `Markup`."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("shoal.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def text(name: str) -> str:
    """A file of this folder as it is."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def explorer_script() -> str:
    """The scripts of the map as one, with no name visible outside."""
    parts = [text(f"explorer/{name}.js") for name in _EXPLORER]
    return "\n".join(['(() => {\n"use strict";', *parts, "})();\n"])
