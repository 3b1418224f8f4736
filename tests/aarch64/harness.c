/* Runs the freestanding server as a thread of this process and talks to it through its ring.
 *
 * Linked with the very objects that the package is built from. It exists for machines that the
 * suite itself does not run on: check.sh builds it for aarch64 and runs it under qemu's user-mode
 * emulation, and builds and runs it for this machine too, so that it is itself known to be right.
 *
 * What is not tried here, because the emulation has no such thing: a server in a process of its
 * own (it knows clone only as a thread of the C library, or as fork), and its shadow stacks. */
#define _GNU_SOURCE
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPIN 2000u
#define PATIENCE 20000 /* milliseconds: longer than any step takes on a loaded machine */
#define ROUNDS 300u

struct server {
	struct rs_ring *ring;
	int doorbell; /* our end */
	int pidfd;    /* of this process, whose thread the server is */
	pid_t tid;
	uint32_t *alive; /* the kernel clears it when the thread is gone */
};

static int failures;

static void check(const char *what, int fine)
{
	printf("%s  %s\n", fine ? "ok  " : "FAIL", what);
	failures += !fine;
}

/* For what must work before anything can be checked. */
static int64_t need(const char *what, int64_t result)
{
	if (result < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(errno));
		exit(2);
	}
	return result;
}

static struct server start(void)
{
	const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			       CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	static uint32_t alive = 1;
	struct server server = {.alive = &alive};
	unsigned char *block = aligned_alloc(RS_BLOCK_SIZE, RS_BLOCK_SIZE);
	uint64_t *top = (uint64_t *)(block + RS_BLOCK_SIZE) - 2;
	uint64_t args[6] = {flags, (uint64_t)top, 0, 0, 0, 0};
	sigset_t interrupt;
	int pair[2];

	if (!block)
		exit(2);
	need("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	server.ring = (struct rs_ring *)block;
	server.doorbell = pair[0];
	server.pidfd = (int)need("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));

	/* the signal is sent to the process: the one thread that does not block it gets it */
	sigemptyset(&interrupt);
	sigaddset(&interrupt, RS_INTERRUPT_SIGNAL);
	need("sigprocmask", sigprocmask(SIG_BLOCK, &interrupt, 0));

	rs_ring_prepare(server.ring, rs_entry_point(), RS_SETUP_HANDLERS, pair[1], 0, 0, 0,
			~(1ull << (RS_INTERRUPT_SIGNAL - 1)), SPIN);
	top[0] = rs_entry_point();
	top[1] = (uint64_t)server.ring;
#ifdef __aarch64__
	args[4] = (uint64_t)&alive; /* clone's last two arguments differ in order */
#else
	args[3] = (uint64_t)&alive;
#endif
	server.tid = (pid_t)rs_call(SYS_clone, args, 0);
	if (server.tid < 0) {
		errno = -server.tid;
		need("clone", -1);
	}
	return server;
}

/* Waits for the entry that a post left pending, on the doorbell. */
static int64_t await(const struct server *server, int64_t posted)
{
	struct pollfd bell = {.fd = server->doorbell, .events = POLLIN};
	uint32_t slot;
	char bytes[64];

	if (posted < RS_PENDING || posted >= RS_PENDING + RS_ENTRIES)
		return posted;
	slot = (uint32_t)(posted - RS_PENDING);
	for (;;) {
		rs_ring_arm(server->ring);
		if (rs_ring_done(server->ring, slot))
			return rs_ring_collect(server->ring, slot);
		if (need("poll", poll(&bell, 1, PATIENCE)) == 0) {
			puts("FAIL  the doorbell did not ring");
			exit(1);
		}
		need("read", read(server->doorbell, bytes, sizeof bytes));
	}
}

static int64_t call(const struct server *server, long number, uint64_t a, uint64_t b, uint64_t c)
{
	return await(server, rs_ring_call(server->ring, SPIN, 0, number, a, b, c, 0, 0, 0));
}

static int64_t run(const struct server *server, const struct rs_op *ops, uint32_t count,
		   int64_t *results)
{
	return await(server, rs_ring_run(server->ring, SPIN, 0, (uint64_t)ops, count,
					 (uint64_t)results));
}

/* Posts a call that will block, and returns once the server sleeps in it. */
static uint32_t post_blocking(const struct server *server, long number, uint64_t a, uint64_t b,
			      uint64_t c)
{
	uint32_t slot = (uint32_t)(rs_ring_call(server->ring, 0, 0, number, a, b, c, 0, 0, 0) -
				   RS_PENDING);
	char path[64];
	char text[256];

	while (__atomic_load_n(&server->ring->entries[slot].state, __ATOMIC_ACQUIRE) != RS_RUNNING)
		sched_yield();
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", server->tid);
	for (;;) {
		int file = (int)need(path, open(path, O_RDONLY | O_CLOEXEC));
		ssize_t length = need(path, read(file, text, sizeof text - 1));
		const char *state;

		close(file);
		text[length] = 0;
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			return slot;
		sched_yield();
	}
}

static void check_calls(const struct server *server)
{
	check("a call returns what the kernel returned",
	      call(server, SYS_getpid, 0, 0, 0) == getpid());
	check("calls are made by the server's thread",
	      call(server, SYS_gettid, 0, 0, 0) == server->tid);
	check("a failed call returns its errno, negated",
	      call(server, SYS_close, (uint64_t)-1, 0, 0) == -EBADF);
	check("clone without a stack of its own is refused",
	      call(server, SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0) == -EINVAL);
}

static void check_programs(const struct server *server)
{
	static const char sent[] = "through the server";
	char scratch[32] = "", other[32] = "", reply[32] = "";
	int64_t results[6];
	int ends[2];

	need("pipe", pipe2(ends, O_CLOEXEC));
	const struct rs_op moves[6] = {
		{.kind = RS_OP_WRITE, .args = {(uint64_t)scratch, sizeof sent, (uint64_t)sent}},
		{.kind = RS_OP_CALL, .flags = RS_OP_MUST_SUCCEED, .number = SYS_dup,
		 .args = {(uint64_t)ends[1]}},
		{.kind = RS_OP_CALL, .flags = RS_OP_MUST_SUCCEED, .refs = 1, .number = SYS_write,
		 .args = {1, (uint64_t)scratch, sizeof sent}},
		{.kind = RS_OP_CALL, .refs = 1, .number = SYS_close, .args = {1}},
		{.kind = RS_OP_CALL, .flags = RS_OP_MUST_SUCCEED, .refs = 4, .number = SYS_read,
		 .args = {(uint64_t)ends[0], (uint64_t)other, 2}},
		{.kind = RS_OP_READ, .args = {(uint64_t)other, sizeof other, (uint64_t)reply}},
	};
	check("a program runs to its end", run(server, moves, 6, results) == 6);
	check("a reference is an earlier result",
	      results[1] > ends[1] && results[2] == sizeof sent && results[3] == 0 &&
	      results[4] == sizeof sent);
	check("writes and reads copy between program and memory",
	      memcmp(reply, sent, sizeof sent) == 0 && results[0] == 0 && results[5] == 0);
	check("the duplicate was closed again",
	      fcntl((int)results[1], F_GETFD) == -1 && errno == EBADF);

	const struct rs_op fails[3] = {
		{.kind = RS_OP_CALL, .number = SYS_close, .args = {(uint64_t)-1}},
		{.kind = RS_OP_CALL, .flags = RS_OP_MUST_SUCCEED, .number = SYS_dup,
		 .args = {(uint64_t)-1}},
		{.kind = RS_OP_CALL, .number = SYS_getpid},
	};
	results[2] = 77;
	check("a program stops at a failed step that must succeed",
	      run(server, fails, 3, results) == 2 && results[0] == -EBADF &&
	      results[1] == -EBADF && results[2] == 77);
	close(ends[0]);
	close(ends[1]);
}

static void check_interrupts(const struct server *server)
{
	struct rs_ring *ring = server->ring;
	uint64_t sent = 0, got = 0;
	uint32_t slot, next, round;
	int odd = 0;
	int ends[2];
	char byte;

	need("pipe", pipe2(ends, O_CLOEXEC));
	slot = post_blocking(server, SYS_read, (uint64_t)ends[0], (uint64_t)&byte, 1);
	check("a blocked call is interrupted",
	      rs_ring_interrupt(ring, slot, server->pidfd) == 0 &&
	      await(server, RS_PENDING + slot) == -EINTR);
	check("the next call is not", call(server, SYS_getpid, 0, 0, 0) == getpid());

	slot = post_blocking(server, SYS_read, (uint64_t)ends[0], (uint64_t)&byte, 1);
	next = (uint32_t)(rs_ring_call(ring, 0, 0, SYS_getpid, 0, 0, 0, 0, 0, 0) - RS_PENDING);
	check("a call that waits its turn is taken back",
	      rs_ring_interrupt(ring, next, server->pidfd) == 2 &&
	      write(ends[1], "x", 1) == 1 && await(server, RS_PENDING + slot) == 1 &&
	      await(server, RS_PENDING + next) == -EINTR);

	slot = post_blocking(server, SYS_read, (uint64_t)ends[0], (uint64_t)&byte, 1);
	/* to the thread, with no entry that asked for it: the kernel restarts the call */
	need("tgkill", syscall(SYS_tgkill, getpid(), server->tid, RS_INTERRUPT_SIGNAL));
	check("a signal that nobody asked for interrupts nothing",
	      write(ends[1], "x", 1) == 1 && await(server, RS_PENDING + slot) == 1);

	/* the interrupt arrives before, in and after the call: whatever the call took out of the
	 * pipe is in its result */
	for (round = 0; round < ROUNDS; round++) {
		int64_t posted, result;
		uint32_t pause;

		sent += need("write", write(ends[1], "x", 1));
		posted = rs_ring_call(ring, 0, 0, SYS_read, (uint64_t)ends[0], (uint64_t)&byte, 1, 0,
				      0, 0);
		for (pause = 0; pause < round % 64; pause++)
			sched_yield();
		if (posted < RS_PENDING + RS_ENTRIES)
			odd += rs_ring_interrupt(ring, (uint32_t)(posted - RS_PENDING),
						 server->pidfd) < 0;
		result = await(server, posted);
		got += result == 1;
		odd += result != 1 && result != -EINTR;
	}
	close(ends[1]);
	while (call(server, SYS_read, (uint64_t)ends[0], (uint64_t)&byte, 1) == 1)
		got++;
	check("an interrupt that races with a result loses nothing", odd == 0 && got == sent);
	close(ends[0]);
}

static void check_end(const struct server *server)
{
	/* its result is never written: nothing collects it */
	rs_ring_call(server->ring, 0, 0, SYS_exit, 0, 0, 0, 0, 0, 0);
	check("the server ends when it is told to", rs_wait_cleared((uint64_t)server->alive, PATIENCE));
}

int main(void)
{
	struct server server;

	setvbuf(stdout, 0, _IOLBF, 0);
	alarm(5 * PATIENCE / 1000); /* a hang ends as a failure */
	server = start();
	check_calls(&server);
	check_programs(&server);
	check_interrupts(&server);
	check_end(&server);
	return failures != 0;
}
