/* Starting a server from the interpreter itself, and the doorbell that it gets. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
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

/* Moves an fd that will stay for long out of the way of those that won't; returns its number then,
 * the old one where there is no room. */
int rs_move_up(int fd)
{
	const int moved = fcntl(fd, F_DUPFD_CLOEXEC, RS_HIGH);

	if (moved < 0)
		return fd;
	close(fd);
	return moved;
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

/* What this thread may do, one bit a capability. */
uint64_t rs_effective_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};

	/* can't fail for this version and the caller itself; a filter that refuses it leaves none */
	(void)syscall(SYS_capget, &header, sets);
	return (uint64_t)sets[1].effective << 32 | sets[0].effective;
}

/* Clones a child that serves this ring, which must have been prepared: its id, and its pidfd in
 * the ring, or -errno. cgroup: the fd of the one that it starts in, where the flags have
 * CLONE_INTO_CGROUP. All signals are blocked around it, since until the server has set itself up
 * the child would run our handlers, in our memory. */
static int64_t clone_server(struct rs_ring *ring, uint64_t flags, uint64_t cgroup)
{
	const uint64_t stack = (uint64_t)ring + RS_RING_SIZE;
	const uint64_t size = RS_BLOCK_SIZE - RS_RING_SIZE - 2 * sizeof(uint64_t);
	const uint64_t every = UINT64_MAX, pidfd = (uint64_t)&ring->made[1];
	uint64_t before;
	struct clone_args wanted = {.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				    .pidfd = pidfd,
				    .exit_signal = SIGCHLD,
				    .stack = stack,
				    .stack_size = size,
				    .cgroup = cgroup};
	const uint64_t args[6] = {(uint64_t)&wanted, sizeof wanted, 0, 0, 0, 0};
	const uint64_t old[6] = {flags | CLONE_PIDFD | SIGCHLD, stack + size, pidfd, 0, 0, 0};
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
	return pid;
}

/* Puts the number of the doorbell into the ascending list of fds, which has room for it. */
static uint32_t keep(int32_t *kept, uint32_t count, int32_t doorbell)
{
	uint32_t at = count;

	while (at > 0 && kept[at - 1] > doorbell) {
		kept[at] = kept[at - 1];
		at--;
	}
	kept[at] = doorbell;
	return count + 1;
}

/* Starts a child of this interpreter: prepares its ring, posts its first program, and
 * clones it. 0, or -errno; ring->made is what there is then.
 *
 * theirs: the child's end of the doorbell, or -1: then it is made, and our end is ring->made[2].
 * Once the child has its own, theirs is closed here: not with CLONE_FILES, nor where the child
 * takes it out of our table (lends), which has low numbers for that. RS_NO_DOORBELL: there is none,
 * for a child whose end is all that is waited for; it can't be interrupted either.
 * kept: an ascending list of fds that it keeps besides, with room for one more.
 * setup: more of RS_SETUP_*. */
int rs_start(struct rs_ring *ring, uint64_t entry, uint32_t setup, uint32_t death_signal, uint32_t spin,
	     int theirs, int lends, uint64_t kept, uint32_t kept_count, uint64_t flags, uint64_t cgroup, uint64_t ops,
	     uint32_t count, uint64_t results)
{
	const int makes = theirs == -1;
	int ends[2] = {-1, theirs};
	int64_t pid;

	setup |= flags & CLONE_FILES ? 0 : RS_SETUP_OWN_FILES;
	if (theirs != RS_NO_DOORBELL)
		setup |= RS_SETUP_HANDLERS;
	ring->made[2] = -1;
	if (makes && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	if (lends && makes)
		ends[0] = rs_move_up(ends[0]);
	if (kept_count)
		kept_count = keep((int32_t *)kept, kept_count, ends[1]);
	rs_ring_prepare(ring, entry, setup, ends[1], kept, kept_count, death_signal, 0, spin);
	(void)rs_ring_run(ring, 0, 0, ops, count, results);
	ring->made[2] = ends[0];
	pid = clone_server(ring, flags | (lends ? CLONE_FILES : 0), cgroup);
	if (pid < 0) {
		if (makes) {
			close(ends[0]);
			close(ends[1]);
		}
		return (int)pid;
	}
	ring->made[0] = (int32_t)pid;
	if (lends)
		ring->made[1] = rs_move_up(ring->made[1]);
	else if (!(flags & CLONE_FILES) && theirs != RS_NO_DOORBELL)
		close(ends[1]);
	return 0;
}
