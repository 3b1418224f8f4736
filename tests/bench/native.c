/* What the same things cost in plain C: the floor that Python is compared with.
 *
 * Reads commands "NAME COUNT" from its standard input, carries each out COUNT times, and answers
 * with nanoseconds for one. Ends when its input does. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 200u

struct table {
	uint32_t ball;      /* odd: the other process's turn */
	uint32_t padding[15];
	uint32_t reply;     /* the last turn that it has answered */
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
		fail("clock_gettime");
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t bare_getuid(uint32_t count)
{
	uint64_t start = now();
	uint32_t i;

	for (i = 0; i < count; i++)
		(void)syscall(SYS_getuid);
	return now() - start;
}

/* Sleeps until the word is no longer as given; no looking in between. */
static void sleep_while(uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value)
		if (syscall(SYS_futex, word, FUTEX_WAIT, value, 0, 0, 0) != 0 &&
		    errno != EAGAIN && errno != EINTR)
			fail("futex wait");
}

static void set_and_wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0) < 0)
		fail("futex wake");
}

static _Noreturn void answer(struct table *table, uint32_t turns)
{
	uint32_t turn;

	for (turn = 1; turn <= turns; turn++) {
		sleep_while(&table->ball, turn - 1);
		(void)syscall(SYS_getuid);
		set_and_wake(&table->reply, turn);
	}
	_exit(0);
}

static void reap(pid_t child)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)child, &info, WEXITED) != 0)
		if (errno != EINTR)
			fail("waitid");
}

/* One process has another make getuid and tell that it did; both sleep in between. */
static uint64_t ping_pong(uint32_t count)
{
	struct table *table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const uint32_t turns = WARM_UP + count;
	uint64_t start = 0, spent;
	uint32_t turn;
	pid_t child;

	if (table == MAP_FAILED)
		fail("mmap");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0)
		answer(table, turns);
	for (turn = 1; turn <= turns; turn++) {
		if (turn == WARM_UP + 1)
			start = now();
		set_and_wake(&table->ball, turn);
		sleep_while(&table->reply, turn - 1);
	}
	spent = now() - start;
	reap(child);
	if (munmap(table, sizeof *table) != 0)
		fail("munmap");
	return spent;
}

static uint64_t run_true(uint32_t count)
{
	static char name[] = "true";
	static char *const arguments[] = {name, NULL};
	uint64_t start = now();
	uint32_t i;

	for (i = 0; i < count; i++) {
		pid_t child = vfork();

		if (child < 0)
			fail("vfork");
		if (child == 0) {
			execve("/bin/true", arguments, environ);
			_exit(127);
		}
		reap(child);
	}
	return now() - start;
}

int main(void)
{
	char name[16];
	unsigned int count;

	while (scanf("%15s %u", name, &count) == 2 && count > 0) {
		uint64_t spent;

		if (strcmp(name, "getuid") == 0)
			spent = bare_getuid(count);
		else if (strcmp(name, "pingpong") == 0)
			spent = ping_pong(count);
		else if (strcmp(name, "true") == 0)
			spent = run_true(count);
		else
			return 2;
		printf("%.3f\n", (double)spent / count);
		if (fflush(stdout) != 0)
			return 1;
	}
	return 0;
}
