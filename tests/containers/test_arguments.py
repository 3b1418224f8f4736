"""The arguments of a container: every name, and what is refused with a named error."""

from __future__ import annotations

from typing import cast

import pytest

from rsyscall_ns import (
    CLONE,
    PIPE,
    ArgumentRangeError,
    Chroot,
    CloneFlagsError,
    Container,
    ContainerArgumentError,
    PathError,
    ProcMount,
    TmpfsMount,
)
from rsyscall_ns.containers.options import KINDS, SHARED, Arguments, Options

CAN = {"vm", "fs", "ptrace", "sysvsem", "untraced", "io"}
EVERY = {kind: flag for kind, (_, flag) in KINDS.items()}


def parse(**given: object) -> Options:
    """Parse arguments whose names are known only now."""
    return Options.parse(cast("Arguments", given))


@pytest.mark.parametrize("kind", EVERY)
def test_both_spellings_set_the_flag(kind: str) -> None:
    alias, flag = KINDS[kind]

    assert parse(**{kind: True}).flags == parse(**{alias: True}).flags == flag
    assert parse(all=True, **{alias: False}).flags == parse(all=True, **{kind: False}).flags
    assert flag not in parse(all=True, **{kind: False}).flags
    assert parse(**{kind: None, alias: True}).flags == flag
    with pytest.raises(ContainerArgumentError, match=alias):
        parse(**{kind: True, alias: False})


def test_all_is_all_eight() -> None:
    assert len(EVERY) == 8
    wanted = CLONE(0)
    for flag in EVERY.values():
        wanted |= flag
    assert parse(all=True).flags == wanted


@pytest.mark.parametrize("value", ["/proc/1/ns/net", 5, "yes"])
def test_a_namespace_is_made_or_not(value: object) -> None:
    with pytest.raises(ContainerArgumentError, match="True, False or None"):
        parse(net=value)


@pytest.mark.parametrize("name", sorted(CAN))
def test_what_can_be_shared_is(name: str) -> None:
    assert SHARED[name] in parse(**{name: True}).flags


@pytest.mark.parametrize("name", sorted(CAN))
async def test_what_is_shared_does_no_harm(name: str) -> None:
    given = cast("Arguments", {name: True, "stdout": PIPE})

    assert (await Container(["echo", "hello"], **given).run()).stdout == b"hello\n"


@pytest.mark.parametrize("name", sorted(SHARED.keys() - CAN))
def test_flags_that_can_not_work_are_refused(name: str) -> None:
    with pytest.raises(CloneFlagsError):
        parse(**{name: True})
    with pytest.raises(CloneFlagsError):
        parse(flags=SHARED[name])


@pytest.mark.parametrize(
    "given",
    [
        {"fs": True, "workdir": "/"},
        {"fs": True, "rootdir": "/"},
        {"fs": True, "user": True},
        {"fs": True, "mnt": True},
        {"sysvsem": True, "ipc": True},
        {"flags": CLONE(1 << 40)},
    ],
    ids=str,
)
def test_flags_that_exclude_each_other_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(CloneFlagsError):
        parse(**given)


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(ContainerArgumentError, match="hostnam"):
        parse(hostnam="box")


def test_a_host_name_needs_a_namespace_and_fits() -> None:
    with pytest.raises(ContainerArgumentError, match="uts=True"):
        parse(hostname="box")
    with pytest.raises(PathError, match="64"):
        parse(uts=True, hostname="x" * 65)
    with pytest.raises(PathError):
        parse(uts=True, hostname="a\0b")
    assert parse(uts=True, hostname="x" * 64).hostname == b"x" * 64


def test_proc_comes_with_pid_and_mnt_at_the_place_that_is_named() -> None:
    assert parse(pid=True, mnt=True).mounts == (ProcMount(),)
    assert parse(pid=True, mnt=True, proc=False).mounts == ()
    assert parse(pid=True, mnt=True, proc="/p").mounts == (ProcMount("/p"),)
    assert parse(mnt=True).mounts == ()
    assert parse(mnt=True, proc=True).mounts == (ProcMount(),)
    own = ProcMount(readonly=True)
    assert parse(pid=True, mnt=True, mounts=[own]).mounts == (own,)
    with pytest.raises(ContainerArgumentError, match="mnt=True"):
        parse(pid=True, proc=True)


def test_a_root_is_given_once() -> None:
    with pytest.raises(ContainerArgumentError, match="root already"):
        parse(mnt=True, rootdir="/usr", mounts=[TmpfsMount("/")])
    chroot = Chroot("/usr", ["true"], mnt=True)
    assert chroot.options.rootdir == "/usr"
    assert [mount.place for mount in chroot.options.mounts] == ["/"]
    assert Chroot("/usr", ["true"]).options.chroot == "/usr"


@pytest.mark.parametrize("name", ["rootdir", "workdir"])
@pytest.mark.parametrize("value", ["", "a\0b"])
def test_paths_that_are_none_are_refused(name: str, value: str) -> None:
    with pytest.raises(PathError):
        parse(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("stdin", -2), ("stdout", -4), ("stderr", 2**31)])
def test_numbers_that_are_no_fds_are_refused(name: str, value: int) -> None:
    with pytest.raises(ArgumentRangeError, match=name):
        parse(**{name: value})


@pytest.mark.parametrize("value", [True, 1.5, object()])
def test_what_is_no_stream_is_refused(value: object) -> None:
    with pytest.raises(ContainerArgumentError, match="stdout"):
        parse(stdout=value)
