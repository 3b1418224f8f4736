"""One line on a terminal that says how far the run has come.

Written between samples only, never by a thread: a thread would take the interpreter's lock in the
middle of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["Tell", "show_progress"]

Tell = Callable[[str], object]
PAUSE: Final = 0.2  # seconds between two updates


@contextmanager
def show_progress(console: Console) -> Generator[Tell, None, None]:
    """Give what writes the line; where there is no terminal, it does nothing."""
    if not console.is_terminal:
        yield str
        return
    start = perf_counter()
    shown, phase = -PAUSE, ""
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def tell(text: str) -> None:
            nonlocal shown, phase
            spent, before = perf_counter() - start, phase
            phase = text.partition(":")[0]
            if phase != before or spent - shown >= PAUSE:
                shown = spent
                live.update(Text(f"{spent:4.0f} s  {text}"), refresh=True)

        yield tell
