"""``python -m tests.bench``: measure, print a table.

Status 0 says only that it ran, unless ``--strict``.
"""

from __future__ import annotations

import argparse
import sys

import trio
from rich.console import Console

from .effort import FULL, ONCE, QUICK
from .progress import show_progress
from .report import Report
from .run import measure
from .table import show

__all__ = ["main"]


def main() -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument("--quick", action="store_true", help="few repetitions, below 40 seconds")
    amount.add_argument("--once", action="store_true", help="only to see that everything runs")
    parser.add_argument("--offline", action="store_true", help="install nothing to compare with")
    parser.add_argument("--strict", action="store_true", help="status 1 when a goal was missed")
    options = parser.parse_args()
    effort = QUICK if options.quick else ONCE if options.once else FULL
    with show_progress(Console(stderr=True)) as tell:

        async def run() -> Report:
            return await measure(effort, tell, install=not options.offline)

        report = trio.run(run)
    if options.json:
        print(report.as_json())
    else:
        show(report, Console())
    return 1 if report.missed and options.strict else 0


sys.exit(main())
