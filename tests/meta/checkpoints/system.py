"""Keys, System V IPC, and what is the whole machine's."""

from __future__ import annotations

from typing import Final

from rsyscall_ns import (
    IPC_PRIVATE,
    KEY_PERM,
    KEY_REQKEY_DEFL,
    KEY_SPEC,
    REBOOT,
    Key,
    Keyring,
    MqFD,
    MsqidDs,
    Sembuf,
    SemidDs,
    ShmidDs,
    SysVMessage,
    SysVQueue,
    SysVSegment,
    SysVSemaphores,
    Timespec,
    UserDesc,
)
from rsyscall_ns.near.ids import IpcObject, KeySerial

from .memory import mapping
from .world import Call, World

__all__ = ["TABLE"]

OWN: Final = KEY_SPEC.PROCESS_KEYRING
NOTHING: Final = 2**31 - 1  # no object has this id


def key(w: World) -> Key:
    """Return a handle of nothing: a cancelled call never sees that. So do the others."""
    return Key(w.task, KeySerial(NOTHING))


def ring(w: World) -> Keyring:
    return Keyring(w.task, KeySerial(NOTHING))


def queue(w: World) -> SysVQueue:
    return SysVQueue(w.task, IpcObject(NOTHING))


def semaphores(w: World) -> SysVSemaphores:
    return SysVSemaphores(w.task, IpcObject(NOTHING))


def segment(w: World) -> SysVSegment:
    return SysVSegment(w.task, IpcObject(NOTHING))


TABLE: Final[dict[str, Call]] = {
    "Host.acct": lambda w: w.task.host.acct(None),
    "Host.delete_module": lambda w: w.task.host.delete_module("none"),
    "Host.finit_module": lambda w: w.task.host.finit_module(w.file),
    "Host.init_module": lambda w: w.task.host.init_module(b""),
    "Host.ioperm": lambda w: w.task.host.ioperm(0, 0, turn_on=False),
    "Host.iopl": lambda w: w.task.host.iopl(0),
    "Host.kexec_file_load": lambda w: w.task.host.kexec_file_load(w.file, None),
    "Host.kexec_load": lambda w: w.task.host.kexec_load(None, []),
    "Host.reboot": lambda w: w.task.host.reboot(REBOOT.CAD_ON, machine=True),
    "Host.swapoff": lambda w: w.task.host.swapoff("/none"),
    "Host.swapon": lambda w: w.task.host.swapon("/none"),
    "Host.sysfs_count": lambda w: w.task.host.sysfs_count(),
    "Host.sysfs_index": lambda w: w.task.host.sysfs_index("none"),
    "Host.sysfs_name": lambda w: w.task.host.sysfs_name(0),
    "Host.vhangup": lambda w: w.task.host.vhangup(),
    "KernelLog.clear": lambda w: w.task.host.log.clear(),
    "KernelLog.console_level": lambda w: w.task.host.log.console_level(4),
    "KernelLog.console_off": lambda w: w.task.host.log.console_off(),
    "KernelLog.console_on": lambda w: w.task.host.log.console_on(),
    "KernelLog.read": lambda w: w.task.host.log.read(),
    "KernelLog.read_all": lambda w: w.task.host.log.read_all(),
    "KernelLog.read_clear": lambda w: w.task.host.log.read_clear(),
    "KernelLog.size_buffer": lambda w: w.task.host.log.size_buffer(),
    "KernelLog.size_unread": lambda w: w.task.host.log.size_unread(),
    "Key.as_keyring": lambda w: key(w).as_keyring(),
    "Key.instantiate": lambda w: key(w).instantiate(b"a"),
    "Key.instantiate_iov": lambda w: key(w).instantiate_iov([b"a"]),
    "Key.negate": lambda w: key(w).negate(1),
    "Key.pkey_decrypt": lambda w: key(w).pkey_decrypt(b"a"),
    "Key.pkey_encrypt": lambda w: key(w).pkey_encrypt(b"a"),
    "Key.pkey_query": lambda w: key(w).pkey_query(),
    "Key.pkey_sign": lambda w: key(w).pkey_sign(b"a"),
    "Key.pkey_verify": lambda w: key(w).pkey_verify(b"a", b"b"),
    "Key.reject": lambda w: key(w).reject(1, 1),
    "Key.update": lambda w: key(w).update(b"a"),
    "KeyHandle.chown": lambda w: key(w).chown(),
    "KeyHandle.describe": lambda w: key(w).describe(),
    "KeyHandle.get_security": lambda w: key(w).get_security(),
    "KeyHandle.invalidate": lambda w: key(w).invalidate(),
    "KeyHandle.link": lambda w: key(w).link(OWN),
    "KeyHandle.move": lambda w: key(w).move(OWN, OWN),
    "KeyHandle.read": lambda w: key(w).read(),
    "KeyHandle.revoke": lambda w: key(w).revoke(),
    "KeyHandle.set_timeout": lambda w: key(w).set_timeout(0),
    "KeyHandle.setperm": lambda w: key(w).setperm(KEY_PERM.POS_ALL),
    "KeyHandle.unlink": lambda w: key(w).unlink(OWN),
    "KeyHandle.watch_key": lambda w: key(w).watch_key(w.file, 1),
    "Keyring.clear": lambda w: ring(w).clear(),
    "Keyring.keys": lambda w: ring(w).keys(),
    "Keyring.restrict_keyring": lambda w: ring(w).restrict_keyring(),
    "Keyring.search": lambda w: ring(w).search("user", "none"),
    "Keys.add_key": lambda w: w.task.keys.add_key("user", "a", b"a", OWN),
    "Keys.add_keyring": lambda w: w.task.keys.add_keyring("a", OWN),
    "Keys.assume_authority": lambda w: w.task.keys.assume_authority(None),
    "Keys.capabilities": lambda w: w.task.keys.capabilities(),
    "Keys.dh_compute": lambda w: w.task.keys.dh_compute(key(w), key(w), key(w)),
    "Keys.get_keyring_id": lambda w: w.task.keys.get_keyring_id(OWN),
    "Keys.get_persistent": lambda w: w.task.keys.get_persistent(OWN),
    "Keys.join_session_keyring": lambda w: w.task.keys.join_session_keyring(for_good=True),
    "Keys.request_key": lambda w: w.task.keys.request_key("user", "none"),
    "Keys.session_to_parent": lambda w: w.task.keys.session_to_parent(for_good=True),
    "Keys.set_reqkey_keyring": lambda w: w.task.keys.set_reqkey_keyring(KEY_REQKEY_DEFL.NO_CHANGE),
    "Memory.map_shadow_stack": lambda w: w.task.mem.map_shadow_stack(4096),
    "Memory.read_ldt": lambda w: w.task.mem.read_ldt(),
    "Memory.write_ldt": lambda w: w.task.mem.write_ldt(UserDesc()),
    "MemoryMapping.remap_file_pages": lambda w: mapping(w).remap_file_pages(0),
    "MemoryMapping.shmdt": lambda w: mapping(w, attached=True).shmdt(),
    "MqFD.mq_notify": lambda w: w.of_kind(MqFD).mq_notify(None),
    "Namespaces.getdomainname": lambda w: w.task.ns.getdomainname(),
    "Namespaces.setdomainname": lambda w: w.task.ns.setdomainname("a"),
    "SysVIpc.msg_limits": lambda w: w.task.ipc.msg_limits(),
    "SysVIpc.msg_usage": lambda w: w.task.ipc.msg_usage(),
    "SysVIpc.msgget": lambda w: w.task.ipc.msgget(),
    "SysVIpc.queues": lambda w: w.task.ipc.queues(),
    "SysVIpc.segments": lambda w: w.task.ipc.segments(),
    "SysVIpc.sem_limits": lambda w: w.task.ipc.sem_limits(),
    "SysVIpc.sem_usage": lambda w: w.task.ipc.sem_usage(),
    "SysVIpc.semaphores": lambda w: w.task.ipc.semaphores(),
    "SysVIpc.semget": lambda w: w.task.ipc.semget(IPC_PRIVATE, 1),
    "SysVIpc.shm_limits": lambda w: w.task.ipc.shm_limits(),
    "SysVIpc.shm_usage": lambda w: w.task.ipc.shm_usage(),
    "SysVIpc.shmget": lambda w: w.task.ipc.shmget(IPC_PRIVATE, 1),
    "SysVObject.remove": lambda w: queue(w).remove(),
    "SysVQueue.msgrcv": lambda w: queue(w).msgrcv(),
    "SysVQueue.msgsnd": lambda w: queue(w).msgsnd(SysVMessage(b"")),
    "SysVQueue.set": lambda w: queue(w).set(MsqidDs()),
    "SysVQueue.stat": lambda w: queue(w).stat(),
    "SysVSegment.lock": lambda w: segment(w).lock(),
    "SysVSegment.set": lambda w: segment(w).set(ShmidDs()),
    "SysVSegment.shmat": lambda w: segment(w).shmat(),
    "SysVSegment.stat": lambda w: segment(w).stat(),
    "SysVSegment.unlock": lambda w: segment(w).unlock(),
    "SysVSemaphores.getall": lambda w: semaphores(w).getall(),
    "SysVSemaphores.getncnt": lambda w: semaphores(w).getncnt(),
    "SysVSemaphores.getpid": lambda w: semaphores(w).getpid(),
    "SysVSemaphores.getval": lambda w: semaphores(w).getval(),
    "SysVSemaphores.getzcnt": lambda w: semaphores(w).getzcnt(),
    "SysVSemaphores.semop": lambda w: semaphores(w).semop([Sembuf()]),
    "SysVSemaphores.semtimedop": lambda w: semaphores(w).semtimedop([Sembuf()], Timespec()),
    "SysVSemaphores.set": lambda w: semaphores(w).set(SemidDs()),
    "SysVSemaphores.setall": lambda w: semaphores(w).setall([0]),
    "SysVSemaphores.setval": lambda w: semaphores(w).setval(0),
    "SysVSemaphores.stat": lambda w: semaphores(w).stat(),
}
