"""Two containers on a bridge: one serves, the other asks; the caller asks as well.

Works as an ordinary user where user namespaces are allowed; the machine's own network is not
touched. Needs ``pip install 'rsyscall_ns[network]'``.
"""

from __future__ import annotations

import sys

import trio

from rsyscall_ns import (
    AF,
    PIPE,
    SOCK,
    Bridge,
    Container,
    Network,
    OpenNetwork,
    Port,
    SockaddrIn,
    open_network,
)

SERVER = """
import socket, sys
with socket.create_server((sys.argv[1], 80)) as server:
    print("ready", flush=True)
    for _ in range(2):
        client, (address, _) = server.accept()
        with client:
            client.sendall(f"hello {address}, this is {sys.argv[1]}".encode())
"""
CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], 80)) as client:
    print(client.recv(100).decode())
"""


def box(port: Port, script: str, address: str) -> Container:
    """Return a container that runs a script of Python, root in there, on a port."""
    return Container(
        [sys.executable, "-c", script, address],
        user=True,
        net=True,
        map_zero=True,
        network=Network([port], gateway="10.77.0.1"),
        stdout=PIPE,
    )


async def ask(net: OpenNetwork, address: str) -> str:
    """Ask from here: by a socket that is made where the bridge is."""
    async with await net.task.net.socket(AF.INET, SOCK.STREAM) as client:
        await client.connect(SockaddrIn(address, 80))
        return (await client.recv(100)).decode()


async def main() -> None:
    """Start both, and show what is said."""
    async with open_network(Bridge("br0", "10.77.0.1/24")) as net:
        one, other = net["br0"].port(), net["br0"].port()
        async with box(one, SERVER, one.address) as server:
            assert server.stdout is not None
            await server.stdout.receive_some()
            done = (await box(other, CLIENT, one.address).run()).check()
            assert done.stdout is not None
            print("a container hears:", done.stdout.decode(), end="")
            print("the caller hears:", await ask(net, one.address))
            await server.check()


if __name__ == "__main__":
    trio.run(main)
