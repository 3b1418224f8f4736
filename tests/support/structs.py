"""The C structs that the package knows."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from rsyscall_ns.near import abi
from rsyscall_ns.near.abi.layout import CStruct

__all__ = ["structs"]


def structs() -> list[type[CStruct]]:
    """Return the classes of all C structs, in the order of their names."""
    for found in pkgutil.iter_modules(abi.__path__, abi.__name__ + "."):
        import_module(found.name)
    return sorted(set(_below(CStruct)), key=lambda cls: cls.__name__)


def _below(cls: type[CStruct]) -> list[type[CStruct]]:
    # attrs makes a class anew to give it slots: the first one stays known until it is collected,
    # and inherits what attrs has made of its base
    direct = [sub for sub in cls.__subclasses__() if "__attrs_attrs__" in vars(sub)]
    return [found for sub in direct for found in (sub, *_below(sub))]
