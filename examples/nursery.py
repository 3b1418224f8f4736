"""Three children in namespaces of their own, steered at once from one trio program.

1. "processes": mounts a /proc of its own by system calls made in the child, then becomes ps,
   which sees itself as process 1.
2. "network": names its host, brings lo up, and moves bytes over TCP in a network that nobody else
   sees; then the socket itself is handed to this program, which reads from it.
3. "signals": ignores SIGTERM, is stopped, continued and killed; each change is awaited.

Run it with ``make demo``, as root or as an ordinary user.
"""

from __future__ import annotations

import os
import socket

import trio
from rich.console import Console
from rich.table import Table

from rsyscall_ns import (
    AF,
    CLONE,
    SIG,
    SO,
    SOCK,
    SOL,
    CommandNotFoundError,
    SockaddrIn,
    Task,
    W,
    open_local_task,
)

Rows = list[tuple[str, str, str]]
NEW_USER = CLONE.NEWUSER


async def processes(local: Task, rows: Rows) -> None:
    """Become ps in new user, pid and mount namespaces."""
    name = "processes"
    reader, writer = await local.fs.pipe2()
    spawned = local.spawn(NEW_USER | CLONE.NEWPID | CLONE.NEWNS, inherit=[writer])
    async with reader, spawned as child:
        rows.append((name, "pid out here", str(child.process.near.id)))
        await child.mount.mount("proc", "/proc", "proc")
        rows.append((name, "mounted in the child", "/proc of its own"))
        try:
            command = await child.which("ps")
        except CommandNotFoundError:
            await writer.close()
            pids = sorted(int(pid) for pid in await child.fs.listdir("/proc") if pid.isdigit())
            rows.append((name, "processes it sees", ", ".join(map(str, pids))))
            return
        process = await child.exec(command.with_args("ax"), stdout=writer.inherit(child))
        await writer.close()
        text = b""
        while part := await reader.read():
            text += part
        state = await process.check()
        for line in text.decode().splitlines()[1:]:
            rows.append((name, "ps ax in there", " ".join(line.split())))
        rows.append((name, "end", str(state)))


async def network(local: Task, rows: Rows) -> None:
    """Talk TCP in new user, uts and network namespaces, and take the socket out."""
    name = "network"
    async with local.spawn(NEW_USER | CLONE.NEWUTS | CLONE.NEWNET) as child:
        await child.ns.sethostname("steered")
        names = f"{await child.ns.gethostname()}, ours is still {socket.gethostname()}"
        rows.append((name, "host name", names))
        await child.net.set_up("lo")
        listener = await child.net.socket(AF.INET, SOCK.STREAM)
        await listener.setsockopt(SOL.SOCKET, SO.REUSEADDR, 1)
        await listener.bind(SockaddrIn("127.0.0.1", 7))
        await listener.listen()
        client = await child.net.socket(AF.INET, SOCK.STREAM)
        await client.connect(SockaddrIn("127.0.0.1", 7))
        server, _ = await listener.accept()
        rows.append((name, "connected in there", f"to {await client.getpeername()}"))
        await client.send(b"from the child, ")
        ours = await server.pass_to(local)
        async with ours, trio.open_nursery() as nursery:
            nursery.start_soon(client.send, b"while trio waits out here")
            heard = b""
            while b"here" not in heard:
                heard += await ours.recv()
        rows.append((name, "read out here", heard.decode()))


async def signals(local: Task, rows: Rows) -> None:
    """Signal a child and await what each signal does."""
    name = "signals"
    async with local.spawn() as child:
        await child.signals.ignore(SIG.TERM)
        process = await child.exec((await child.which("sleep")).with_args("1000"))
        await process.send_signal(SIG.TERM)
        nothing = await process.waitid(W.EXITED | W.NOHANG)
        rows.append((name, "after SIGTERM", "it goes on" if nothing is None else str(nothing)))
        await process.send_signal(SIG.STOP)
        rows.append((name, "after SIGSTOP", str(await process.waitid(W.STOPPED))))
        await process.send_signal(SIG.CONT)
        rows.append((name, "after SIGCONT", str(await process.waitid(W.CONTINUED))))
        await process.kill()
        rows.append((name, "after SIGKILL", str(await process.wait())))


async def main() -> Rows:
    """Run all three at once; returns what there is to show."""
    parts: list[Rows] = [[], [], []]
    async with open_local_task() as local, trio.open_nursery() as nursery:
        for part, rows in zip((processes, network, signals), parts, strict=True):
            nursery.start_soon(part, local, rows)
    return [row for rows in parts for row in rows]


def show(rows: Rows) -> None:
    """Print the table."""
    who = "root" if os.geteuid() == 0 else f"uid {os.geteuid()}"
    table = Table("child", "what", "seen", title=f"Three children of one nursery, as {who}")
    last = ""
    for child, what, seen in rows:
        if last not in {"", child}:
            table.add_section()
        table.add_row(child if child != last else "", what, seen)
        last = child
    Console().print(table)


if __name__ == "__main__":
    show(trio.run(main))
