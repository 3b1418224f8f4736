"""``<linux/mqueue.h>``: POSIX message queues."""

from __future__ import annotations

from typing import ClassVar

from .layout import CStruct, c_struct, i64

__all__ = ["MqAttr"]


@c_struct
class MqAttr(CStruct):
    """``struct mq_attr``: how many messages of how many bytes, and how many are there now.

    ``flags`` is ``O.NONBLOCK`` or 0; it and ``curmsgs`` mean nothing where a queue is made.
    """

    C_NAME: ClassVar = "struct mq_attr"
    C_HEADER: ClassVar = "linux/mqueue.h"
    flags: int = i64(c_name="mq_flags")
    maxmsg: int = i64(c_name="mq_maxmsg")
    msgsize: int = i64(c_name="mq_msgsize")
    curmsgs: int = i64(c_name="mq_curmsgs", then=32)
