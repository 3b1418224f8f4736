"""Compiles the C and assembly of rsyscall_ns.

Owns how each part is compiled: our own C with strict warnings and, for the server, with every
feature off that could touch thread-local storage or a C library; the C that cffi generates
without warnings. Knows nothing of packaging: the build hook beside it calls :func:`build`.

Run as a script it leaves ``rsyscall_ns/_ffi.abi3.so`` and ``rsyscall_ns/stub.elf`` in the source
tree.
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

__all__ = ["STUB", "build", "compile_objects", "link_stub"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULE = "rsyscall_ns._ffi"
EXTENSION = "_ffi.abi3.so"
STUB = "stub.elf"

STRICT = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion", "-Wundef"]
COMMON = ["-O2", "-fPIC", "-fvisibility=hidden"]
FREESTANDING = [
    "-ffreestanding",
    "-fno-builtin",
    "-fno-stack-protector",
    "-fno-tree-loop-distribute-patterns",
    "-U_FORTIFY_SOURCE",
]
# one segment with headers, code and constants: there is nothing to be written to
STATIC = [
    "-static",
    "-no-pie",
    "-nostdlib",
    "-Wl,--build-id=none,--gc-sections,--strip-all,--fatal-warnings,-z,noseparate-code",
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


def link_stub(compiler: list[str], machine: str, objects: Path, target: Path) -> Path:
    """Link the server, compiled for ``machine`` into ``objects``, as a program of its own."""
    server = HERE / "server"
    flags = [*COMMON, *STRICT, *FREESTANDING, *FREESTANDING_ON[machine]]
    flags.append("-fno-asynchronous-unwind-tables")  # nobody unwinds a program without symbols
    own: list[Path] = []
    for name in ("stub.c", "init.c", f"start_{machine}.S"):
        source = server / name
        made = target / f"{source.stem}.o"
        extra = flags if source.suffix == ".c" else COMMON
        subprocess.run([*compiler, *extra, "-c", str(source), "-o", str(made)], check=True)
        own.append(made)
    linked = [*own, objects / "server.o", objects / f"entry_{machine}.o"]
    made = target / STUB
    subprocess.run([*compiler, *STATIC, *map(str, linked), "-o", str(made)], check=True)
    return made


def put(made: Path, final: Path) -> Path:
    """Put a file in place as a new inode: who has the old one mapped goes on undisturbed."""
    fresh = final.with_suffix(".new")
    fresh.write_bytes(made.read_bytes())
    fresh.chmod(0o755)
    return fresh.replace(final)


def build(root: Path = ROOT) -> list[Path]:
    """Build the extension and the stub into ``root/rsyscall_ns``; returns their paths."""
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
        extension = Path(ffi.compile(tmpdir=name, target=EXTENSION))
        stub = link_stub(compiler, os.uname().machine, work, work)
        package = root / "rsyscall_ns"
        return [put(stub, package / STUB), put(extension, package / EXTENSION)]


if __name__ == "__main__":
    print(*build(), sep="\n")
