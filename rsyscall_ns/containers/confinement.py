"""Confinement: what a container takes from its command, as the last of the steps that make it.

``confinement_of`` decides what that is; a Confinement appends it to a program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from platform import machine
from typing import Any, Final, final

from attrs import evolve, frozen

from rsyscall_ns.handle.fds.fd import FileDescriptor
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.abi.capability_block import (
    AMBIENT_RAISE,
    capability_header,
    capability_words,
    pack_capabilities,
)
from rsyscall_ns.near.abi.capability_h import CAP
from rsyscall_ns.near.abi.prctl_h import PR
from rsyscall_ns.near.abi.sched_h import CLONE
from rsyscall_ns.near.calls import cred as near_cred
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.tasks.task import ChildTask, Task

from .errors import ContainerArgumentError, ContainerSetupError
from .options import Options
from .streams import Three

__all__ = ["NOTHING_TAKEN", "Confinement", "confine", "confinement_of", "terminal_filter"]

WORD: Final = 8
HALF: Final = 2**32 - 1
AMBIENT_CLEAR: Final = 4  # PR_CAP_AMBIENT_CLEAR_ALL
SET_MODE_FILTER: Final = 1
SPEC_ALLOW: Final = 4  # else it would slow the command down on old kernels
FPROG: Final = 16  # bytes of a struct sock_fprog
# the ways to call ioctl: by the machine's own numbers, by x32's, by those for 32 bits
FILTERS: Final = {
    "x86_64": """
            ld [4]
            jeq #0xc000003e, own
            ld [0]
            jeq #54, ioctl, good
    own:    ld [0]
            and #0xbfffffff
            jeq #16, ioctl
            jeq #514, ioctl, good
""",
    "aarch64": """
            ld [4]
            jeq #0xc00000b7, own
            ld [0]
            jeq #54, ioctl, good
    own:    ld [0]
            jeq #29, ioctl, good
""",
}
# the kernel looks at the lower half of the request only, and so do we
REQUESTS: Final = """
    ioctl:  ld [24]
            jeq #0x5412, bad
            jeq #0x541c, bad
    good:   ret #0x7fff0000
    bad:    ret #0x00050001
"""
Sets = tuple[int, int, int]  # effective, permitted, inheritable


def blamed(what: str, cure: str) -> Callable[[int, str], OSError]:
    """Return what names a step in its error."""

    def blame(number: int, text: str) -> OSError:
        return ContainerSetupError(what, number, f"{text}; {cure}")

    return blame


@cache
def terminal_filter() -> bytes:
    """Return a filter that denies what pushes input into a terminal: TIOCSTI and TIOCLINUX."""
    from rsyscall_ns.near.abi.filter_text import (  # noqa: PLC0415 - most containers need none
        assemble_filter,
    )

    return assemble_filter(FILTERS[machine()] + REQUESTS).pack()


@cache
def every_capability() -> int:
    """Return those that this kernel has, as bits."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    return (1 << last + 1) - 1


def bits(capabilities: int) -> list[int]:
    """Return the numbers of capabilities."""
    return [bit for bit in range(capabilities.bit_length()) if capabilities >> bit & 1]


@final
@frozen
class Confinement:
    """What is taken. ``sets``: capabilities to have from then on; None leaves all as it is."""

    no_new_privs: bool = False
    terminal: bool = False  # whether nothing can be pushed into one
    bounds: int | None = None  # the capabilities that can still be had by exec
    sets: Sets | None = None
    ambient: int = 0

    def append(self, program: Program) -> None:
        """Append the steps: whatever needs rights comes before these go."""
        call = program.call
        if self.no_new_privs:
            program.blame(blamed("no_new_privs", "this kernel lacks it"))
            call(SYS.prctl, PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if self.terminal:
            cure = "without no_new_privs a filter needs CAP_SYS_ADMIN"
            program.blame(blamed("filter of terminal input", cure))
            steps = program.room(terminal_filter())
            content = (steps.size // WORD).to_bytes(2, "little").ljust(FPROG, b"\0")
            fprog = program.room(content)
            program.link(fprog + WORD, steps)
            call(SYS.seccomp, SET_MODE_FILTER, SPEC_ALLOW, fprog)
        if self.bounds is not None:
            program.blame(blamed("capabilities", "to take them needs CAP_SETPCAP: add user=True"))
            for bit in bits(every_capability() & ~self.bounds):
                call(SYS.prctl, PR.CAPBSET_DROP, bit, 0, 0, 0)
        if self.sets is not None:
            program.blame(blamed("capabilities", "nobody can have more than the caller"))
            call(SYS.prctl, PR.CAP_AMBIENT, AMBIENT_CLEAR, 0, 0, 0)
            low = [word & HALF for word in self.sets]
            high = [word >> 32 for word in self.sets]
            block = program.room(pack_capabilities((*low, *high)))
            call(SYS.capset, block, block + WORD)
            for bit in bits(self.ambient):
                call(SYS.prctl, PR.CAP_AMBIENT, AMBIENT_RAISE, bit, 0, 0)


NOTHING_TAKEN: Final = Confinement()


async def confinement_of(
    task: Task[Any], options: Options, streams: Three, given: Iterable[FileDescriptor]
) -> Confinement:
    """Return what is to be taken from the command: by default from one that is confined.

    That is one with a user namespace or a root of its own.
    """
    inside, confined = CLONE.NEWUSER in options.flags, options.confined
    no_new_privs = confined if options.no_new_privs is None else options.no_new_privs
    terminal = options.tty_injection is False
    if options.tty_injection is None and confined:
        terminal = not task.sysif.same_thread or has_terminal((*streams, *given))
    taken = Confinement(no_new_privs, terminal)
    if options.capabilities is None and not options.keep_caps and (inside or not confined):
        # in a user namespace the kernel gives all, and none of them to be inherited
        return taken
    has = await own_sets(task, inside=inside)
    return limited(taken, has, options.capabilities, keep=options.keep_caps)


def limited(taken: Confinement, has: Sets, wanted: int | None, *, keep: bool) -> Confinement:
    """Return it with what is to become of capabilities; None: they stay, but for inheritable."""
    effective, permitted, inheritable = has
    if wanted is not None:
        lacking = wanted & ~permitted
        if lacking:
            raise ContainerArgumentError(
                f"capabilities={CAP(wanted)!r}", f"the caller lacks {bits(lacking)}"
            )
        effective = permitted = wanted
    elif not (inheritable or keep):
        return taken
    ambient = permitted if keep else 0
    return evolve(taken, bounds=wanted, sets=(effective, permitted, ambient), ambient=ambient)


async def confine(child: ChildTask, taken: Confinement, capabilities: int | None) -> None:
    """Take it from a child, and all but these of the capabilities that it has; None: nothing."""
    if capabilities is not None:
        has = await own_sets(child, inside=False)
        taken = limited(taken, has, capabilities, keep=False)
    program = Program()
    taken.append(program)
    if len(program):
        await child.run(program)


async def own_sets(task: Task[Any], *, inside: bool) -> Sets:
    """Return the capabilities that the child has before: those of the task, or all inside."""
    if inside:
        return every_capability(), every_capability(), 0
    with task.transient(capability_header()) as block:
        await near_cred.capget(task.sysif, block.address, block + WORD)
        words = capability_words(block.read())
    effective, permitted, inheritable = (
        high << 32 | low for low, high in zip(words[:3], words[3:], strict=True)
    )
    return effective, permitted, inheritable


def has_terminal(fds: Iterable[FileDescriptor | None]) -> bool:
    """Return whether a command with these fds, and ours, could reach a terminal."""
    numbers = [0, 1, 2, *(fd.near.number for fd in fds if fd is not None)]
    if any(map(os.isatty, numbers)):
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
