/* The least that it costs to run a program in new namespaces, with id maps written from outside.
 *
 * As the library does it, and as every tool must that maps more than one id: the child waits until
 * its parent has written the maps, makes its mounts private, and execs. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 16384u
#define THREE (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS)
#define SEVEN (THREE | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP)

static _Alignas(16) char stack[STACK_SIZE];
static uint32_t mapped; /* set by the parent once the maps are written */

/* Runs in the child, which shares our memory and our thread's errno: nothing here reads that. */
static int child_main(void *unused)
{
	(void)unused;
	while (__atomic_load_n(&mapped, __ATOMIC_SEQ_CST) == 0)
		(void)syscall(SYS_futex, &mapped, FUTEX_WAIT, 0, 0, 0, 0);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		_exit(126);
	become_true();
}

static bool put(pid_t child, const char *name, const char *text)
{
	const size_t length = strlen(text);
	char path[64];
	bool done;
	int file;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)child, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	done = write(file, text, length) == (ssize_t)length;
	return close(file) == 0 && done;
}

static bool map_ids(pid_t child)
{
	char uids[64], gids[64];

	(void)snprintf(uids, sizeof uids, "%u %u 1\n", geteuid(), geteuid());
	(void)snprintf(gids, sizeof gids, "%u %u 1\n", getegid(), getegid());
	return put(child, "setgroups", "deny") && put(child, "uid_map", uids) &&
	       put(child, "gid_map", gids);
}

static uint64_t run(uint32_t count, int namespaces)
{
	uint64_t begin = now();
	uint32_t i;

	for (i = 0; i < count; i++) {
		pid_t child;

		__atomic_store_n(&mapped, 0, __ATOMIC_SEQ_CST);
		child = clone(child_main, stack + STACK_SIZE, CLONE_VM | namespaces | SIGCHLD, NULL);
		if (child < 0)
			fail("clone");
		if (!map_ids(child)) {
			const int error = errno;

			(void)kill(child, SIGKILL);
			(void)waitpid(child, NULL, 0);
			errno = error;
			fail("id maps");
		}
		__atomic_store_n(&mapped, 1, __ATOMIC_SEQ_CST);
		if (syscall(SYS_futex, &mapped, FUTEX_WAKE, 1, 0, 0, 0) < 0)
			fail("futex wake");
		reap(child);
	}
	return now() - begin;
}

uint64_t run_in_three_namespaces(uint32_t count)
{
	return run(count, THREE);
}

uint64_t run_in_seven_namespaces(uint32_t count)
{
	return run(count, SEVEN);
}
