"""A command in a container: a root on tmpfs, processes and network of its own.

Works as an ordinary user where user namespaces are allowed.
"""

from __future__ import annotations

from pathlib import Path

import trio

from rsyscall_ns import PIPE, BindMount, Container, DevMount, MountDescription, TmpfsMount

SYSTEM = [name for name in ("/usr", "/bin", "/lib", "/lib64") if Path(name).exists()]
MOUNTS: list[MountDescription] = [
    TmpfsMount("/", size="1m"),
    *(BindMount(name, readonly=True) for name in SYSTEM),
    DevMount(),
    TmpfsMount("/home", mode=0o700),
]
SCRIPT = """
echo "I am $(id -u) on $(hostname), process $$, in $(pwd)"
ls /
touch /usr/file 2>/dev/null || echo "/usr can't be written"
"""


async def main() -> None:
    """Run a script in it, and show what it says."""
    container = Container(
        ["sh", "-c", SCRIPT],
        all=True,
        map_zero=True,
        hostname="box",
        mounts=MOUNTS,
        workdir="/home",
        stdout=PIPE,
    )
    done = (await container.run()).check()
    assert done.stdout is not None
    print(done.stdout.decode(), end="")


if __name__ == "__main__":
    trio.run(main)
