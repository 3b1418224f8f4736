"""Id maps: the whole vocabulary, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsyscall_ns import IdMapError, IdRange, RsyscallError
from rsyscall_ns.tasks.idmap import IdMapLike, parse_id_map, render

LAST = 2**32 - 2
OWN = 1234


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        (None, [(OWN, OWN, 1)]),
        (False, [(OWN, OWN, 1)]),
        (True, [(0, OWN, 1)]),
        (1000, [(0, 1000, 1)]),
        (0, [(0, 0, 1)]),
        ("0 1000 1", [(0, 1000, 1)]),
        ("0 1000 65536", [(0, 1000, 65536)]),
        ("0 1000 1,1 1001 1", [(0, 1000, 1), (1, 1001, 1)]),
        (" 0  1000 1 , 1 1001 1 ", [(0, 1000, 1), (1, 1001, 1)]),
        ("1000,1001", [(0, 1000, 1), (1, 1001, 1)]),
        ("1000", [(0, 1000, 1)]),
        ([1000, 1001], [(0, 1000, 1), (1, 1001, 1)]),
        ((1000, 1001), [(0, 1000, 1), (1, 1001, 1)]),
        (["1000", 1001], [(0, 1000, 1), (1, 1001, 1)]),
        (["0 1000 1", "5 2000 10"], [(0, 1000, 1), (5, 2000, 10)]),
        (["1000", "7 1001 2"], [(0, 1000, 1), (7, 1001, 2)]),
        (f"0 {LAST} 1", [(0, LAST, 1)]),
        (f"{LAST} 0 1", [(LAST, 0, 1)]),
    ],
)
def test_the_vocabulary(value: IdMapLike | None, ranges: list[tuple[int, int, int]]) -> None:
    assert parse_id_map(value, OWN) == tuple(IdRange(*one) for one in ranges)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        "1000,",
        [],
        [""],
        "a",
        "0 a 1",
        "0 1000 1 1",
        "0x10",
        "1.5",
        -1,
        [-1],
        "-1",
        2**32 - 1,
        2**32,
        2**64,
        "0 1000 0",
        "0 1000 -1",
        f"0 {LAST} 2",
        f"{LAST} 0 2",
        f"0 0 {2**32}",
        ["0 1000 1 5"],
    ],
)
def test_what_is_no_map_is_refused(value: IdMapLike) -> None:
    with pytest.raises(IdMapError) as caught:
        parse_id_map(value, OWN)
    assert isinstance(caught.value, RsyscallError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "value",
    [
        "0 1000 1,0 1001 1",
        "0 1000 1,1 1000 1",
        "0 1000 10,5 2000 1",
        "0 1000 10,100 1009 5",
        "1000,1000",
        [1000, "0 1001 1"],
    ],
)
def test_an_ambiguous_map_is_refused(value: IdMapLike) -> None:
    with pytest.raises(IdMapError, match="ambiguous"):
        parse_id_map(value, OWN)


def test_more_ranges_than_the_kernel_takes_are_refused() -> None:
    assert len(parse_id_map(list(range(340)), OWN)) == 340
    with pytest.raises(IdMapError, match="340"):
        parse_id_map(list(range(341)), OWN)


@pytest.mark.parametrize("value", [1.5, b"0 1000 1", [1.5], [None], {"a": 1}.keys])
def test_a_value_of_another_type_is_refused_by_a_named_error(value: Any) -> None:  # noqa: ANN401 - wrong on purpose
    with pytest.raises((IdMapError, TypeError)):
        parse_id_map(value, OWN)


@pytest.mark.parametrize("value", [[True], [True, 5]])
def test_a_truth_value_in_a_list_is_no_id(value: IdMapLike) -> None:
    with pytest.raises((IdMapError, TypeError)):
        parse_id_map(value, OWN)


def test_a_map_is_rendered_a_line_a_range() -> None:
    ranges = (IdRange(0, 1000, 1), IdRange(5, 2000, 10))

    assert render(ranges) == b"0 1000 1\n5 2000 10\n"


@pytest.mark.parametrize(("inside", "outside", "count"), [(-1, 0, 1), (0, -1, 1), (0, 0, 0)])
def test_a_range_that_is_none_is_refused(inside: int, outside: int, count: int) -> None:
    with pytest.raises(ValueError, match="must be from"):
        IdRange(inside, outside, count)


numbers = st.integers(-2, 2**32 + 2) | st.integers(0, 40)
triples = st.tuples(numbers, numbers, numbers)


@given(st.lists(triples, min_size=1, max_size=8))
def test_a_list_of_ranges_is_taken_as_it_is_or_refused(items: list[tuple[int, int, int]]) -> None:
    text = ",".join(" ".join(map(str, item)) for item in items)
    fits = all(
        0 <= low <= LAST and 0 <= high <= LAST and count >= 1 and max(low, high) + count - 1 <= LAST
        for low, high, count in items
    )
    clear = all(
        one[side] + one[2] <= two[side] or two[side] + two[2] <= one[side]
        for index, one in enumerate(items)
        for two in items[:index]
        for side in (0, 1)
    )
    if fits and clear:
        assert parse_id_map(text, OWN) == tuple(IdRange(*item) for item in items)
        assert render(parse_id_map(text, OWN)) == (text.replace(",", "\n") + "\n").encode()
    else:
        with pytest.raises(IdMapError):
            parse_id_map(text, OWN)


@given(st.lists(st.integers(0, LAST), min_size=1, max_size=20, unique=True))
def test_ids_alone_are_counted_from_root_in_every_spelling(ids: list[int]) -> None:
    wanted = tuple(IdRange(index, one) for index, one in enumerate(ids))

    assert parse_id_map(ids, OWN) == wanted
    assert parse_id_map([str(one) for one in ids], OWN) == wanted
    assert parse_id_map(",".join(map(str, ids)), OWN) == wanted


@given(st.text())
def test_any_text_gives_a_map_or_the_named_error(text: str) -> None:
    try:
        ranges = parse_id_map(text, OWN)
    except IdMapError:
        return
    assert parse_id_map(render(ranges).decode().strip().replace("\n", ","), OWN) == ranges
