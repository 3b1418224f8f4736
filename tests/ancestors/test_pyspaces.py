"""What pyspaces can do: a test for each row of its surface, and for each of its faults."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final, cast

import pytest
import trio

from rsyscall_ns import (
    CLONE,
    PIPE,
    ChildTask,
    Chroot,
    CloneFlagsError,
    Completed,
    Container,
    IdMapError,
    Inject,
    TmpfsMount,
    WorkdirError,
)
from rsyscall_ns.containers.options import Arguments
from tests.support.census import children, nothing_left
from tests.support.children import IS_ROOT
from tests.support.procfs import mountinfo
from tests.support.roots import ROOT, write_root

KINDS: Final = ("user", "pid", "mnt", "net", "uts", "ipc", "cgroup", "time")
LINKS: Final = 'for k in "$@"; do readlink "/proc/self/ns/$k"; done'


def add(a: int, b: int, *, more: int = 0) -> int:
    return a + b + more


def arguments(**given: object) -> Arguments:
    """Return arguments whose names are known only now."""
    return cast("Arguments", given)


def stdout_of(done: object) -> str:
    """Return the output of a command that went well."""
    assert isinstance(done, Completed)
    assert done.exitcode == 0
    assert done.stdout is not None
    return done.stdout.decode()


async def links_in(*kinds: str, **given: object) -> dict[str, str]:
    """Return the namespaces of a container."""
    command = ["sh", "-c", LINKS, "sh", *kinds]
    done = await Container(command, **arguments(stdout=PIPE, **given)).run()
    return dict(zip(kinds, stdout_of(done).split(), strict=True))


def link_of(kind: str, pid: int | str = "self") -> str:
    return Path(f"/proc/{pid}/ns/{kind}").readlink().name


# the surface of multiprocessing.Process


async def test_start_join_is_alive_terminate_pid_ident_exitcode_name_daemon_kill() -> None:
    with nothing_left():
        c = Container(["sleep", "1000"], user=True, name="box", daemon=True)
        assert (c.name, c.daemon, c.exitcode) == ("box", True, None)
        await c.start()
        assert c.pid == c.ident
        assert c.pid in children()
        assert c.is_alive()
        await c.join(timeout=0)
        assert c.is_alive()
        await c.terminate()
        await c.join()
        assert not c.is_alive()
        assert c.exitcode == -15

        other = Container(["sleep", "1000"], user=True)
        await other.start()
        await other.kill()
        await other.join()
        assert other.exitcode == -9


async def test_args_and_kwargs_are_told() -> None:
    c = Container(target=add, args=(2, 3), kwargs={"more": 4}, user=True)
    assert c.args == (2, 3)
    assert c.kwargs == {"more": 4}


# the rows of its arguments


async def test_target_args_kwargs() -> None:
    assert await Container(target=add, args=(2, 3), kwargs={"more": 4}, user=True).run() == 9
    assert stdout_of(await Container(["echo", "5"], user=True, stdout=PIPE).run()) == "5\n"


async def test_all() -> None:
    inside = await links_in(*KINDS, all=True)
    assert [kind for kind in KINDS if inside[kind] == link_of(kind)] == []


@pytest.mark.parametrize(
    ("kind", "alias"),
    [(kind, "newns" if kind == "mnt" else f"new{kind}") for kind in KINDS],
)
async def test_newuser_user_newpid_pid_and_the_other_kinds(kind: str, alias: str) -> None:
    for name in (kind, alias):
        assert (await links_in(kind, **{"user": True, name: True}))[kind] != link_of(kind)
    if kind != "user" or IS_ROOT:
        assert (await links_in(kind, all=True, **{alias: False}))[kind] == link_of(kind)


@pytest.mark.parametrize("form", ["True", "int", "text", "list of ints", "list of strings"])
async def test_uid_map_gid_map(form: str) -> None:
    def as_given(own: int) -> object:
        return {
            "True": True,
            "int": own,
            "text": f"0 {own} 1",
            "list of ints": [own],
            "list of strings": [f"0 {own} 1"],
        }[form]

    maps = {"uid_map": as_given(os.getuid()), "gid_map": as_given(os.getgid())}
    c = Container(["sh", "-c", "id -u; id -g"], **arguments(user=True, stdout=PIPE, **maps))
    assert stdout_of(await c.run()) == "0\n0\n"


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user may map its own id only")
@pytest.mark.parametrize("form", ["0 1000 1,1 1001 1", "1000,1001"])
async def test_uid_map_of_several(form: str) -> None:
    done = await Container(
        ["cat", "/proc/self/uid_map"], user=True, uid_map=form, gid_map=form, stdout=PIPE
    ).run()
    assert stdout_of(done).split() == ["0", "1000", "1", "1", "1001", "1"]


async def test_map_zero() -> None:
    c = Container(["sh", "-c", "id -u; id -g"], user=True, map_zero=True, stdout=PIPE)
    assert stdout_of(await c.run()) == "0\n0\n"


async def test_rootdir_and_workdir(tmp_path: Path) -> None:
    (write_root(tmp_path) / "marked").touch()
    done = await Container(
        ["sh", "-c", "pwd; ls /"],
        user=True,
        mnt=True,
        rootdir=tmp_path,
        mounts=ROOT[1:],
        stdout=PIPE,
    ).run()
    assert stdout_of(done).split()[0] == "/"
    assert "marked" in stdout_of(done).split()
    here = await Container(["pwd", "-P"], user=True, stdout=PIPE).run()
    assert stdout_of(here).strip() == str(Path.cwd())
    there = await Container(["pwd", "-P"], user=True, workdir=tmp_path, stdout=PIPE).run()
    assert stdout_of(there).strip() == str(tmp_path)


async def test_stdin_stdout_stderr_as_paths_numbers_and_files(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("given")
    script = ["sh", "-c", "cat; echo wrong >&2"]
    with (tmp_path / "err").open("wb") as err, (tmp_path / "in").open("rb") as given:
        await Container(
            script, user=True, stdin=given.fileno(), stdout=tmp_path / "out", stderr=err
        ).run()
    assert (tmp_path / "out").read_text() == "given"
    assert (tmp_path / "err").read_text() == "wrong\n"


async def test_daemonize() -> None:
    script = 'echo $(readlink /proc/$$/fd/[012]; cut -d " " -f 6 /proc/$$/stat) > "$1"'
    reader, writer = os.pipe()
    try:
        path = f"/proc/{os.getpid()}/fd/{writer}"
        c = Container(["sh", "-c", script, "sh", path], daemonize=True)
        await c.start()
        pid = c.pid
        await c.wait()
        *links, session = os.read(reader, 4096).decode().split()
    finally:
        os.close(reader)
        os.close(writer)
    assert links == ["/dev/null"] * 3
    assert int(session) == pid


@pytest.mark.parametrize("proc", [None, False])
async def test_proc(*, proc: bool | None) -> None:
    listing = ["sh", "-c", "echo /proc/[0-9]*"]
    done = await Container(listing, user=True, pid=True, mnt=True, proc=proc, stdout=PIPE).run()
    shown = stdout_of(done).split()
    assert ("/proc/1" in shown, f"/proc/{os.getpid()}" in shown) == (True, proc is False)


async def test_vm_fs_files_and_the_other_clone_flags() -> None:
    for name in ("vm", "sysvsem", "io", "untraced"):
        done = await Container(["true"], **arguments(user=True, **{name: True})).run()
        assert cast("Completed", done).exitcode == 0
    done = await Container(["true"], flags=CLONE.NEWUSER).run()
    assert cast("Completed", done).exitcode == 0
    for name in ("files", "parent", "thread", "detached"):
        with pytest.raises(CloneFlagsError, match=name.upper()):
            Container(["true"], **arguments(**{name: True}))


class Hooked(Container):
    """Writes down what was called when."""

    seen: tuple[str, ...] = ()

    async def preup(self, task: ChildTask) -> None:
        self.seen += (f"preup {await task.cred.getuid()}",)

    async def postup(self, task: ChildTask) -> None:
        self.seen += (f"postup {await task.fs.getcwd()}",)

    async def exceptup(self, task: ChildTask, error: BaseException) -> None:
        self.seen += (f"exceptup {type(error).__name__} {await task.cred.getuid()}",)

    async def preexec(self, task: ChildTask) -> None:
        self.seen += (f"preexec {await task.fs.getcwd()}",)

    async def exceptexec(self, error: BaseException) -> None:
        self.seen += (f"exceptexec {type(error).__name__}",)

    async def postexec(self) -> None:
        self.seen += ("postexec",)


async def test_preup_postup_exceptup_preexec_postexec_exceptexec(tmp_path: Path) -> None:
    good = Hooked(["true"], user=True, map_zero=True, workdir=tmp_path)
    await good.run()
    assert good.seen == ("preup 0", f"postup {tmp_path}", f"preexec {tmp_path}", "postexec")

    bad = Hooked(["true"], user=True, workdir=tmp_path / "none")
    with pytest.raises(WorkdirError):
        await bad.run()
    assert [name.split()[0] for name in bad.seen] == ["preup", "exceptup", "postup"]

    late = Hooked(["no such command"], user=True)
    with pytest.raises(FileNotFoundError):
        await late.run()
    assert [name.split()[0] for name in late.seen][-2:] == ["exceptexec", "postexec"]


async def test_chroot(tmp_path: Path) -> None:
    (write_root(tmp_path) / "marked").touch()
    c = Chroot(tmp_path, ["ls", "/"], user=True, mnt=True, mounts=ROOT[1:], stdout=PIPE)
    assert "marked" in stdout_of(await c.run()).split()


# its faults


async def test_stdout_and_stderr_do_not_end_on_fd_0(tmp_path: Path) -> None:
    script = ["sh", "-c", "for n in 0 1 2; do readlink /proc/self/fd/$n; done"]
    paths = [tmp_path / name for name in ("in", "out", "err")]
    paths[0].touch()
    await Container(script, user=True, stdin=paths[0], stdout=paths[1], stderr=paths[2]).run()
    assert paths[1].read_text().split() == [str(path) for path in paths]


async def test_a_failed_map_leaves_no_zombie_and_no_fd() -> None:
    with nothing_left():
        for bad in ("0 0 0", "0 0 1,0 1 1"):
            with pytest.raises(IdMapError):
                await Container(["true"], user=True, uid_map=bad).run()
        if not IS_ROOT:
            with pytest.raises(OSError, match="map"):
                await Container(["true"], user=True, uid_map="0 1 2", gid_map="0 1 2").run()


async def test_mounts_made_inside_never_reach_the_host() -> None:
    before = mountinfo()
    done = await Container(
        ["sh", "-c", "mount -t tmpfs tmpfs /tmp && cat /proc/self/mountinfo"],
        user=True,
        mnt=True,
        map_zero=True,
        mounts=[TmpfsMount("/mnt")],
        stdout=PIPE,
    ).run()
    assert " /tmp " in stdout_of(done)
    assert mountinfo() == before


async def test_a_stream_is_opened_by_its_path(tmp_path: Path) -> None:
    await Container(["echo", "there"], user=True, stdout=str(tmp_path / "out")).run()
    assert (tmp_path / "out").read_text() == "there\n"


# its command line


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["execute", "--all", "--id", "--proc", "/proc", "id", "-u"], "0"),
        (["execute", "--user", "--uid", "{uid}", "--gid", "{gid}", "id", "-u"], "0"),
        (["execute", "--user", "--ipc", "--fs", "--net", "--pid", "--uts", "echo", "yes"], "yes"),
        (["chroot", "--user", "--mnt", "{root}", "--", "ls", "/"], "marked"),
    ],
)
def test_space_execute_and_chroot(arguments: list[str], output: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    values = {"uid": os.getuid(), "gid": os.getgid(), "root": root}
    if "{root}" in arguments:
        (write_root(root) / "marked").touch()
        binds = [part for mount in ROOT[1:] for part in ("--bind", f"{mount.place}::ro")]
        arguments = [*arguments[:1], *binds, *arguments[1:]]
    command = [sys.executable, "-m", "rsyscall_ns", *(a.format(**values) for a in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert output in done.stdout.split()


# namespaces of others


@pytest.mark.parametrize("options", [["--all"], ["--user", "--fs", "--pid", "--net", "-v"]])
async def test_space_inject(options: list[str]) -> None:
    async with Container(["sleep", "1000"], all=True, map_zero=True, hostname="box") as c:
        command = [sys.executable, "-m", "rsyscall_ns", "inject", *options, str(c.pid), "--"]
        done = await trio.run_process([*command, "id", "-u"], capture_stdout=True)
    assert done.stdout == b"0\n"


async def test_several_namespaces_at_once_are_all_entered() -> None:
    async with Container(["sleep", "1000"], all=True, map_zero=True) as c:
        assert c.pid is not None
        command = ["sh", "-c", LINKS, "sh", *KINDS]
        done = await Inject(c.pid, command, all=True).run()
        there = [link_of(kind, c.pid) for kind in KINDS]
    assert done.check().stdout.decode().split() == there


async def test_a_path_of_a_namespace_file() -> None:
    async with Container(["sleep", "1000"], user=True, uts=True, hostname="box") as c:
        files = f"/proc/{c.pid}/ns"
        inject = Inject(os.getpid(), ["hostname"], user=f"{files}/user", uts=f"{files}/uts")
        assert (await inject.run()).check().stdout == b"box\n"
