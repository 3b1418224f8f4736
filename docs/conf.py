"""How Sphinx builds these pages: ``make docs``."""
# ruff: noqa: INP001 - Sphinx runs this file, nobody imports it

from __future__ import annotations

import tomllib
from pathlib import Path

project = "rsyscall_ns"
author = "The rsyscall_ns authors"
release = tomllib.loads(
    (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8")
)["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"{project} {release}"

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
