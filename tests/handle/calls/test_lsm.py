"""``task.lsm``: security modules, as far as this kernel has them."""

from __future__ import annotations

from errno import EOPNOTSUPP

import pytest

from rsyscall_ns import LSM_ATTR, LSM_ID, LsmCtx, MissingCallError, Task


async def modules(task: Task) -> list[LSM_ID | int]:
    try:
        return await task.lsm.list_modules()
    except MissingCallError as error:
        pytest.skip(f"no lsm_list_modules here: {error}")


async def test_the_modules_are_listed(task: Task) -> None:
    assert LSM_ID.CAPABILITY in await modules(task)


async def test_an_attribute_is_told_by_each_module(task: Task) -> None:
    active = await modules(task)
    if not {LSM_ID.SELINUX, LSM_ID.SMACK, LSM_ID.APPARMOR} & set(active):
        with pytest.raises(OSError, match="lsm_get_self_attr") as caught:
            await task.lsm.get_self_attr(LSM_ATTR.CURRENT)
        assert caught.value.errno == EOPNOTSUPP
        return
    found = await task.lsm.get_self_attr(LSM_ATTR.CURRENT)
    assert {one.id for one in found} <= set(active)
    first = found[0]
    assert await task.lsm.get_self_attr(LSM_ATTR.CURRENT, LSM_ID(first.id)) == (first,)


async def test_an_attribute_of_a_module_without_any_is_an_error(child: Task) -> None:
    await modules(child)
    with pytest.raises(OSError, match="lsm_get_self_attr") as caught:
        await child.lsm.get_self_attr(LSM_ATTR.CURRENT, LSM_ID.CAPABILITY)
    assert caught.value.errno == EOPNOTSUPP
    context = LsmCtx(LSM_ID.CAPABILITY, b"none\0")
    pointer = await child.ptr(context.pack())
    for given in (context, pointer):
        with pytest.raises(OSError, match="lsm_set_self_attr") as caught:
            await child.lsm.set_self_attr(LSM_ATTR.CURRENT, given)
        assert caught.value.errno == EOPNOTSUPP
    pointer.free()
