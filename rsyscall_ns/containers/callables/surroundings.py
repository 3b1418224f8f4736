"""What a callable finds around it that can be changed: the environment, and where modules are."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen

from rsyscall_ns.tasks.command import environment

__all__ = ["Surroundings", "search_path", "to_change"]


@final
@frozen
class Surroundings:
    """Those of a moment."""

    environment: Mapping[bytes, bytes]
    path: list[str]

    @classmethod
    def now(cls) -> Surroundings:
        """Look what they are."""
        return cls(dict(environment()), search_path())


def search_path() -> list[str]:
    """Return where this interpreter looks for modules, for one that may be elsewhere."""
    return [
        place if place.startswith("/") else str(Path(place or ".").absolute()) for place in sys.path
    ]


def to_change(
    known: Surroundings | None, updates: Mapping[str, str | None]
) -> dict[str, list[str] | dict[str, str] | None]:
    """Return what a child is told of them: None for what it has already.

    ``known``: those that it is made in, where these are ours of some time ago.
    """
    path: list[str] | None = search_path()
    if known is not None and known.path == path:
        path = None
    if known is not None and not updates and known.environment == environment():
        return {"path": path, "environment": None}
    values = dict(os.environ) | dict(updates)
    wanted = {key: value for key, value in values.items() if value is not None}
    return {"path": path, "environment": wanted}
