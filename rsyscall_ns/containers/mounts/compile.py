"""A list of descriptions as one plan: what must be there, and in which order the steps come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from rsyscall_ns.containers.errors import ContainerArgumentError
from rsyscall_ns.handle.program import Program
from rsyscall_ns.near.program import Ref

from .description import ROOT, MountDescription
from .oldplan import OldMountPlan
from .places import Made
from .plan import MountPlan

__all__ = ["Looked", "append_mounts", "look"]


@frozen
class Looked:
    """A description whose sources were seen to be there, and whether it is a directory."""

    mount: MountDescription
    directory: bool


def look(mounts: Sequence[MountDescription]) -> tuple[Looked, ...]:
    """Refuse what the caller can see to be impossible, before anything is made."""
    for place, mount in enumerate(mounts):
        if mount.place == ROOT and place:
            raise ContainerArgumentError(repr(mount), "the root comes first, it would cover others")
    looked = tuple(Looked(mount, mount.check()) for mount in mounts)
    if looked and looked[0].mount.place == ROOT and not looked[0].directory:
        raise ContainerArgumentError(repr(looked[0].mount), "the root must be a directory")
    return looked


def append_mounts(
    program: Program,
    mounts: Sequence[Looked],
    given: Mapping[object, Ref],
    *,
    in_user_namespace: bool,
    old: bool = False,
) -> None:
    """Append all of them, and the way into the root if there is a new one. ``old``: by mount(2).

    Everything is made before the first is mounted: so each source is what the host has there.
    """
    kind = OldMountPlan if old else MountPlan
    plan = kind(program, given, in_user_namespace=in_user_namespace)
    made = [(looked, looked.mount.make(plan)) for looked in mounts]
    root: tuple[Looked, Made] | None = None
    if made and made[0][0].mount.place == ROOT:
        root = made.pop(0)
        with plan.blamed(root[0].mount, ROOT):
            plan.cover(root[1])
    else:
        plan.stay()
    for looked, ref in made:
        mount = looked.mount
        with plan.blamed(mount, mount.place):
            plan.put_at(ref, mount.place, directory=looked.directory)
        mount.finish(plan, ref)
    if root is not None:
        root[0].mount.finish(plan, root[1])
        plan.enter()
