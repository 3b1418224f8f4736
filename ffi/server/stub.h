/* What the two parts of the stub have in common: bare calls, and how they read their arguments. */
#ifndef RSYSCALL_NS_STUB_H
#define RSYSCALL_NS_STUB_H

#include "wire.h"

#include <asm/unistd.h>

/* Where the fourth to sixth arguments matter. */
static inline int64_t kernel(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
			     uint64_t e)
{
	const uint64_t args[6] = {a, b, c, d, e, 0};
	return rs_syscall(number, args);
}

static inline void leave(uint64_t status)
{
	for (;;)
		(void)kernel(__NR_exit_group, status, 0, 0, 0, 0);
}

/* The next of the hexadecimal numbers of a string, each of which ends in one other character. */
static inline uint64_t number_at(const char **text)
{
	uint64_t value = 0;

	for (;; ++*text) {
		const char c = **text;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (**text)
		++*text;
	return value;
}

#endif
