/* What the same things cost in plain C: the floor that Python is compared with.
 *
 * Reads commands "NAME COUNT" from its standard input, carries each out COUNT times, and answers
 * with nanoseconds for one, or "- REASON" before it ends with a failure. Ends when its input does. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *name;
	measurement *run;
} measurements[] = {
	{"getuid", bare_getuid},
	{"copy", copy_there_and_back},
	{"pingpong1", ping_pong_one_cpu},
	{"pingpong2", ping_pong_two_cpus},
	{"parked", ping_pong_parked},
	{"true", run_true},
	{"atonce", run_true_at_once},
	{"three", run_in_three_namespaces},
	{"seven", run_in_seven_namespaces},
	{"join", run_in_seven_of_another},
};

_Noreturn void fail(const char *what)
{
	printf("- %s: %s\n", what, strerror(errno));
	(void)fflush(stdout);
	exit(1);
}

uint64_t now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
		fail("clock_gettime");
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void reap(pid_t child)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)child, &info, WEXITED) != 0)
		if (errno != EINTR)
			fail("waitid");
	if (info.si_code != CLD_EXITED || info.si_status != 0) {
		errno = ECHILD;
		fail("the child failed");
	}
}

_Noreturn void become_true(void)
{
	static char name[] = "true";
	static char *const arguments[] = {name, NULL};

	(void)execve("/bin/true", arguments, environ);
	_exit(127);
}

int main(void)
{
	char name[16];
	unsigned int count;

	while (scanf("%15s %u", name, &count) == 2 && count > 0) {
		measurement *run = NULL;
		size_t i;

		for (i = 0; i < sizeof measurements / sizeof *measurements; i++)
			if (strcmp(name, measurements[i].name) == 0)
				run = measurements[i].run;
		if (run == NULL)
			return 2;
		printf("%.3f\n", (double)run(count) / count);
		if (fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
