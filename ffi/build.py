"""Compiles the C and assembly of rsyscall_ns.

Owns how each part is compiled: our own C with strict warnings and, for the server, with every
feature off that could touch thread-local storage or a C library; the C that cffi generates
without warnings. Knows nothing of packaging: the build hook beside it calls :func:`build`.

Run as a script it leaves ``rsyscall_ns/_ffi.abi3.so`` in the source tree.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from cffi import FFI

__all__ = ["build", "compile_objects"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULE = "rsyscall_ns._ffi"

STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wundef"]
COMMON = ["-O2", "-fPIC", "-fvisibility=hidden"]
FREESTANDING = [
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-tree-loop-distribute-patterns",
    "-U_FORTIFY_SOURCE",
]
# aarch64 compilers call a helper of their library for atomics, and it reads a global
FREESTANDING_ON = {"x86_64": [], "aarch64": ["-mno-outline-atomics"]}


def compile_objects(compiler: list[str], machine: str, target: Path) -> list[Path]:
    """Compile the server and the host side for ``machine`` into ``target``."""
    entry = HERE / "server" / f"entry_{machine}.S"
    if not entry.exists():
        supported = sorted(path.stem.removeprefix("entry_") for path in entry.parent.glob("*.S"))
        sys.exit(f"rsyscall_ns has no server for {machine}; it supports {', '.join(supported)}")
    units = [
        (
            HERE / "server" / "server.c",
            [*COMMON, *STRICT, *FREESTANDING, *FREESTANDING_ON[machine]],
        ),
        (entry, COMMON),
        *((HERE / "host" / name, [*COMMON, *STRICT]) for name in ("host.c", "launch.c")),
    ]
    objects: list[Path] = []
    for source, flags in units:
        made = target / f"{source.stem}.o"
        subprocess.run([*compiler, *flags, "-c", str(source), "-o", str(made)], check=True)
        objects.append(made)
    return objects


def build(root: Path = ROOT) -> Path:
    """Build the extension into ``root/rsyscall_ns``; returns its path."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        objects = compile_objects(compiler, os.uname().machine, work)
        ffi = FFI()
        for name_of_part in ("shapes", "calls"):
            ffi.cdef((HERE / "decl" / f"{name_of_part}.h").read_text())
        ffi.set_source(
            MODULE,
            '#include "host/host.h"',
            include_dirs=[str(HERE)],
            extra_objects=[str(path) for path in objects],
            py_limited_api=True,
        )
        made = Path(ffi.compile(tmpdir=name, target="_ffi.abi3.so"))
        final = root / "rsyscall_ns" / "_ffi.abi3.so"
        # a new inode: an interpreter that has the old one mapped goes on undisturbed
        fresh = final.with_suffix(".new")
        fresh.write_bytes(made.read_bytes())
        fresh.chmod(0o755)
        fresh.replace(final)
    return final


if __name__ == "__main__":
    print(build())
