"""Places in a container: any text is one, written in one way, or is refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import PathError
from rsyscall_ns.containers.mounts.description import target_path

NAMES = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.lists(st.one_of(NAMES, st.sampled_from(["..", ".", "", "/", "\0"]))))
def test_any_path_is_a_place_inside_or_is_refused(parts: list[str]) -> None:
    path = "/".join(["", *parts])
    try:
        place = target_path(path)
    except PathError:
        assert ".." in path or "\0" in path or path == ""
        return
    assert place.startswith("/")
    names = place[1:].split("/")
    assert place == "/" or not {"", ".", ".."} & set(names)
    assert target_path(place) == place


@given(NAMES.filter(lambda text: not text.startswith("/")))
def test_a_relative_path_is_refused(path: str) -> None:
    try:
        target_path(path)
    except PathError:
        return
    raise AssertionError(path)
