"""Disk quotas."""

from __future__ import annotations

from typing import Final

from rsyscall_ns.near.abi.quota_h import QFMT, QIF, Q, QuotaType, qcmd

HEADERS: Final = ("linux/quota.h",)
ENUMS: Final = {"QFMT_": QFMT, "QIF_": QIF, "Q_": Q}
NAMES: Final = {
    **{kind.name: int(kind) for kind in QuotaType},
    "QCMD(Q_SYNC, GRPQUOTA)": qcmd(Q.SYNC, QuotaType.GRPQUOTA),
}
