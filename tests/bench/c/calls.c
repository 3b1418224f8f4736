/* The least that a system call can cost, and the least that moving memory can. */
#define _GNU_SOURCE
#include "bench.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE (1u << 20)

uint64_t bare_getuid(uint32_t count)
{
	uint64_t start = now();
	uint32_t i;

	for (i = 0; i < count; i++)
		(void)syscall(SYS_getuid);
	return now() - start;
}

static void *pages(int kind)
{
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

/* From our own memory into shared memory, where a child would see it, and back: two copies. */
uint64_t copy_there_and_back(uint32_t count)
{
	static void *from, *shared, *to;
	uint64_t start;
	uint32_t i;

	if (from == NULL) {
		from = memset(pages(MAP_PRIVATE), 1, SIZE);
		shared = memset(pages(MAP_SHARED), 2, SIZE);
		to = memset(pages(MAP_PRIVATE), 3, SIZE);
	}
	start = now();
	for (i = 0; i < count; i++) {
		memcpy(shared, from, SIZE);
		__asm__ volatile("" : : "r"(shared) : "memory"); /* nobody leaves a copy out */
		memcpy(to, shared, SIZE);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	return now() - start;
}
