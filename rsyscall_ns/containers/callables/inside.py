"""What a child does that is to run a Python callable. Needs nothing of this package.

It says that it is there, and gets a job: steps to carry out, and what to call, pickled. What is
called is unpickled before the steps, so that its modules come from the caller's files.
"""

from __future__ import annotations

import importlib
import marshal
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import CodeType
from typing import Any, Final, NoReturn

from . import foreign, pickling
from .channel import Channel, written
from .kernel import (
    AMBIENT_CLEAR_ALL,
    PR_CAP_AMBIENT,
    StepFailedError,
    carry_out,
    libc,
)

__all__ = ["Loaded", "do_job", "run_child", "serve"]

FIRST_PLAIN_FD: Final = 3
RETURNED: Final = written({"is": "returned"})
STARTED: Final = written({"is": "started", "failed": {}})
Loaded = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any], Any]


class NotLoadedError(Exception):
    """What is to be called could not be unpickled."""


def failure(error: BaseException) -> tuple[dict[str, Any], bytes]:
    """Return what tells an error: itself, if it can be pickled, and how it looks."""
    shown = "".join(traceback.format_exception(error))
    head = {"is": "raised", "type": type(error).__qualname__, "shown": shown, "why": ""}
    try:
        body = pickling.dumps(error)
        pickling.loads(body)  # there are those that can't be made again
    except Exception as why:  # noqa: BLE001 - what a class does in __reduce__
        head["why"] = f"{type(why).__name__}: {why}"
        return head, b""
    return head, body


class Work:
    """One job, under way."""

    def __init__(self, channel: Channel, job: dict[str, Any], content: bytearray) -> None:
        self.channel = channel
        self.job = job
        self.content = content
        self.given: Loaded | None = None  # what need not be unpickled
        self.hooks: dict[str, Callable[..., object]] = {}
        self.started = False

    def hook(self, name: str, *args: object) -> None:
        """Call one, if it is overridden."""
        if name in self.hooks:
            self.hooks[name](*args)

    def part(self, name: str) -> None:
        """Carry out a part of the steps, and close the fds that they have made.

        Others lead to where the callable is not to be: there is no exec that would close them.
        """
        steps: tuple[Any, ...]
        opened: list[int]
        steps, opened = self.job[name]
        try:
            values = carry_out(*steps)
        except StepFailedError as error:
            error.part = name
            raise
        for step in opened:
            value = values[step]
            if value >= FIRST_PLAIN_FD and value not in {self.channel.number, *self.job["passed"]}:
                with suppress(OSError):  # it was no fd
                    os.close(value)

    def places(self) -> None:
        """Go to session, root and directories, between their hooks."""
        try:
            self.part("places")
        except BaseException as error:
            self.hook("exceptup", error)
            raise
        finally:
            self.hook("postup")

    def load(self) -> tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]:
        """Return what is to be called."""
        try:
            target, args, kwargs, hooks = self.given or pickling.loads(self.content)
            for name in self.job["imports"]:
                importlib.import_module(name)
        except BaseException as error:
            raise NotLoadedError(traceback.format_exc()) from error
        self.content.clear()
        if hooks is not None:
            functions, state = hooks
            # what the caller's subclass has added to Container, without a Container
            copy: Any = type("Hooks", (), functions)()
            copy.__dict__.update(state)
            self.hooks = {name: getattr(copy, name) for name in functions}
        return target, args, kwargs

    def enter(self, target: Callable[..., object]) -> dict[int, int]:
        """Enter the namespaces of others that the job names; returns what failed."""
        enters = self.job["enters"]
        if enters is None:
            return {}
        code: CodeType | None = getattr(target, "__code__", None)
        return foreign.enter(enters, None if code is None else code.co_filename, self.channel)

    def run(self) -> object:
        """Do it all, in the order that is documented."""
        target, args, kwargs = self.load()
        failed = self.enter(target)
        self.part("names")
        self.hook("preup")
        self.places()
        try:
            self.hook("preexec")
            self.channel.send({"is": "started", "failed": failed} if failed else STARTED)
            self.started = True
            return target(*args, **kwargs)
        except BaseException as error:
            self.hook("exceptexec", error)
            raise
        finally:
            self.hook("postexec")

    def answer(self) -> int:
        """Run it, tell what came of it, and return the exit status."""
        told: tuple[dict[str, Any] | bytes, bytes]
        try:
            result = self.run()
        except StepFailedError as error:
            head = {"is": "failed", "part": error.part, "step": error.step, "errno": error.errno}
            finish()
            self.channel.send(head)
            return 1
        except NotLoadedError as error:
            self.channel.send({"is": "unloaded", "shown": str(error)})
            return 1
        except foreign.ApartError as error:
            self.channel.send({"is": "apart", "failed": error.failed})
            return 1
        except SystemExit as error:
            told, code = ({"is": "exited"}, b""), exit_code(error)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            told, code = failure(error), 1
            if self.started and not self.job["wanted"]:
                traceback.print_exc()
        else:
            told, code = (RETURNED, b""), 0
            if self.job["wanted"]:
                told = packed(result)
        finish()
        if self.job["wanted"] or not self.started:
            self.channel.send(*told)
        return code


def packed(result: object) -> tuple[dict[str, Any] | bytes, bytes]:
    """Return what tells a result."""
    try:
        return RETURNED, pickling.dumps(result)
    except Exception as why:  # noqa: BLE001 - what a class does in __reduce__
        shown = f"{type(result).__qualname__}: {type(why).__name__}: {why}"
        return {"is": "unpicklable", "shown": shown}, b""


def exit_code(error: SystemExit) -> int:
    """Return the status that an interpreter ends with."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    sys.stderr.write(f"{error.code}\n")
    return 1


def finish() -> None:
    """Wait for threads as an interpreter does, and write what is still to be written."""
    me = threading.current_thread()
    for thread in threading.enumerate():
        if thread is not me and not thread.daemon:
            thread.join()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def take_environment(wanted: dict[str, str]) -> None:
    """Have another environment."""
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def do_job(channel: Channel, given: Loaded | None = None) -> int:
    """Do one job, which comes through the channel, and return the exit status."""
    channel.hello()
    job = marshal.loads(channel.receive())  # noqa: S302 - it is our own caller's
    content = channel.receive()
    for fd in job["passed"]:
        os.set_inheritable(fd, False)
    if job["path"] is not None:
        sys.path[:] = job["path"]
    if job["environment"] is not None:
        take_environment(job["environment"])
    work = Work(channel, job, content)
    work.given = given
    return work.answer()


def serve(number: int, given: Loaded | None = None) -> NoReturn:
    """Do one job, which comes through an fd, and end. ``given``: what is to be called."""
    code = 1
    try:
        channel = Channel(number)  # there until we end
        code = do_job(channel, given)
    except BaseException:  # noqa: BLE001 - nobody else is here to see it
        traceback.print_exc()
        with suppress(Exception):
            sys.stderr.flush()
    finally:
        os._exit(code)


def run_child(number: int) -> NoReturn:
    """Be a fresh interpreter's whole program."""
    os.set_inheritable(number, False)
    libc.prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(number)
