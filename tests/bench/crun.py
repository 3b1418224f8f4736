"""What ``crun(1)`` is told, so that it does what the other containers of its group do."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["crun_bundle"]


@contextmanager
def crun_bundle(program: str, folders: Sequence[str]) -> Generator[tuple[str, ...], None, None]:
    """Write a bundle of a container that sees these folders; yields the words that run it.

    It asks for nothing else: no cgroup of its own, no filter of calls. crun insists on a ``/dev``,
    and fills it.
    """
    with TemporaryDirectory() as folder:
        Path(folder, "root").mkdir()
        asked = config(program, folders, os.geteuid(), os.getegid())
        Path(folder, "config.json").write_text(json.dumps(asked))
        state = ("--cgroup-manager=disabled", "--root", f"{folder}/state")
        yield "crun", *state, "run", "--bundle", folder, f"bench-{os.getpid()}"


def config(program: str, folders: Sequence[str], uid: int, gid: int) -> dict[str, object]:
    """Return what config.json says."""
    mounts: list[dict[str, object]] = [
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/proc", "type": "proc", "source": "proc"},
    ]
    for name in folders:
        place = {"destination": name, "source": name}
        mounts.append({**place, "type": "bind", "options": ["rbind", "ro"]})
    return {
        "ociVersion": "1.0.2",
        "root": {"path": "root"},
        "process": {
            "user": {"uid": uid, "gid": gid},
            "args": [program],
            "env": [f"{name}={value}" for name, value in os.environ.items()],
            "cwd": "/",
        },
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": kind} for kind in ("user", "pid", "mount")],
            "uidMappings": [{"containerID": uid, "hostID": uid, "size": 1}],
            "gidMappings": [{"containerID": gid, "hostID": gid, "size": 1}],
        },
    }
