#define _GNU_SOURCE
#include "host.h"

#include "../server/atomic.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t rs_direct_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		       uint64_t f)
{
	const uint64_t args[6] = {a, b, c, d, e, f};
	return rs_call(number, args, 0);
}

int64_t rs_direct_run(uint64_t ops, uint32_t count, uint64_t results)
{
	return rs_run((const struct rs_op *)ops, count, (int64_t *)results, 0);
}

uint64_t rs_entry_point(void)
{
	return (uint64_t)rs_serve;
}

/* Whether place_now() works: x86_64 processors may lack rdtscp, above all emulated ones. Asked once:
 * in a virtual machine the question itself takes as long as a clone. */
static uint32_t can_tell_cpu(void)
{
	static uint32_t known; /* 0: not yet; 1: no; else RS_SETUP_CPU */
	uint32_t answer = LOAD(known);

	if (answer == 0) {
		answer = 1;
#if defined(__x86_64__)
		uint32_t a, b, c, d;

		if (__get_cpuid(0x80000001u, &a, &b, &c, &d) && d & 1u << 27)
			answer = RS_SETUP_CPU;
#endif
		STORE(known, answer); /* two threads that ask at once get the same answer */
	}
	return answer & RS_SETUP_CPU;
}

void rs_ring_prepare(struct rs_ring *ring, uint64_t entry, uint32_t setup, int doorbell,
		     uint64_t kept, uint32_t kept_count, uint32_t death_signal,
		     uint64_t signal_mask, uint32_t spin)
{
	uint64_t *start = (uint64_t *)(void *)((char *)ring + RS_BLOCK_SIZE) - 2;

	memset(ring, 0, sizeof *ring);
	start[0] = entry;
	start[1] = (uint64_t)ring;
	ring->magic = RS_MAGIC;
	ring->version = RS_WIRE_VERSION;
	ring->setup = setup | can_tell_cpu();
	ring->client_cpu = UINT32_MAX;
	ring->server_cpu = UINT32_MAX - 1;
	ring->doorbell = doorbell;
	ring->kept = kept;
	ring->kept_count = kept_count;
	ring->death_signal = death_signal;
	ring->signal_mask = signal_mask;
	ring->spin = spin;
	ring->patience = RS_PATIENCE;
}

/* Makes the entry visible, and wakes a server that sleeps. */
static void publish(struct rs_ring *ring, struct rs_entry *entry)
{
	entry->seen = 0;
	STORE(entry->state, RS_POSTED);
	if (ring->setup & RS_SETUP_CPU)
		STORE(ring->client_cpu, place_now(0).cpu);
	(void)__atomic_exchange_n(&ring->head, ring->head + 1, __ATOMIC_SEQ_CST);
	ring->woken = __atomic_load_n(&ring->parked, __ATOMIC_SEQ_CST) &&
		      __atomic_exchange_n(&ring->parked, 0, __ATOMIC_SEQ_CST);
	if (ring->woken)
		/* can't fail for a mapped word; how many were woken does not matter */
		(void)syscall(SYS_futex, &ring->parked, FUTEX_WAKE, 1, 0, 0, 0);
}

int rs_ring_done(const struct rs_ring *ring, uint32_t slot)
{
	return LOAD(ring->entries[slot].state) == RS_DONE;
}

/* Whether an entry was begun and has no end: of a dead server, that it has left it by an exec, or
 * was killed in it. */
int rs_ring_left(const struct rs_ring *ring, uint32_t slot)
{
	return LOAD(ring->entries[slot].state) == RS_RUNNING;
}

int64_t rs_ring_collect(struct rs_ring *ring, uint32_t slot)
{
	struct rs_entry *entry = &ring->entries[slot];
	int64_t result = entry->result;

	STORE(entry->state, RS_EMPTY);
	return result;
}

/* Waits for the entry for a short while: looking, unless the server needs our processor to get on,
 * and then sleeping, so that it has the processor. A server that had to be woken elsewhere gets the
 * time that takes. */
int64_t rs_ring_wait(struct rs_ring *ring, uint32_t slot, uint32_t spin, uint32_t nanoseconds)
{
	const struct timespec limit = {.tv_sec = 0, .tv_nsec = nanoseconds};
	uint32_t *state = &ring->entries[slot].state;
	uint32_t i, seen;

	if ((ring->setup & RS_SETUP_CPU) && LOAD(ring->server_cpu) == ring->client_cpu)
		spin = 0;
	else if (ring->woken && spin) {
		spin *= RS_WAKING;
		nanoseconds = 0;
	}
	for (i = 0; i < spin; i++) {
		if (rs_ring_done(ring, slot))
			return rs_ring_collect(ring, slot);
		relax();
	}
	if (nanoseconds) {
		(void)__atomic_fetch_or(&ring->client_waits, RS_WAITS_FUTEX, __ATOMIC_SEQ_CST);
		/* twice: the server's step from POSTED to RUNNING ends the first wait early */
		for (i = 0; i < 2; i++) {
			seen = __atomic_load_n(state, __ATOMIC_SEQ_CST);
			if (seen == RS_DONE)
				break;
			(void)syscall(SYS_futex, state, FUTEX_WAIT, seen, &limit, 0, 0);
		}
		if (rs_ring_done(ring, slot))
			return rs_ring_collect(ring, slot);
	}
	return RS_PENDING + slot;
}

static struct rs_entry *take(struct rs_ring *ring, uint32_t *slot)
{
	struct rs_entry *entry;

	*slot = ring->head % RS_ENTRIES;
	entry = &ring->entries[*slot];
	return LOAD(entry->state) == RS_EMPTY ? entry : 0;
}

int64_t rs_ring_call(struct rs_ring *ring, uint32_t spin, uint32_t nanoseconds, long number, uint64_t a, uint64_t b,
		     uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	uint32_t slot;
	struct rs_entry *entry = take(ring, &slot);

	if (!entry)
		return RS_FULL;
	entry->kind = RS_ENTRY_CALL;
	entry->number = (uint32_t)number;
	entry->args[0] = a;
	entry->args[1] = b;
	entry->args[2] = c;
	entry->args[3] = d;
	entry->args[4] = e;
	entry->args[5] = f;
	publish(ring, entry);
	return rs_ring_wait(ring, slot, spin, nanoseconds);
}

int64_t rs_ring_run(struct rs_ring *ring, uint32_t spin, uint32_t nanoseconds, uint64_t ops, uint32_t count,
		    uint64_t results)
{
	uint32_t slot;
	struct rs_entry *entry = take(ring, &slot);

	if (!entry)
		return RS_FULL;
	entry->kind = RS_ENTRY_PROGRAM;
	entry->number = count;
	entry->args[0] = ops;
	entry->args[1] = results;
	publish(ring, entry);
	return rs_ring_wait(ring, slot, spin, nanoseconds);
}

/* Asks for a byte on the doorbell at the next completion. Look at every pending entry after
 * this and before sleeping: one that finished earlier rings no more. */
void rs_ring_arm(struct rs_ring *ring)
{
	(void)__atomic_fetch_or(&ring->client_waits, RS_WAITS_DOORBELL, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Takes back an entry that has not begun: 2, and as below; else 1. */
int rs_ring_take_back(struct rs_ring *ring, uint32_t slot)
{
	uint32_t expected = RS_POSTED;

	return __atomic_compare_exchange_n(&ring->entries[slot].state, &expected, RS_CANCELLED, 0,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
		       ? 2
		       : 1;
}

/* Makes the entry end early if that can be: 0 asked for; 1 it had ended anyway; 2 it had not begun,
 * and never will: nobody looks at what it points to any more, and its slot is done (and to be
 * collected) when its turn comes; -errno when it runs and could not be signalled. */
int rs_ring_interrupt(struct rs_ring *ring, uint32_t slot, int pidfd)
{
	struct rs_entry *entry = &ring->entries[slot];
	uint32_t expected = RS_RUNNING;
	int failure;

	if (rs_ring_take_back(ring, slot) == 2)
		return 2;
	if (!__atomic_compare_exchange_n(&entry->state, &expected, RS_INTERRUPT, 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return expected == RS_INTERRUPT ? 0 : 1;
	if (syscall(SYS_pidfd_send_signal, pidfd, RS_INTERRUPT_SIGNAL, 0, 0) == 0)
		return 0;
	failure = errno;
	STORE(entry->seen, 1); /* nothing is on its way that the server could wait for */
	return -failure;
}

/* What one relax() costs differs by a factor of ten between processors: measure it. */
uint32_t rs_pauses_per_microsecond(void)
{
	struct timespec start, end;
	int64_t spent, best = INT64_MAX;
	uint32_t i, round;

	for (round = 0; round < 5; round++) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		for (i = 0; i < 500; i++)
			relax();
		clock_gettime(CLOCK_MONOTONIC, &end);
		spent = (end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec - start.tv_nsec;
		if (spent < best)
			best = spent;
	}
	return best > 0 && best < 500000 ? (uint32_t)(500000 / best) : 1;
}

void rs_ring_add_setup(struct rs_ring *ring, uint32_t setup)
{
	ring->setup |= setup;
}

void rs_ring_set_spin(struct rs_ring *ring, uint32_t spin)
{
	STORE(ring->spin, spin);
}

int rs_ring_failure(const struct rs_ring *ring)
{
	return ring->failure;
}

/* Maps a part of a file that others map too: 0, or -errno; -EEXIST where something lies already. */
int rs_map_at(uint64_t address, uint64_t size, int fd)
{
	void *const wanted = (void *)address;
	void *const got = mmap(wanted, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, 0);

	if (got == MAP_FAILED)
		return -errno;
	if (got == wanted)
		return 0;
	/* before Linux 4.17 the flag is not known, and the address a wish */
	(void)munmap(got, size);
	return -EEXIST;
}

/* Maps the beginning of a file that others write, to be read: its address, or -errno. */
int64_t rs_map_shown(uint64_t size, int fd)
{
	const void *const got = mmap(0, size, PROT_READ, MAP_SHARED, fd, 0);

	return got == MAP_FAILED ? -errno : (int64_t)got;
}

void rs_unmap(void *address, uint64_t size)
{
	/* can't fail for what was mapped so */
	(void)munmap(address, size);
}

/* Waits until the kernel has cleared the word (CLONE_CHILD_CLEARTID): 1, or 0 when the time is
 * up. */
int rs_wait_cleared(uint64_t address, uint32_t milliseconds)
{
	const struct timespec limit = {.tv_sec = milliseconds / 1000,
				       .tv_nsec = (milliseconds % 1000) * 1000000l};
	const uint32_t *word = (const uint32_t *)address;
	uint32_t value = LOAD(*word);

	if (value == 0)
		return 1;
	(void)syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, 0, 0);
	return LOAD(*word) == 0;
}
