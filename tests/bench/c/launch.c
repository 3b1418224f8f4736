/* The least that it costs to run a program and wait for its end. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdlib.h>
#include <unistd.h>

static pid_t start(void)
{
	pid_t child = vfork();

	if (child < 0)
		fail("vfork");
	if (child == 0)
		become_true();
	return child;
}

uint64_t run_true(uint32_t count)
{
	uint64_t begin = now();
	uint32_t i;

	for (i = 0; i < count; i++)
		reap(start());
	return now() - begin;
}

/* COUNT of them, all started before the first is waited for. */
uint64_t run_true_at_once(uint32_t count)
{
	pid_t *children = calloc(count, sizeof *children);
	uint64_t begin, spent;
	uint32_t i;

	if (children == NULL)
		fail("calloc");
	begin = now();
	for (i = 0; i < count; i++)
		children[i] = start();
	for (i = 0; i < count; i++)
		reap(children[i]);
	spent = now() - begin;
	free(children);
	return spent;
}
