"""Writes the modules of this package: a function for each system call, from the table of them all.

Owns how the kernel's parameters become near ids and ints. A test runs it again and compares.
Use: ``python -m rsyscall_ns.near.calls.generate``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from rsyscall_ns.near.nr.signatures import Parameter, Signature, signatures
from rsyscall_ns.near.nr.table import Row, rows

__all__ = ["main", "modules", "render"]

HERE: Final = Path(__file__).parent
WIDTH: Final = 100
INDENT: Final = "    "
TITLES: Final = {
    "attr": "what files are: owners, modes, times, quotas",
    "clock": "time and timers",
    "cred": "who the process is: ids, capabilities, keys",
    "events": "fds that tell of events",
    "fd": "fds of any kind, and making some",
    "host": "the machine, its kernel, and restrictions",
    "ipc": "queues, semaphores, shared memory, async I/O",
    "mem": "memory",
    "mount": "mounts",
    "net": "sockets",
    "path": "paths and directories",
    "process": "processes and threads",
    "rw": "reading and writing",
    "scheduling": "who runs when, how much, and futexes",
    "signals": "signals",
    "xattr": "extended attributes",
}
# what the names and C types of parameters don't tell
WORKING_DIRECTORY: Final = {"dfd", "olddfd", "newdfd", "from_dfd", "to_dfd", "mountdirfd"}
NO_FD: Final = {
    ("mmap", "fd"),
    ("signalfd", "ufd"),
    ("signalfd4", "ufd"),
    ("perf_event_open", "group_fd"),
    ("kexec_file_load", "initrd_fd"),
}
FDS: Final = {("dup2", "newfd"), ("dup3", "newfd")}
NUMBERS: Final = {  # not one fd, or not one process
    ("close_range", "fd"),
    ("kill", "pid"),
    ("wait4", "upid"),
    ("waitid", "upid"),
    ("perf_event_open", "pid"),
}
GROUPS: Final = {("setpgid", "pgid")}
PROCESSES: Final = {("ptrace", "pid"), ("get_robust_list", "pid")}
# addresses that are declared as words
PLACES: Final = {"addr", "start", "new_addr", "brk", "newsp"}
SURE: Final = {"getuid", "geteuid", "getgid", "getegid", "getpid", "gettid", "getppid"}
SHORT: Final = {"modify_ldt"}  # whose result has 32 bits only
RETURNS: Final = {
    "none": "None",
    "int": "int",
    "fd": "FileDescriptor",
    "pid": "Process",
    "pgid": "ProcessGroup",
    "address": "Address",
}
IDS: Final = ("Address", "FileDescriptor", "Process", "ProcessGroup")
HELPERS: Final = (
    "at",
    "c_mode",
    "c_offset",
    "c_size",
    "c_word",
    "checked",
    "checked32",
    "id_of",
    "int32",
    "number_of",
    "or_cwd",
    "or_none",
)
CONVERTERS: Final = {
    "size_t": "c_size",
    "loff_t": "c_offset",
    "off_t": "c_offset",
    "umode_t": "c_mode",
}


def typed(call: str, parameter: Parameter) -> tuple[str, str]:  # noqa: PLR0911 - one for each kind
    """Return the type of a parameter, and the expression that the kernel is given."""
    name, c_type = parameter.name, parameter.c_type.removeprefix("const ")
    key = call, name
    if key in NUMBERS:
        return "int", f'int32("{name}", {name})'
    if name in WORKING_DIRECTORY or key == ("execveat", "fd"):
        return "FileDescriptor | None", f"or_cwd({name})"
    if key in NO_FD:
        return "FileDescriptor | None", f"or_none({name})"
    if parameter.fd or key in FDS:
        return "FileDescriptor", f"{name}.number"
    if key in GROUPS:
        return "ProcessGroup | None", f"id_of({name})"
    if c_type == "pid_t" or key in PROCESSES:
        return "Process | None", f"id_of({name})"
    if parameter.pointer or (c_type == "unsigned long" and name in PLACES and call != "ptrace"):
        return "Address | None", f"at({name})"
    wide = "c_word" if parameter.address else "int32"
    return "int", f'{CONVERTERS.get(c_type, wide)}("{name}", {name})'


def laid_out(head: str, items: list[str], tail: str, indent: str = "") -> list[str]:
    """Return a call or definition as the formatter of the project breaks it."""
    one = f"{indent}{head}({', '.join(items)}){tail}"
    if len(one) <= WIDTH:
        return [one]
    inner = f"{indent}{INDENT}{', '.join(items)}"
    if len(inner) <= WIDTH:
        return [f"{indent}{head}(", inner, f"{indent}){tail}"]
    return [f"{indent}{head}(", *(f"{indent}{INDENT}{item}," for item in items), f"{indent}){tail}"]


def docstring(row: Row) -> list[str]:
    """Return the lines of a function's docstring."""
    page = f"``{row.page}(2)``."
    one = f'{INDENT}"""{row.effect} {page}"""'
    if len(one) <= WIDTH:
        return [one]
    return [f'{INDENT}"""{row.effect}', "", f"{INDENT}{page}", f'{INDENT}"""']


def function(row: Row, known: Signature) -> list[str]:
    """Return the lines of one function."""
    parameters = ["sysif: SyscallInterface"]
    both = row.x86_64 is not None and row.aarch64 is not None
    values = ["sysif", f"SYS.{row.name}" if both else f'number_of("{row.name}")']
    for place, parameter in enumerate(known.parameters):
        if parameter.name == "pos_l":  # 64-bit kernels take the whole offset from the low word
            parameters.append("offset: int")
            values += ['c_offset("offset", offset)', "0"]
        elif parameter.name != "pos_h":
            type_, value = typed(row.name, parameter)
            default = "" if place < known.least else " = None" if "None" in type_ else " = 0"
            parameters.append(f"{parameter.name}: {type_}{default}")
            values.append(value)
    result = RETURNS[row.returns]
    lines = laid_out(f"async def {row.name}", parameters, f" -> {result}:")
    lines += docstring(row)
    if row.name in SURE:
        call = f"await sysif.call(SYS.{row.name})"
        wrapped = call if result == "int" else f"{result}({call})"
        return [*lines, f"{INDENT}return {wrapped}  # can't fail"]
    start = {"None": "await checked", "int": "return await checked"}.get(
        result, "made = await checked"
    ) + ("32" if row.name in SHORT else "")
    lines += laid_out(start, values, "", INDENT)
    if start.startswith("made"):
        lines.append(f"{INDENT}return {result}(made)")
    return lines


def imports(body: str) -> list[str]:
    """Return the imports that a module's functions need."""

    def used(names: tuple[str, ...]) -> str:
        return ", ".join(name for name in names if re.search(rf"\b{name}\b", body))

    ids = used(IDS)
    lines = [f"from rsyscall_ns.near.ids import {ids}"] if ids else []
    lines.append("from rsyscall_ns.near.interface import SyscallInterface")
    if "SYS." in body:
        lines.append("from rsyscall_ns.near.nr import SYS")
    return [*lines, "", f"from .base import {used(HELPERS)}"]


def render(family: str, calls: list[Row]) -> str:
    """Return the source of one module."""
    known = signatures()
    functions = ["\n".join(function(row, known[row.name])) for row in calls]
    names = [f'{INDENT}"{name}",' for name in sorted(row.name for row in calls)]
    body = "\n\n\n".join(functions)
    head = [
        f'"""Thin calls: {TITLES[family]}. Made by generate.py; do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        *imports(body),
        "",
        "__all__ = [",
        *names,
        "]",
    ]
    return "\n".join(head) + "\n\n\n" + body + "\n"


def modules() -> dict[str, str]:
    """Return the sources of all modules, by file name."""
    families: dict[str, list[Row]] = {}
    for row in rows().values():
        if row.family:
            families.setdefault(row.family, []).append(row)
    return {f"{family}.py": render(family, calls) for family, calls in sorted(families.items())}


def main() -> None:
    """Write them."""
    for name, source in modules().items():
        (HERE / name).write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main()
