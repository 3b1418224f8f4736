"""Writes docs/calls.md: every system call, where it is at home, since when, and what tests it.

Where a call is at home is read out of the source: a method that makes it, itself or by functions
of its module. Use: ``python -m tests.meta.call_page``.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import rsyscall_ns
from rsyscall_ns.near.nr.table import Row, rows
from rsyscall_ns.tasks.groups import GROUPS, HOME
from tests.meta.tree import ROOT
from tests.support.recorded import recorded_tests

__all__ = ["PAGE", "SAME", "homes", "main", "render"]

PAGE: Final = ROOT / "docs" / "calls.md"
SOURCES: Final = ("handle", "tasks")
SHOWN: Final = 3  # homes of one call
ENTRIES: Final = ("__init__", "__enter__", "__aenter__")
NEAR_TEST: Final = "tests/near/calls/test_every_call.py"
# what newer calls do as well: on objects they are made by those
SAME: Final = {
    "accept": "accept4",
    "access": "faccessat2",
    "adjtimex": "clock_adjtime",
    "alarm": "setitimer",
    "chmod": "fchmodat",
    "chown": "fchownat",
    "creat": "openat",
    "dup": "fcntl",
    "dup2": "dup3",
    "epoll_create": "epoll_create1",
    "epoll_pwait": "epoll_pwait2",
    "epoll_wait": "epoll_pwait2",
    "eventfd": "eventfd2",
    "faccessat": "faccessat2",
    "fchmodat2": "fchmodat",
    "futimesat": "utimensat",
    "getdents": "getdents64",
    "exit": "exit_group",
    "getpgrp": "getpgid",
    "getrlimit": "prlimit64",
    "gettimeofday": "clock_gettime",
    "inotify_init": "inotify_init1",
    "lchown": "fchownat",
    "link": "linkat",
    "lstat": "newfstatat",
    "mkdir": "mkdirat",
    "mknod": "mknodat",
    "nanosleep": "clock_nanosleep",
    "newfstatat": "statx",
    "open": "openat",
    "pause": "rt_sigsuspend",
    "pipe": "pipe2",
    "poll": "ppoll",
    "preadv": "preadv2",
    "pselect6": "ppoll",
    "pwritev": "pwritev2",
    "readlink": "readlinkat",
    "rename": "renameat2",
    "renameat": "renameat2",
    "rmdir": "unlinkat",
    "select": "ppoll",
    "setrlimit": "prlimit64",
    "settimeofday": "clock_settime",
    "signalfd": "signalfd4",
    "stat": "newfstatat",
    "symlink": "symlinkat",
    "time": "clock_gettime",
    "tkill": "tgkill",
    "unlink": "unlinkat",
    "ustat": "statfs",
    "utime": "utimensat",
    "utimes": "utimensat",
    "wait4": "waitid",
}
INSTEAD: Final = {
    "getpid": "`task.process.near`, without a call",
    "rseq": "nowhere: only code that runs in the thread can use it",
}
HEAD: Final = """# All system calls

Made by a script from the table of all system calls, the source, and what the tests were seen to
make; a test compares.

Every call has a typed function in `rsyscall_ns.near.calls`, which takes near ids; each of those
is tested where it reaches the kernel (`{near_test}`). *At home*
is where it is on objects: a method of an fd kind, of a process, or of a group of the task; or
which other call does the same there. *Tested by* is one test that makes the call for real.
{count} calls have a home on objects.

| call | since Linux | near | at home | tested by |
|---|---|---|---|---|
"""
GONE: Final = """
## Calls without a function

| call | why |
|---|---|
"""


class Uses(ast.NodeVisitor):
    """The calls that one function makes, and the names of functions and classes that it uses."""

    def __init__(self) -> None:
        self.calls: set[str] = set()
        self.names: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note ``SYS.x``, ``near_y.x``, ``self.x``."""
        if isinstance(node.value, ast.Name):
            if node.value.id == "SYS" or node.value.id.startswith("near"):
                self.calls.add(node.attr)
            elif node.value.id in {"self", "cls"}:
                self.names.add(node.attr)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """Note the name of a function or a class."""
        self.names.add(node.id)


class Module:
    """What one module has: functions, what is based on what, and what it imports from others."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.uses: dict[str, Uses] = {}
        self.short: dict[str, list[str]] = defaultdict(list)
        self.bases: dict[str, list[str]] = {}
        self.imports: dict[str, tuple[str, str]] = {}  # a name is which name of which module
        package = path.relative_to(ROOT).parent.parts
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                above = package[: len(package) + 1 - node.level] if node.level else ()
                origin = ".".join((*above, *filter(None, [node.module])))
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = (origin, alias.name)
            elif isinstance(node, ast.ClassDef):
                self.bases[node.name] = [
                    base.id for base in node.bases if isinstance(base, ast.Name)
                ]
        for name, function in functions(tree):
            if name not in self.uses:
                self.short[name.rpartition(".")[2]].append(name)
            self.uses.setdefault(name, Uses()).visit(function)


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of a module, and the methods of its classes as ``Class.method``."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def used_by(modules: dict[str, Module], where: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the functions that a name stands for, in its module or where that has it from."""
    module = modules.get(where)
    if module is None:
        return
    for full in module.short[name]:
        # what another public method does is at home there
        if name.startswith("_") or "." not in full:
            yield where, full
    yield from entries(modules, where, name)
    if name in module.imports:
        origin, there = module.imports[name]
        if origin in modules and there in modules[origin].uses:
            yield origin, there
        yield from entries(modules, origin, there)


def entries(modules: dict[str, Module], where: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield what the use of a class runs: its making, and the beginning of its block."""
    module = modules.get(where)
    if module is None or kind not in module.bases:
        return
    for method in ENTRIES:
        if f"{kind}.{method}" in module.uses:
            yield where, f"{kind}.{method}"
    for base in module.bases[kind]:
        origin, there = module.imports.get(base, (where, base))
        yield from entries(modules, origin, there)


def all_made() -> dict[tuple[str, str], set[str]]:
    """Return which calls each function of each module makes, also by others that it uses."""
    modules: dict[str, Module] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / "rsyscall_ns" / folder).rglob("*.py")):
            modules[".".join(path.relative_to(ROOT).with_suffix("").parts)] = Module(path)
    made: dict[tuple[str, str], set[str]] = {}
    edges: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for where, module in modules.items():
        for name, found in module.uses.items():
            made[where, name] = set(found.calls)
            edges[where, name] = {
                used for other in found.names for used in used_by(modules, where, other)
            }
    changed = True
    while changed:
        changed = False
        for key, others in edges.items():
            for other in others:
                changed |= not made[other] <= made[key]
                made[key] |= made[other]
    return made


def homes() -> dict[str, list[str]]:
    """Return the public methods that make each call."""
    found: dict[str, list[str]] = defaultdict(list)
    labels = public()
    for (_, name), calls in all_made().items():
        kind, _, method = name.rpartition(".")
        if kind not in labels or (method.startswith("_") and method != "__aenter__"):
            continue
        for call in calls:
            found[call].append(f"{labels[kind]}.{method}")
    return {
        call: sorted(set(names), key=lambda one: order(call, one)) for call, names in found.items()
    }


def public() -> dict[str, str]:
    """Return what a user calls a class: one that is only based on has the name of its heir."""
    exported = [(getattr(rsyscall_ns, name), name) for name in dir(rsyscall_ns)]
    exported += [
        (getattr(import_module(HOME + module), kind), f"task.{group}")
        for group, (module, kind) in GROUPS.items()
    ]
    nearest: dict[str, tuple[int, str]] = {}
    for kind, label in exported:
        for far, base in enumerate(kind.__mro__ if isinstance(kind, type) else ()):
            nearest[base.__name__] = min(nearest.get(base.__name__, (far, label)), (far, label))
    return {name: label for name, (_, label) in nearest.items()}


def order(call: str, home: str) -> tuple[bool, bool, str]:
    """Order homes: those that have the call's own name come first."""
    method = home.rpartition(".")[2]
    plain = call.rstrip("0123456789")
    stem = plain.removesuffix("at")
    return method.rstrip("0123456789") not in {stem, plain}, stem not in method, home


def line(row: Row, at_home: list[str], test: str) -> str:
    """Return one line of the table."""
    own = [home for home in at_home if not order(row.name, home)[0]] or at_home[:SHOWN]
    more = len(at_home) - len(own)
    shown = ", ".join(f"`{home}`" for home in own) + (f", {more} more" if more else "")
    if not shown and row.name in SAME:
        shown = f"as `{SAME[row.name]}`"
    shown = INSTEAD.get(row.name, shown)
    since = "1.0 or before" if row.since == "1.0" else row.since
    short = f"`{test.removeprefix('tests/')}`" if test else "near"
    return f"| `{row.name}` | {since} | `near.calls.{row.family}` | {shown} | {short} |\n"


def render() -> str:
    """Return the whole page."""
    found, tests = homes(), recorded_tests()
    there = [row for row in rows().values() if row.family]
    count = sum(row.name in found for row in there)
    lines = [
        line(row, found.get(row.name, []), tests.get(row.name, ""))
        for row in sorted(there, key=lambda row: row.name)
    ]
    gone = [f"| `{row.name}` | {row.effect} |\n" for row in rows().values() if not row.family]
    return (
        HEAD.format(near_test=NEAR_TEST, count=count)
        + "".join(lines)
        + GONE
        + "".join(sorted(gone))
    )


def main() -> None:
    """Write it."""
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
