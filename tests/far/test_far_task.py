"""What a task believes about its namespaces, and what it refuses because of it."""

from __future__ import annotations

import pytest

from rsyscall_ns import (
    CLONE,
    AddressSpaceMismatchError,
    FDTableMismatchError,
    IpcNamespaceMismatchError,
    NamespaceMismatchError,
    PidNamespaceMismatchError,
    Results,
    RsyscallError,
)
from rsyscall_ns.far.namespaces import (
    NAMESPACE_KINDS,
    AddressSpace,
    FDTable,
    IpcNamespace,
    Namespace,
    PidNamespace,
)
from rsyscall_ns.far.task import FLAG_OF_KIND, Task
from rsyscall_ns.near.program import Program


class NoCalls:
    """The interface of a task that must not make any call."""

    @property
    def same_thread(self) -> bool:
        return False

    def interrupt_signal(self) -> int | None:
        return None

    async def execute(self, program: Program) -> Results:
        raise AssertionError(program)

    async def call(
        self, number: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0
    ) -> int:
        raise AssertionError(number, a, b, c, d, e, f)

    async def export_fd(self, number: int) -> int:
        raise AssertionError(number)

    async def import_fd(self, number: int) -> int:
        raise AssertionError(number)

    async def wait_ready(self, number: int, events: int) -> None:
        raise AssertionError(number, events)

    def closing(self, number: int) -> None:
        raise AssertionError(number)


ALL = (*NAMESPACE_KINDS, "fd_table", "address_space", "pid_namespace", "pid_for_children")


def view(task: Task) -> dict[str, Namespace]:
    return {name: getattr(task, name) for name in ALL}


def changed(before: dict[str, Namespace], task: Task) -> set[str]:
    after = view(task)
    return {name for name in ALL if before[name] is not after[name]}


@pytest.fixture
def root() -> Task:
    return Task(NoCalls(), None, CLONE(0))


def test_namespaces_are_compared_by_identity_and_say_what_they_are() -> None:
    first, second = FDTable(), FDTable()

    assert first != second
    assert repr(first) != repr(second)
    assert repr(first).startswith("fd table #")
    assert PidNamespace(inner := PidNamespace()).parent is inner


def test_a_child_without_flags_has_memory_and_fds_of_its_own_and_shares_the_rest(
    root: Task,
) -> None:
    child = Task(NoCalls(), root, CLONE(0))

    assert changed(view(root), child) == {"fd_table", "address_space"}


def test_a_child_shares_what_the_flags_share(root: Task) -> None:
    child = Task(NoCalls(), root, CLONE.VM | CLONE.FILES)

    assert changed(view(root), child) == set()


@pytest.mark.parametrize(("name", "flag"), FLAG_OF_KIND.items())
def test_each_flag_makes_its_own_namespace_new(root: Task, name: str, flag: CLONE) -> None:
    child = Task(NoCalls(), root, CLONE.VM | CLONE.FILES | flag)

    assert changed(view(root), child) == {name}
    assert getattr(child, name).parent is getattr(root, name)


def test_the_first_process_of_a_pid_namespace_is_inside_it(root: Task) -> None:
    child = Task(NoCalls(), root, CLONE.VM | CLONE.FILES | CLONE.NEWPID)

    assert changed(view(root), child) == {"pid_namespace", "pid_for_children"}
    assert child.pid_namespace is child.pid_for_children
    assert child.pid_namespace.parent is root.pid_namespace


def test_who_unshares_a_pid_namespace_stays_outside_and_its_children_are_inside(
    root: Task,
) -> None:
    before = view(root)
    root.entered(CLONE.NEWPID)

    assert changed(before, root) == {"pid_for_children"}
    child = Task(NoCalls(), root, CLONE(0))
    assert child.pid_namespace is root.pid_for_children
    assert child.pid_namespace is not root.pid_namespace


@pytest.mark.parametrize(("name", "flag"), FLAG_OF_KIND.items())
def test_entering_a_namespace_changes_one_belief(root: Task, name: str, flag: CLONE) -> None:
    before = view(root)
    child = Task(NoCalls(), root, CLONE.VM | CLONE.FILES)

    root.entered(flag)

    assert changed(before, root) == {name}
    assert changed(before, child) == set()


def test_what_was_joined_was_made_from_nobody_knows_what(root: Task) -> None:
    before = view(root)

    root.entered(CLONE.NEWPID | CLONE.NEWTIME | CLONE.NEWIPC, joined=True)

    assert changed(before, root) == {"pid_for_children", "ipc_namespace"}
    assert root.pid_for_children.parent is None
    assert root.time_for_children.parent is None
    assert root.ipc_namespace.parent is None


def test_an_exec_leaves_memory_and_fds_behind(root: Task) -> None:
    before = view(root)

    root.execed()

    assert changed(before, root) == {"fd_table", "address_space"}


def test_what_belongs_elsewhere_is_refused_with_where_and_what_to_do(root: Task) -> None:
    root.check_fd_table("fd 3", root.fd_table)
    root.check_address_space("pointer", root.address_space)
    root.check_pid_namespace("process 7", root.pid_namespace)
    root.check_ipc_namespace("queue 1", root.ipc_namespace)

    with pytest.raises(FDTableMismatchError, match=r"fd 3 belongs to fd table #\d+.*pass_to"):
        root.check_fd_table("fd 3", FDTable())
    with pytest.raises(AddressSpaceMismatchError, match=r"pointer.*address space #\d+.*allocate"):
        root.check_address_space("pointer", AddressSpace())
    with pytest.raises(PidNamespaceMismatchError, match=r"process 7.*pid namespace #\d+"):
        root.check_pid_namespace("process 7", PidNamespace())
    with pytest.raises(IpcNamespaceMismatchError, match=r"queue 1.*ipc namespace #\d+"):
        root.check_ipc_namespace("queue 1", IpcNamespace())


def test_all_mismatches_are_of_one_family() -> None:
    for error in (
        FDTableMismatchError,
        AddressSpaceMismatchError,
        IpcNamespaceMismatchError,
        PidNamespaceMismatchError,
    ):
        assert issubclass(error, NamespaceMismatchError)
        assert issubclass(error, RsyscallError)
