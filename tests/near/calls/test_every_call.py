"""Every thin function makes its system call, with its arguments in their places.

A child makes the call, and the kernel asks us instead of carrying it out (``seccomp_unotify(2)``):
we see what reached the kernel, and the answer is ours. So ``reboot`` is tested as ``read`` is.
"""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from errno import ENOSYS, EXDEV
from importlib import import_module
from typing import Final

import pytest
import trio

from rsyscall_ns import AT_FDCWD, BYTES, MissingCallError, Task
from rsyscall_ns.near import calls
from rsyscall_ns.near.calls import generate
from rsyscall_ns.near.calls.base import number_of
from rsyscall_ns.near.ids import Address, FileDescriptor, Process, ProcessGroup
from rsyscall_ns.near.nr import SYS
from rsyscall_ns.near.nr.signatures import signatures
from rsyscall_ns.near.nr.table import Row, rows
from tests.support.stopping import Stopped, Stops, stopped_at

Value = int | Address | FileDescriptor | Process | ProcessGroup | None
Function = Callable[..., Awaitable[object]]

HELPERS: Final = {"base", "generate"}
ROWS: Final = {name: row for name, row in rows().items() if row.family}
HERE: Final = {name: row for name, row in ROWS.items() if hasattr(SYS, name)}
# what the library needs a sane value of, to make the call at all
STRUCT: Final = ("clone3", "uargs")
CLONE_ARGS: Final = bytes([1]) * 88
CAN_NOT_FAIL: Final = generate.SURE
ANSWER: Final = 77
RESULTS: Final[dict[str, object]] = {
    "none": None,
    "int": ANSWER,
    "fd": FileDescriptor(ANSWER),
    "pid": Process(ANSWER),
    "pgid": ProcessGroup(ANSWER),
    "address": Address(ANSWER),
}


def function(name: str) -> Function:
    made: Function = vars(import_module(f"{calls.__name__}.{ROWS[name].family}"))[name]
    return made


def some_value(kind: str, place: int) -> Value:
    """Return a value of a parameter's type that no other parameter has."""
    number = 100 + place
    kinds: dict[str, Value] = {
        "int": number,
        "Address": Address(4096 * number),
        "FileDescriptor": FileDescriptor(number),
        "Process": Process(number),
        "ProcessGroup": ProcessGroup(number),
    }
    return kinds[kind.removesuffix(" | None")]


def word(value: Value) -> int:
    match value:
        case Address():
            return value.value
        case FileDescriptor():
            return value.number
        case Process() | ProcessGroup():
            return value.id
        case int():
            return value
        case None:
            raise AssertionError


def parameters(made: Function) -> dict[str, str]:
    found = dict(inspect.signature(made).parameters)
    assert found.pop("sysif").annotation == "SyscallInterface"
    return {name: str(parameter.annotation) for name, parameter in found.items()}


def as_kernel_sees(row: Row, values: dict[str, Value], absent: dict[str, int]) -> list[int]:
    """Return the words that should arrive, by the kernel's own list of parameters."""
    words: list[int] = []
    for parameter in signatures()[row.name].parameters:
        if parameter.name == "pos_h":
            words.append(0)
            continue
        name = "offset" if parameter.name == "pos_l" else parameter.name
        value = values[name]
        words.append(absent[name] if value is None else word(value))
    return words


async def answered(stops: Stops, number: int, answer: Callable[[Stopped], None]) -> Stopped:
    """Answer the one call that is tested; what the server needs for itself goes on."""
    while True:
        stopped = await stops.next()
        if stopped.number == number and not is_the_servers_own(stopped):
            answer(stopped)
            return stopped
        stops.go_on(stopped)


def is_the_servers_own(stopped: Stopped) -> bool:
    """Return whether a call has addresses of the server, which no value of ours comes near to."""
    ours = stopped.number == getattr(SYS, STRUCT[0])
    return not ours and any(2**32 < argument < 2**48 for argument in stopped.args)


@pytest.fixture
async def child(local: Task) -> AsyncGenerator[Task, None]:
    async with local.spawn() as made:
        yield made


async def made_in(
    child: Task, name: str, values: dict[str, Value], answer: Callable[[Stops, Stopped], None]
) -> tuple[object, Stopped]:
    """Call a function in the child; returns its result or error, and what reached the kernel."""
    number = getattr(SYS, name)
    result: object = None
    seen: list[Stopped] = []
    async with stopped_at(child, number) as stops, trio.open_nursery() as nursery:

        async def supervise() -> None:
            seen.append(await answered(stops, number, lambda stopped: answer(stops, stopped)))
            await stops.let_all_go_on()

        nursery.start_soon(supervise)
        try:
            result = await function(name)(child.sysif, *values.values())
        except OSError as error:
            result = error
        nursery.cancel_scope.cancel()
    return result, seen[0]


def same_words(seen: tuple[int, ...], expected: list[int]) -> bool:
    return [one & 0xFFFFFFFF for one in seen[: len(expected)]] == [
        one & 0xFFFFFFFF for one in expected
    ]


def test_every_call_that_a_kernel_has_is_a_function_of_its_family() -> None:
    names = {found.name for found in pkgutil.iter_modules(calls.__path__)} - HELPERS

    there = {
        name: family
        for family in names
        for name in import_module(f"{calls.__name__}.{family}").__all__
    }

    assert there == {name: row.family for name, row in ROWS.items()}


def test_a_call_without_a_function_says_why() -> None:
    without = [row for row in rows().values() if not row.family]

    assert without
    assert all(len(row.effect) > 15 and not row.since for row in without)


@pytest.mark.parametrize("name", HERE)
async def test_its_arguments_are_in_their_places(child: Task, name: str) -> None:
    kinds = parameters(function(name))
    values = {
        parameter: some_value(kind, place) for place, (parameter, kind) in enumerate(kinds.items())
    }
    struct = await child.ptr(CLONE_ARGS, BYTES)
    if name == STRUCT[0]:
        values[STRUCT[1]] = struct.near

    result, seen = await made_in(
        child, name, values, lambda stops, stopped: stops.answer(stopped, ANSWER)
    )

    assert same_words(seen.args, as_kernel_sees(HERE[name], values, {}))
    assert result == RESULTS[HERE[name].returns]
    struct.free()


NULLABLE: Final = [
    name for name in HERE if name != STRUCT[0] and "None" in str(parameters(function(name)))
]


@pytest.mark.parametrize("name", NULLABLE)
async def test_none_is_what_the_manual_page_says(child: Task, name: str) -> None:
    kinds = parameters(function(name))
    if name == "clone":  # without a stack the server refuses it, before the kernel
        kinds["newsp"] = "Address"
    values: dict[str, Value] = {
        parameter: None if kind.endswith("| None") else some_value(kind, place)
        for place, (parameter, kind) in enumerate(kinds.items())
    }
    absent: dict[str, int] = {}
    for parameter, kind in kinds.items():
        directory = parameter in generate.WORKING_DIRECTORY or name == "execveat"
        fd = AT_FDCWD if directory else -1
        absent[parameter] = fd if kind.startswith("FileDescriptor") else 0

    _, seen = await made_in(
        child, name, values, lambda stops, stopped: stops.answer(stopped, ANSWER)
    )

    assert same_words(seen.args, as_kernel_sees(HERE[name], values, absent))


@pytest.mark.parametrize("number", [EXDEV, ENOSYS], ids=["EXDEV", "ENOSYS"])
@pytest.mark.parametrize("name", sorted(HERE.keys() - CAN_NOT_FAIL))
async def test_its_error_names_it(child: Task, name: str, number: int) -> None:
    kinds = parameters(function(name))
    values = {
        parameter: some_value(kind, place) for place, (parameter, kind) in enumerate(kinds.items())
    }
    struct = await child.ptr(CLONE_ARGS, BYTES)
    if name == STRUCT[0]:
        values[STRUCT[1]] = struct.near

    error, _ = await made_in(
        child, name, values, lambda stops, stopped: stops.refuse(stopped, number)
    )

    assert isinstance(error, OSError)
    assert error.errno == number
    assert re.search(rf"\[{name}\(2\)( 0x\w+)?( of fd \d+)? in ", str(error))
    if number == ENOSYS:
        assert isinstance(error, MissingCallError)
        assert f"Linux has it since {HERE[name].since}, and this kernel is" in str(error)
    struct.free()


def test_what_a_machine_lacks_is_refused_by_name() -> None:
    lacking = [name for name, row in rows().items() if row.number(os.uname().machine) is None]

    for name in lacking:
        with pytest.raises(MissingCallError, match=rf"{name}\(2\).*there is none on"):
            number_of(name)
    assert lacking


def test_the_checked_in_modules_are_what_the_generator_makes() -> None:
    made = {name: (generate.HERE / name).read_text("utf-8") for name in generate.modules()}

    assert made == generate.modules()
