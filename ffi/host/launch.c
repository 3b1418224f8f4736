/* Starting a server from the interpreter itself, and the doorbell that it gets. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Two results in one word; -errno is negative. */
static int64_t two(int high, int low)
{
	return (int64_t)high << 32 | (uint32_t)low;
}

/* Both ends of a new doorbell, ours in the higher half: or -errno. */
int64_t rs_doorbell_pair(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	return two(ends[0], ends[1]);
}

/* The next of what arrived, without waiting: an fd, which is the caller's, or RS_BELL_*. */
int rs_doorbell_take(int bell)
{
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	/* not the padded size: that would have room for a second fd, which nobody would close */
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_LEN(sizeof(int))};
	const struct cmsghdr *head;
	ssize_t got;
	int fd;

	do
		got = recvmsg(bell, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? RS_BELL_EMPTY : RS_BELL_END;
	head = CMSG_FIRSTHDR(&message);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof fd)) {
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
		return fd;
	}
	return got == 0 ? RS_BELL_END : RS_BELL_RUNG;
}

/* Sends a copy of an fd: 0, or -errno. */
int rs_doorbell_send(int bell, int fd)
{
	char byte = 0;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t sent;

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	do
		sent = sendmsg(bell, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Clones a child that serves this ring, which must have been prepared: its id in the higher half,
 * its pidfd in the lower, or -errno. All signals are blocked around it, since until the server has
 * set itself up the child would run our handlers, in our memory. */
int64_t rs_launch(struct rs_ring *ring, uint64_t flags)
{
	const uint64_t stack = (uint64_t)ring + RS_RING_SIZE;
	const uint64_t size = RS_BLOCK_SIZE - RS_RING_SIZE - 2 * sizeof(uint64_t);
	const uint64_t every = UINT64_MAX;
	uint64_t before;
	int pidfd = -1;
	struct clone_args wanted = {.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				    .pidfd = (uint64_t)&pidfd,
				    .exit_signal = SIGCHLD,
				    .stack = stack,
				    .stack_size = size};
	const uint64_t args[6] = {(uint64_t)&wanted, sizeof wanted, 0, 0, 0, 0};
	const uint64_t old[6] = {flags | CLONE_PIDFD | SIGCHLD, stack + size, (uint64_t)&pidfd,
				 0, 0, 0};
	int64_t pid;

	ring->parent = (int32_t)syscall(SYS_getpid);
	if (syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every, &before, sizeof before) != 0)
		return -errno;
	pid = rs_call(SYS_clone3, args, 0);
	if (pid == -ENOSYS && flags <= UINT32_MAX && !(flags & CLONE_NEWTIME)) {
		/* an old kernel, or the filter of a container engine */
		ring->setup |= RS_SETUP_RESET;
		pid = rs_call(SYS_clone, old, 0);
	}
	/* can't fail: the same call succeeded above */
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
	return pid < 0 ? pid : two((int)pid, pidfd);
}
