"""spawn: every kind of namespace, and the id maps, as the kernel shows them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsyscall_ns import (
    AF,
    CLONE,
    SOCK,
    SYS,
    Command,
    IdMapNotAllowedError,
    NamespaceNotAllowedError,
    Process,
    SockaddrIn,
    Task,
)
from rsyscall_ns.near import ids
from rsyscall_ns.tasks.idmap import IdMapLike
from tests.support.census import nothing_left
from tests.support.children import IS_ROOT, shell, status_field
from tests.support.procfs import link, mountinfo, names_in

FILES = {
    "NEWNS": "mnt",
    "NEWUTS": "uts",
    "NEWNET": "net",
    "NEWIPC": "ipc",
    "NEWCGROUP": "cgroup",
    "NEWPID": "pid",
    "NEWUSER": "user",
}
BELIEFS = {"mnt": "mnt_namespace", "pid": "pid_namespace"}
ALONE = sorted(FILES)
USER_TOO = CLONE(0) if IS_ROOT else CLONE.NEWUSER
ALL = CLONE(sum(CLONE[flag] for flag in FILES))


def namespace(pid: int | str, kind: str) -> str:
    return link(pid, f"ns/{kind}")


def changed(pid: int) -> set[str]:
    """Return the flags whose namespaces a process does not share with us."""
    return {flag for flag, kind in FILES.items() if namespace(pid, kind) != namespace("self", kind)}


@pytest.mark.parametrize("kind", ALONE)
async def test_a_kind_alone_is_new_and_the_others_are_ours(local: Task, kind: str) -> None:
    flags = CLONE[kind] | USER_TOO
    async with local.spawn(flags) as child:
        assert changed(child.process.near.id) == {flag for flag in FILES if CLONE[flag] & flags}
        for flag, file in FILES.items():
            belief = BELIEFS.get(file, f"{file}_namespace")
            same = getattr(child, belief) is getattr(local, belief)
            assert same == (not CLONE[flag] & flags)


@pytest.mark.parametrize("kind", ALONE)
async def test_a_kind_together_with_a_user_namespace(local: Task, kind: str) -> None:
    async with local.spawn(CLONE[kind] | CLONE.NEWUSER) as child:
        assert changed(child.process.near.id) == {kind, "NEWUSER"}


async def test_all_kinds_that_a_serving_child_can_have_at_once(local: Task) -> None:
    with nothing_left(local):
        async with local.spawn(ALL) as child:
            assert changed(child.process.near.id) == set(FILES)
            assert await child.sysif.call(SYS.getpid) == 1
            await child.ns.sethostname("all-of-them")
            assert await child.ns.gethostname() == "all-of-them"
            await child.net.set_up("lo")
            await child.mount.mount("proc", "/proc", "proc")
            assert await child.fs.readlink("/proc/self") == "1"
    assert os.uname().nodename != "all-of-them"


async def test_a_time_namespace_is_had_or_refused_by_a_named_error(local: Task) -> None:
    refusal = ""
    with nothing_left(local):
        try:
            async with local.spawn(CLONE.NEWTIME | USER_TOO) as child:
                # for those that come after: the memory is shared, so it can't enter it itself
                had = link(child.process.near.id, "ns/time_for_children")
                assert had != link("self", "ns/time")
        except NamespaceNotAllowedError as error:
            refusal = str(error)
    assert refusal == "" or "NEWTIME" in refusal


async def test_the_first_of_a_pid_namespace_is_1_in_there(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWPID) as child:
        assert await child.sysif.call(SYS.getpid) == 1
        assert child.process.near.id != 1
        assert status_field(child.process.near.id, "NSpid").split()[-1] == "1"
        assert (await Process(child, ids.Process(1)).getpgid()).id == 0  # ours, not visible there


async def test_a_host_name_is_its_own_affair(local: Task) -> None:
    before = os.uname().nodename
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWUTS) as child:
        await child.ns.sethostname("inside")
        assert await child.ns.gethostname() == "inside"
        await child.ns.sethostname("\udcff")  # a byte that is no text
        assert await child.ns.gethostname() == "\udcff"
        await child.ns.sethostname("inside")
        program = await child.exec(shell('test "$(uname -n)" = inside'))
        assert (await program.wait()).clean()
    assert os.uname().nodename == before


async def test_a_network_is_its_own_affair(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNET) as child:
        interfaces = await child.fs.read_bytes("/proc/self/net/dev")
        assert interfaces.count(b":") == 1
        await child.net.set_up("lo")
        server = await child.net.socket(AF.INET, SOCK.STREAM)
        await server.bind(SockaddrIn("127.0.0.1", 0))
        await server.close()


async def test_mounts_inside_stay_inside(local: Task, tmp_path: Path) -> None:
    before = mountinfo()
    async with local.spawn(CLONE.NEWUSER | CLONE.NEWNS) as child:
        await child.mount.mount("tmpfs", str(tmp_path), "tmpfs")
        file = await child.fs.open(tmp_path / "inside", os.O_CREAT | os.O_WRONLY)
        await file.close()
        assert await child.fs.listdir(tmp_path) == ["inside"]
        assert mountinfo() == before
        assert names_in(tmp_path) == []
    assert mountinfo() == before


# id maps


def maps(pid: int) -> tuple[list[list[int]], list[list[int]], str]:
    def read(name: str) -> list[list[int]]:
        lines = Path(f"/proc/{pid}/{name}").read_text(encoding="ascii").splitlines()
        return [[int(word) for word in line.split()] for line in lines]

    setgroups = Path(f"/proc/{pid}/setgroups").read_text(encoding="ascii").strip()
    return read("uid_map"), read("gid_map"), setgroups


async def test_without_a_map_the_caller_s_ids_are_themselves(local: Task) -> None:
    uid, gid = os.getuid(), os.getgid()
    async with local.spawn(CLONE.NEWUSER) as child:
        assert maps(child.process.near.id) == ([[uid, uid, 1]], [[gid, gid, 1]], "deny")
        assert await child.cred.getuid() == uid
        assert await child.cred.getgid() == gid


async def test_true_maps_the_caller_to_root(local: Task) -> None:
    uid, gid = os.getuid(), os.getgid()
    async with local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as child:
        assert maps(child.process.near.id) == ([[0, uid, 1]], [[0, gid, 1]], "deny")
        assert await child.cred.getuid() == 0
        assert await child.cred.getegid() == 0
        program = await child.exec(shell("test $(id -u) = 0 -a $(id -g) = 0"))
        assert (await program.wait()).clean()


@pytest.mark.parametrize("spelling", ["int", "text", "pair", "list", "of text"])
async def test_every_spelling_of_one_s_own_id_as_root(local: Task, spelling: str) -> None:
    own = os.getuid()
    values: dict[str, IdMapLike] = {
        "int": own,
        "text": f"0 {own} 1",
        "pair": f"0 {own}",
        "list": [own],
        "of text": [f"0 {own} 1"],
    }
    async with local.spawn(CLONE.NEWUSER, uid_map=values[spelling]) as child:
        assert maps(child.process.near.id)[0] == [[0, own, 1]]


async def test_one_s_own_id_can_be_any_id_inside(local: Task) -> None:
    async with local.spawn(CLONE.NEWUSER, uid_map=f"4242 {os.getuid()} 1") as child:
        assert await child.cred.getuid() == 4242


async def test_root_may_map_many_ranges_and_users_are_told_why_not(local: Task) -> None:
    text = ",".join(f"{10 * n} {1000 + 10 * n} 5" for n in range(20))
    if not IS_ROOT:
        with pytest.raises(IdMapNotAllowedError, match="root"):
            async with local.spawn(CLONE.NEWUSER, uid_map=text):
                pass
        return
    async with local.spawn(CLONE.NEWUSER, uid_map=text, gid_map=text) as child:
        wanted = [[10 * n, 1000 + 10 * n, 5] for n in range(20)]
        assert maps(child.process.near.id) == (wanted, wanted, "allow")


async def test_nested_user_namespaces_map_step_by_step(local: Task) -> None:
    own = os.getuid()
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as outer,
        outer.spawn(CLONE.NEWUSER, uid_map="77 0 1", gid_map="78 0 1") as inner,
    ):
        assert maps(outer.process.near.id)[0] == [[0, own, 1]]
        assert maps(inner.process.near.id)[0] == [[77, own, 1]]  # as we see it
        assert await inner.cred.getuid() == 77
        assert await inner.cred.getgid() == 78


async def test_a_nested_namespace_without_a_map_keeps_the_ids_of_its_parent(local: Task) -> None:
    async with (
        local.spawn(CLONE.NEWUSER, uid_map=True, gid_map=True) as outer,
        outer.spawn(CLONE.NEWUSER) as inner,
    ):
        assert await inner.cred.getuid() == 0
        assert await inner.cred.getgid() == 0


async def test_a_nested_pid_namespace_may_have_a_user_namespace_of_its_own(local: Task) -> None:
    flags = CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNS
    async with local.spawn(flags) as outer:
        await outer.mount.mount("proc", "/proc", "proc")
        async with outer.spawn(flags) as inner:
            assert await inner.sysif.call(SYS.getpid) == 1
            assert inner.process.near.id == 2


async def test_a_program_in_all_namespaces_sees_itself_as_root_and_as_1(local: Task) -> None:
    async with local.spawn(ALL, uid_map=True, gid_map=True) as child:
        script = 'test "$(id -u) $$" = "0 1"'
        program = await child.exec(Command("/bin/sh", ["sh", "-c", script]))
        assert (await program.wait()).clean()
