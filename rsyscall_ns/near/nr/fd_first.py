"""Which system calls are made on an fd: their first argument is one, and no path begins there."""

from __future__ import annotations

from typing import Final

__all__ = ["FD_FIRST"]

NAMES: Final = """
    accept accept4 bind cachestat close connect copy_file_range dup dup2 dup3 epoll_ctl epoll_pwait
    epoll_pwait2 epoll_wait fadvise64 fallocate fanotify_mark fchdir fchmod fchown fcntl fdatasync
    fgetxattr finit_module flistxattr flock fremovexattr fsconfig fsetxattr fsmount fstat fstatfs
    fsync ftruncate getdents getdents64 getpeername getsockname getsockopt inotify_add_watch
    inotify_rm_watch io_uring_enter io_uring_register ioctl kexec_file_load landlock_add_rule
    landlock_restrict_self listen lseek mq_getsetattr mq_notify mq_timedreceive mq_timedsend
    pidfd_getfd pidfd_send_signal pread64 preadv preadv2 process_madvise process_mrelease pwrite64
    pwritev pwritev2 quotactl_fd read readahead readv recvfrom recvmmsg recvmsg sendfile sendmmsg
    sendmsg sendto setns setsockopt shutdown signalfd signalfd4 splice sync_file_range syncfs tee
    timerfd_gettime timerfd_settime vmsplice write writev
"""
FD_FIRST: Final = frozenset(NAMES.split())
