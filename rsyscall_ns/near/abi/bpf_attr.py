"""The parts of ``union bpf_attr``, one for each group of commands, and what objects tell."""

from __future__ import annotations

from typing import ClassVar, Final

from .bpf_h import (
    BPF_ATTACH_TYPE,
    BPF_ELEM,
    BPF_F_ATTACH,
    BPF_F_MAP,
    BPF_F_PROG,
    BPF_LINK_TYPE,
    BPF_MAP_TYPE,
    BPF_PROG_TYPE,
)
from .layout import CStruct, c_struct, chars, i32, u32, u64

__all__ = [
    "BpfAttach",
    "BpfBatch",
    "BpfElem",
    "BpfGetId",
    "BpfInfo",
    "BpfLinkCreate",
    "BpfLinkDetach",
    "BpfLinkInfo",
    "BpfLinkUpdate",
    "BpfMapCreate",
    "BpfMapInfo",
    "BpfObj",
    "BpfProgInfo",
    "BpfProgLoad",
    "BpfTest",
]

HEADER: Final = "linux/bpf.h"
UNION: Final = "union bpf_attr"


def _part(name: str) -> str:
    return f"__typeof__((({UNION} *)0)->{name})"


@c_struct
class BpfMapCreate(CStruct):
    """What BPF_MAP_CREATE takes."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset(
        {"value_type_btf_obj_fd", "map_token_fd", "excl_prog_hash", "excl_prog_hash_size"}
    )
    map_type: BPF_MAP_TYPE = u32(BPF_MAP_TYPE)
    key_size: int = u32()
    value_size: int = u32()
    max_entries: int = u32()
    map_flags: BPF_F_MAP = u32(BPF_F_MAP)
    inner_map_fd: int = u32()
    numa_node: int = u32()
    map_name: str = chars(16, text=True)
    map_ifindex: int = u32()
    btf_fd: int = u32()
    btf_key_type_id: int = u32()
    btf_value_type_id: int = u32()
    btf_vmlinux_value_type_id: int = u32()
    map_extra: int = u64()
    value_type_btf_obj_fd: int = i32()
    map_token_fd: int = i32()
    excl_prog_hash: int = u64()
    excl_prog_hash_size: int = u32()


@c_struct
class BpfElem(CStruct):
    """What the commands on one element take; ``value`` is also where the next key goes."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    map_fd: int = u32()
    key: int = u64()
    value: int = u64()
    flags: BPF_ELEM = u64(BPF_ELEM)


@c_struct
class BpfBatch(CStruct):
    """What the commands on many elements take."""

    C_NAME: ClassVar = _part("batch")
    C_HEADER: ClassVar = HEADER
    in_batch: int = u64()
    out_batch: int = u64()
    keys: int = u64()
    values: int = u64()
    count: int = u32()
    map_fd: int = u32()
    elem_flags: BPF_ELEM = u64(BPF_ELEM)
    flags: int = u64()


@c_struct
class BpfProgLoad(CStruct):
    """What BPF_PROG_LOAD takes."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"log_true_size", "prog_token_fd", "fd_array_cnt"})
    prog_type: BPF_PROG_TYPE = u32(BPF_PROG_TYPE)
    insn_cnt: int = u32()
    insns: int = u64()
    license: int = u64()
    log_level: int = u32()
    log_size: int = u32()
    log_buf: int = u64()
    kern_version: int = u32()
    prog_flags: BPF_F_PROG = u32(BPF_F_PROG)
    prog_name: str = chars(16, text=True)
    prog_ifindex: int = u32()
    expected_attach_type: BPF_ATTACH_TYPE = u32(BPF_ATTACH_TYPE)
    prog_btf_fd: int = u32()
    func_info_rec_size: int = u32()
    func_info: int = u64()
    func_info_cnt: int = u32()
    line_info_rec_size: int = u32()
    line_info: int = u64()
    line_info_cnt: int = u32()
    attach_btf_id: int = u32()
    attach_prog_fd: int = u32()
    core_relo_cnt: int = u32()
    fd_array: int = u64()
    core_relos: int = u64()
    core_relo_rec_size: int = u32()
    log_true_size: int = u32()
    prog_token_fd: int = i32()
    fd_array_cnt: int = u32()


@c_struct
class BpfObj(CStruct):
    """What BPF_OBJ_PIN and BPF_OBJ_GET take."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"path_fd"})
    pathname: int = u64()
    bpf_fd: int = u32()
    file_flags: int = u32()
    path_fd: int = i32()


@c_struct
class BpfAttach(CStruct):
    """What BPF_PROG_ATTACH and BPF_PROG_DETACH take."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"relative_fd", "expected_revision"})
    target_fd: int = u32()
    attach_bpf_fd: int = u32()
    attach_type: BPF_ATTACH_TYPE = u32(BPF_ATTACH_TYPE)
    attach_flags: BPF_F_ATTACH = u32(BPF_F_ATTACH)
    replace_bpf_fd: int = u32()
    relative_fd: int = u32()
    expected_revision: int = u64()


@c_struct
class BpfTest(CStruct):
    """What BPF_PROG_TEST_RUN takes, and tells."""

    C_NAME: ClassVar = _part("test")
    C_HEADER: ClassVar = HEADER
    prog_fd: int = u32()
    retval: int = u32()
    data_size_in: int = u32()
    data_size_out: int = u32()
    data_in: int = u64()
    data_out: int = u64()
    repeat: int = u32()
    duration: int = u32()
    ctx_size_in: int = u32()
    ctx_size_out: int = u32()
    ctx_in: int = u64()
    ctx_out: int = u64()
    flags: int = u32()
    cpu: int = u32()
    batch_size: int = u32()


@c_struct
class BpfGetId(CStruct):
    """What the commands on ids take; ``next_id`` is told."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"fd_by_id_token_fd"})
    start_id: int = u32()
    next_id: int = u32()
    open_flags: int = u32()
    fd_by_id_token_fd: int = i32()


@c_struct
class BpfInfo(CStruct):
    """What BPF_OBJ_GET_INFO_BY_FD takes."""

    C_NAME: ClassVar = _part("info")
    C_HEADER: ClassVar = HEADER
    bpf_fd: int = u32()
    info_len: int = u32()
    info: int = u64()


@c_struct
class BpfLinkCreate(CStruct):
    """What BPF_LINK_CREATE takes."""

    C_NAME: ClassVar = UNION
    C_HEADER: ClassVar = HEADER
    prog_fd: int = u32(c_name="link_create.prog_fd")
    target_fd: int = u32(c_name="link_create.target_fd")
    attach_type: BPF_ATTACH_TYPE = u32(BPF_ATTACH_TYPE, c_name="link_create.attach_type")
    flags: int = u32(c_name="link_create.flags")


@c_struct
class BpfLinkDetach(CStruct):
    """What BPF_LINK_DETACH takes."""

    C_NAME: ClassVar = _part("link_detach")
    C_HEADER: ClassVar = HEADER
    link_fd: int = u32()


@c_struct
class BpfLinkUpdate(CStruct):
    """What BPF_LINK_UPDATE takes."""

    C_NAME: ClassVar = _part("link_update")
    C_HEADER: ClassVar = HEADER
    link_fd: int = u32()
    new_prog_fd: int = u32()
    flags: int = u32()
    old_prog_fd: int = u32()


@c_struct
class BpfMapInfo(CStruct):
    """``struct bpf_map_info``: what a map is."""

    C_NAME: ClassVar = "struct bpf_map_info"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"btf_vmlinux_id", "hash", "hash_size"})
    type: BPF_MAP_TYPE = u32(BPF_MAP_TYPE)
    id: int = u32()
    key_size: int = u32()
    value_size: int = u32()
    max_entries: int = u32()
    map_flags: BPF_F_MAP = u32(BPF_F_MAP)
    name: str = chars(16, text=True)
    ifindex: int = u32()
    btf_vmlinux_value_type_id: int = u32()
    netns_dev: int = u64()
    netns_ino: int = u64()
    btf_id: int = u32()
    btf_key_type_id: int = u32()
    btf_value_type_id: int = u32()
    btf_vmlinux_id: int = u32()
    map_extra: int = u64()
    hash: int = u64()
    hash_size: int = u32()


@c_struct
class BpfProgInfo(CStruct):
    """``struct bpf_prog_info``: what a program is. Its arrays are not asked for."""

    C_NAME: ClassVar = "struct bpf_prog_info"
    C_HEADER: ClassVar = HEADER
    type: BPF_PROG_TYPE = u32(BPF_PROG_TYPE)
    id: int = u32()
    tag: bytes = chars(8)
    jited_prog_len: int = u32()
    xlated_prog_len: int = u32()
    jited_prog_insns: int = u64()
    xlated_prog_insns: int = u64()
    load_time: int = u64()
    created_by_uid: int = u32()
    nr_map_ids: int = u32()
    map_ids: int = u64()
    name: str = chars(16, text=True)
    ifindex: int = u32(then=4)
    netns_dev: int = u64()
    netns_ino: int = u64()
    nr_jited_ksyms: int = u32()
    nr_jited_func_lens: int = u32()
    jited_ksyms: int = u64()
    jited_func_lens: int = u64()
    btf_id: int = u32()
    func_info_rec_size: int = u32()
    func_info: int = u64()
    nr_func_info: int = u32()
    nr_line_info: int = u32()
    line_info: int = u64()
    jited_line_info: int = u64()
    nr_jited_line_info: int = u32()
    line_info_rec_size: int = u32()
    jited_line_info_rec_size: int = u32()
    nr_prog_tags: int = u32()
    prog_tags: int = u64()
    run_time_ns: int = u64()
    run_cnt: int = u64()
    recursion_misses: int = u64()
    verified_insns: int = u32()
    attach_btf_obj_id: int = u32()
    attach_btf_id: int = u32()


@c_struct
class BpfLinkInfo(CStruct):
    """``struct bpf_link_info``: what a link is. ``rest``: what depends on its type."""

    C_NAME: ClassVar = "struct bpf_link_info"
    C_HEADER: ClassVar = HEADER
    NEWER: ClassVar = frozenset({"rest"})
    type: BPF_LINK_TYPE = u32(BPF_LINK_TYPE)
    id: int = u32()
    prog_id: int = u32(then=4)
    rest: bytes = chars(48)
