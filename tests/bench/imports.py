"""What importing the package adds to importing trio, in an interpreter of its own each time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from .measure import Case, Goal, Row, one, ready

__all__ = ["import_cases"]

GROUP: Final = "import"
MOST: Final = 40  # ms
MOST_OF_A_GROUP: Final = 10  # ms, for which its first use holds the event loop
GROUPS: Final = ("fds", "fs", "io_uring", "net")  # those that bring most along
PROGRAM: Final = """\
from time import perf_counter
{before}
start = perf_counter()
{measured}
print(perf_counter() - start)
"""


def taken(before: str, measured: str) -> float:
    """Return how long statements take in a new interpreter, after others."""
    program = PROGRAM.format(before=before, measured=measured)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return float(done.stdout)


def import_cases() -> Sequence[Case]:
    """Return the cases."""

    def case(key: str, title: str, before: str, measured: str, *goals: Goal) -> Case:
        reference = None if key == "import/trio" else "import/trio"
        short = key.partition("/")[2]
        sample = ready(partial(taken, before, measured))
        return one(Row(key, GROUP, title, "ms", short, reference, goals), sample)

    opened = "from rsyscall_ns import open_local_task"
    every = "import rsyscall_ns\nfor name in rsyscall_ns.__all__: getattr(rsyscall_ns, name)"
    return [
        case(
            "import/package", "import rsyscall_ns", "import trio", "import rsyscall_ns", Goal(MOST)
        ),
        case("import/task", opened, "import trio", opened, Goal(MOST)),
        *(
            case(
                f"import/{group}",
                f"first use of task.{group}",
                opened,
                f"import rsyscall_ns.handle.calls.{group}",
                Goal(MOST_OF_A_GROUP),
            )
            for group in GROUPS
        ),
        case("import/all", "every public name", "import trio", every),
        case("import/trio", "import trio, itself", "", "import trio"),
    ]
