"""A program for tests that root runs, in a mount namespace: an ordinary user that has id ranges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import trio

from rsyscall_ns import (
    PIPE,
    STDOUT,
    SYS,
    Bridge,
    Completed,
    Container,
    Network,
    Program,
    RsyscallError,
    open_local_task,
    open_network,
)
from rsyscall_ns.near.abi.prctl_h import PR
from tests.support.census import nothing_left

__all__ = ["FIRST", "MAPS", "REFUSED", "USER"]

USER: Final = 54321
REFUSED: Final = 77  # the exit status where there is no such user
FIRST: Final = 700_000
MAPS: Final = {
    "own": f"0 {USER} 1,1 {FIRST} 1000",
    "others": f"0 {FIRST} 1000",
    "stranger": f"0 {USER} 1,1 {FIRST + 60_000} 6000",
}
SHOW: Final = "cat /proc/self/uid_map; id -u; id -G; setpriv --clear-groups true && echo cleared"


async def show(id_map: str, network: Network | None = None) -> str:
    """Run a container with a map; returns what it tells, or the error."""
    command = ["sh", "-c", SHOW]
    with nothing_left():
        try:
            c = Container(
                command,
                user=True,
                net=network is not None,
                network=network,
                uid_map=id_map,
                gid_map=id_map,
                stdout=PIPE,
                stderr=STDOUT,
            )
            done: Completed = await c.run()
        except RsyscallError as error:
            return f"{type(error).__name__} {error}"
    assert done.stdout is not None
    return done.stdout.decode()


async def show_plugged(id_map: str) -> str:
    """Do the same with a container on a network."""
    async with open_network(Bridge("br0", ["10.77.0.1/24"])) as net:
        return await show(id_map, Network([net["br0"].port()]))


async def warm() -> None:
    """Have Python import what it will need: it may lie where an ordinary user can't read it."""
    await show("0 0 1")
    if find_spec("pyroute2") is not None:
        await show_plugged("0 0 1")
    async with open_local_task() as local:
        for fd in await local.fs.pipe2():
            await fd.close()
        async with local.spawn(own_memory=True, inherit=[]) as child:
            await child.run(Program())


async def main() -> dict[str, str]:
    async with open_local_task() as local:
        # who has changed his ids by hand is not dumpable, which an ordinary user's programs are
        await local.sysif.call(SYS.prctl, PR.SET_DUMPABLE, 1)
    seen = {name: await show(id_map) for name, id_map in MAPS.items()}
    if find_spec("pyroute2") is not None:
        seen |= {f"plugged {name}": await show_plugged(MAPS[name]) for name in MAPS}
    return seen


def be_root(folder: Path) -> None:
    """Give the user a name and ranges, in this mount namespace alone."""
    known = Path("/etc/passwd").read_text(encoding="utf-8")
    (folder / "passwd").write_text(f"{known}ranger:x:{USER}:{USER}::/:/bin/sh\n")
    subprocess.run(["mount", "--bind", str(folder / "passwd"), "/etc/passwd"], check=True)
    text = f"somebody:1:1\n{USER}:{FIRST}:65536\nbad line\n"
    (folder / "ranges").write_text(text)
    for name in ("/etc/subuid", "/etc/subgid"):
        subprocess.run(["mount", "--bind", str(folder / "ranges"), name], check=True)


if __name__ == "__main__":
    be_root(Path(sys.argv[1]))
    trio.run(warm)
    try:
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    except OSError:
        sys.exit(REFUSED)
    os.chdir("/")
    print(json.dumps(trio.run(main)))  # noqa: T201 - the answer
