"""What a callable finds around it: environment, search path, signals, the main thread."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from rsyscall_ns import Container
from rsyscall_ns.containers.callables.breeder import the_zygote

LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")  # without them an interpreter sets one


def environment() -> dict[str, str]:
    return dict(os.environ)


@pytest.mark.parametrize("method", ["zygote", "spawn"])
async def test_the_environment_is_the_callers_though_no_locale_is_set(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    for name in LOCALE:
        monkeypatch.delenv(name, raising=False)

    found = await Container(target=environment, start_method=method).run()

    assert found == dict(os.environ)


async def test_the_environment_is_the_callers_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOES", "soon")
    monkeypatch.setenv("STAYS", "before")
    await Container(target=environment).run()
    monkeypatch.delenv("GOES")
    monkeypatch.setenv("STAYS", "after")
    monkeypatch.setenv("COMES", "late")

    assert await Container(target=environment).run() == dict(os.environ)
    added = Container(target=environment, env={"MORE": "yes", "STAYS": None})
    assert await added.run() == {
        **{name: value for name, value in os.environ.items() if name != "STAYS"},
        "MORE": "yes",
    }
    assert await Container(target=environment).run() == dict(os.environ)


async def test_the_search_path_is_the_callers_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def path() -> list[str]:
        return list(sys.path)

    await Container(target=path).run()
    monkeypatch.setattr(sys, "path", ["/nowhere", *sys.path])

    assert (await Container(target=path).run())[0] == "/nowhere"


async def test_an_interrupt_is_one_of_the_keyboard_though_the_zygote_ignores_it() -> None:
    def interrupted() -> str:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            return "KeyboardInterrupt"
        return "nothing"

    await Container(target=interrupted).run()
    process = the_zygote().process
    assert process is not None
    os.kill(process.near.id, signal.SIGINT)

    assert await Container(target=interrupted).run() == "KeyboardInterrupt"
    assert the_zygote().process is process


async def test_it_runs_in_the_main_and_only_thread() -> None:
    def threads() -> tuple[bool, int]:
        me = threading.current_thread()
        return me is threading.main_thread(), len(threading.enumerate())

    assert await Container(target=threads).run() == (True, 1)
