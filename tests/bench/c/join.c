/* What it costs in C to run a program in the seven namespaces of a process, and to wait for it.
 *
 * As nsenter does it: a process joins them, one by one, and the program runs in a child of it, since
 * a pid namespace is joined for children. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE 16384u
#define SEVEN                                                                                      \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS |                \
	 CLONE_NEWIPC | CLONE_NEWCGROUP)

static _Alignas(16) char stack[STACK_SIZE];
static pid_t box; /* whose namespaces are joined: made once, dies with us */

static int stay(void *unused)
{
	(void)unused;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		_exit(126);
	for (;;)
		(void)pause();
}

/* The user namespace last: whoever is in there has no rights over the others any more. */
static _Noreturn void join(void)
{
	static const char *const names[] = {"cgroup", "uts", "ipc", "pid", "net", "mnt", "user"};
	int status;
	pid_t child;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];
		int file;

		(void)snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)box, names[i]);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0 || setns(file, 0) != 0 || close(file) != 0)
			_exit(125);
	}
	child = fork();
	if (child == 0)
		become_true();
	if (child < 0 || waitpid(child, &status, 0) != child)
		_exit(124);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 123);
}

uint64_t run_in_seven_of_another(uint32_t count)
{
	uint64_t begin;
	uint32_t i;

	if (box == 0) {
		box = clone(stay, stack + STACK_SIZE, SEVEN | SIGCHLD, NULL);
		if (box < 0)
			fail("clone");
	}
	begin = now();
	for (i = 0; i < count; i++) {
		const pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			join();
		reap(child);
	}
	return now() - begin;
}
