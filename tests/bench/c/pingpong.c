/* One process has another make getuid and tell that it did; both sleep on futexes in between.
 *
 * On processors that are named, as it makes a great difference which they are: a sleeper on a
 * processor of its own lets that go idle, and waking it takes an interrupt. */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WARM_UP 20u
#define PAUSE 100000u /* nanoseconds, in which the other one has long fallen asleep */
#define NONE (-1)

struct table {
	uint32_t ball;        /* how many turns the other process was given */
	uint32_t padding[15]; /* so that the two words don't share a cache line */
	uint32_t reply;       /* the last turn that it has answered */
};

struct place {
	int ours, theirs; /* processors */
	bool pause;       /* whether the other process rests before each turn */
};

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

static void move_to(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		fail("sched_setaffinity");
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

static void rest(void)
{
	uint64_t until = now() + PAUSE;

	while (now() < until)
		;
}

static uint64_t play(uint32_t count, struct place place)
{
	struct table *table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const uint32_t turns = WARM_UP + count;
	uint64_t spent = 0;
	uint32_t turn;
	pid_t child;

	if (table == MAP_FAILED)
		fail("mmap");
	move_to(place.ours);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		move_to(place.theirs);
		answer(table, turns);
	}
	for (turn = 1; turn <= turns; turn++) {
		uint64_t start;

		if (place.pause)
			rest();
		start = now();
		set_and_wake(&table->ball, turn);
		sleep_while(&table->reply, turn - 1);
		if (turn > WARM_UP)
			spent += now() - start;
	}
	reap(child);
	if (munmap(table, sizeof *table) != 0)
		fail("munmap");
	return spent;
}

/* The first processors that we may use; asked for once, before we give some of them up. */
static int processor(unsigned int which)
{
	static int found[2] = {NONE, NONE};
	cpu_set_t set;
	unsigned int count = 0;
	int i;

	if (found[0] == NONE) {
		if (sched_getaffinity(0, sizeof set, &set) != 0)
			fail("sched_getaffinity");
		for (i = 0; i < CPU_SETSIZE && count < 2; i++)
			if (CPU_ISSET((size_t)i, &set))
				found[count++] = i;
	}
	if (found[which] == NONE) {
		errno = ENODEV;
		fail("a second processor");
	}
	return found[which];
}

uint64_t ping_pong_one_cpu(uint32_t count)
{
	return play(count, (struct place){processor(0), processor(0), false});
}

uint64_t ping_pong_two_cpus(uint32_t count)
{
	return play(count, (struct place){processor(0), processor(1), false});
}

uint64_t ping_pong_parked(uint32_t count)
{
	return play(count, (struct place){processor(0), processor(1), true});
}
