"""2022-24769 (capabilities) and no_new_privs: what a command may do, and can get by exec."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest
from attrs import evolve

from rsyscall_ns import (
    CAP,
    PIPE,
    SYS,
    ChildTask,
    Container,
    ContainerArgumentError,
    ContainerSetupError,
    Task,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.children import IS_ROOT
from tests.support.roots import ROOT

STATUS: Final = ["cat", "/proc/self/status"]
WORDS: Final = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
LAST: Final = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
ALL: Final = (1 << LAST + 1) - 1
OWN: Final = Path("/proc/self/status").read_text(encoding="ascii")
BEFORE: Final = OWN.partition("NoNewPrivs:")[2].split()[0]
TWO: Final = CAP.NET_ADMIN | CAP.SYS_CHROOT


class Hooked(Container):
    """One that is made in steps."""

    async def preexec(self, task: ChildTask) -> None:
        await task.cred.getuid()


async def status(container: Container) -> dict[str, str]:
    done = await container.run()
    assert done.exitcode == 0
    lines = [line.partition(":") for line in done.stdout.decode().splitlines()]
    return {name: value.strip() for name, _, value in lines}


async def sets(container: Container) -> tuple[int, ...]:
    found = await status(container)
    return tuple(int(found[name], 16) for name in WORDS)


WAYS: Final = [
    pytest.param(way, init, id=f"{way.__name__}, {'init' if init else 'alone'}")
    for way in (Container, Hooked)
    for init in (False, True)
]


@pytest.mark.parametrize(("way", "init"), WAYS)
async def test_nothing_is_inheritable_or_ambient_unless_asked_for(
    way: type[Container], *, init: bool
) -> None:
    for zero, permitted in ((True, ALL), (False, 0)):
        c = way(STATUS, user=True, pid=True, map_zero=zero, init=init, stdout=PIPE)
        if zero or not IS_ROOT:  # root stays root in there
            assert await sets(c) == (0, permitted, permitted, ALL, 0)


@pytest.mark.parametrize(("way", "init"), WAYS)
async def test_the_bounding_set_is_what_was_asked_for(way: type[Container], *, init: bool) -> None:
    for wanted in (TWO, CAP.NONE):
        c = way(
            STATUS,
            user=True,
            pid=True,
            map_zero=True,
            init=init,
            capabilities=wanted,
            stdout=PIPE,
        )
        assert await sets(c) == (0, wanted, wanted, wanted, 0)


@pytest.mark.parametrize(("way", "init"), WAYS)
async def test_who_is_not_root_has_what_was_to_be_kept(way: type[Container], *, init: bool) -> None:
    uid = f"5 {os.getuid()} 1"
    c = way(
        STATUS,
        user=True,
        pid=True,
        uid_map=uid,
        init=init,
        capabilities=TWO,
        keep_caps=True,
        stdout=PIPE,
    )
    assert await sets(c) == (TWO,) * 5
    c = way(STATUS, user=True, pid=True, uid_map=uid, init=init, capabilities=TWO, stdout=PIPE)
    assert await sets(c) == (0, 0, 0, TWO, 0)


async def test_all_can_be_kept() -> None:
    c = Container(STATUS, user=True, uid_map=f"5 {os.getuid()} 1", keep_caps=True, stdout=PIPE)
    assert await sets(c) == (ALL,) * 5


@pytest.mark.skipif(not IS_ROOT, reason="only root has capabilities that can be inheritable")
@pytest.mark.parametrize("way", [Container, Hooked])
async def test_what_the_caller_has_inheritable_stays_outside(
    local: Task, way: type[Container]
) -> None:
    async with local.spawn(own_memory=True) as child:
        had = await child.cred.capget()
        inheritable = CAP.NET_RAW if CAP.NET_RAW in had.permitted else CAP.CHOWN
        await child.cred.capset(evolve(had, inheritable=inheritable))
        raise_ = (SYS.prctl, 47, 2, int(inheritable).bit_length() - 1, 0, 0)
        assert await child.sysif.call(*raise_) == 0
        given: Arguments = {"mnt": True, "mounts": ROOT, "pid": True}
        script = "grep -E '^Cap(Inh|Amb)' /proc/self/status | grep -qv 0000000000000000 && exit 1"
        for confined in (True, False):
            more: Arguments = given if confined else {}
            c = way(["sh", "-c", f"{script}; exit 0"], task=child, **more)
            # without a root of its own it has all that the caller has
            assert (await c.run()).exitcode == (0 if confined else 1)


async def test_more_than_the_caller_has_is_refused_before_anything() -> None:
    with pytest.raises(ContainerArgumentError, match="lacks"):
        await Container(["true"], user=True, capabilities=CAP(1 << 60)).run()
    if not IS_ROOT:
        with pytest.raises(ContainerArgumentError, match="lacks"):
            await Container(["true"], capabilities=TWO).run()
        with pytest.raises(ContainerSetupError, match="user=True"):
            await Container(["true"], capabilities=CAP.NONE).run()


@pytest.mark.parametrize(("way", "init"), WAYS)
async def test_no_new_privs_is_set_for_confined_commands(
    way: type[Container], *, init: bool
) -> None:
    given: Arguments = {"user": True, "pid": True, "init": init, "stdout": PIPE}
    assert (await status(way(STATUS, **given)))["NoNewPrivs"] == "1"
    given["no_new_privs"] = False
    assert (await status(way(STATUS, **given)))["NoNewPrivs"] == BEFORE


async def test_no_new_privs_can_be_asked_for_without_any_namespace() -> None:
    assert (await status(Container(STATUS, no_new_privs=True, stdout=PIPE)))["NoNewPrivs"] == "1"
    if IS_ROOT:
        c = Container(STATUS, mnt=True, mounts=ROOT, pid=True, stdout=PIPE)
        assert (await status(c))["NoNewPrivs"] == "1"


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a file that is set-uid root")
async def test_a_setuid_binary_inside_stays_unprivileged(tmp_path: Path) -> None:
    program = tmp_path / "id"
    shutil.copy(shutil.which("id") or "/usr/bin/id", program)
    program.chmod(0o4755)
    command = ["setpriv", "--reuid=5", "--regid=5", "--clear-groups", str(program), "-u"]
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    found: list[bytes] = []
    for off in ({}, {"no_new_privs": False}):
        given: Arguments = {"user": True, "uid_map": "0 0 10", "gid_map": "0 0 10", "stdout": PIPE}
        given.update(off)  # type: ignore[typeddict-item] # it is one of them
        found.append((await Container(command, **given).run()).stdout)
    # the second is what the first would be without the protection
    assert found == [b"5\n", b"0\n"]
