/* The freestanding server: runs in a steered process, makes the calls that it is told to.
 *
 * It shares the memory and the thread register of whoever cloned it. So nothing here may use a C
 * library, errno, thread-local storage, a stack protector or a global variable, and nothing may
 * allocate. It runs with the rights of the steered process. */
#include "atomic.h"
#include "wire.h"

#include <asm/sigcontext.h> /* before ucontext.h, which needs it and does not include it */
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#define EINTR_ 4
#define EINVAL_ 22
#define MSG_PEEK_ 0x2
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000

static inline int64_t kernel(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = {a, b, c, d, 0, 0};
	return rs_syscall(number, args);
}

/* Plain loops: a compiler that turned these into calls of memcpy would call itself for ever, so
 * the build forbids that (-fno-builtin, -ffreestanding, -fno-tree-loop-distribute-patterns). */
static void copy(void *to, const void *from, uint64_t length)
{
	unsigned char *t = to;
	const unsigned char *f = from;
	while (length >= 8) {
		uint64_t word;
		__builtin_memcpy(&word, f, 8);
		__builtin_memcpy(t, &word, 8);
		t += 8, f += 8, length -= 8;
	}
	while (length--)
		*t++ = *f++;
}

/* A child without a stack of its own would return into this very loop and serve a second time,
 * on a stack that its parent uses. Python refuses such calls with a named error; this is the
 * last line of defence, for programs that somebody wrote by number. */
static int64_t clone_call(long number, const uint64_t args[6])
{
	if (number == __NR_clone) {
		if (args[1] == 0)
			return -EINVAL_;
	} else {
		const struct clone_args *wanted = (const void *)args[0];
		if (wanted == 0 || args[1] < 64 || wanted->stack == 0)
			return -EINVAL_;
	}
	return rs_syscall_clone(number, args);
}

int64_t rs_call(long number, const uint64_t args[6], const uint32_t *state)
{
	switch (number) {
	case __NR_clone:
	case __NR_clone3:
		return clone_call(number, args);
#ifdef __NR_fork
	case __NR_fork:
	case __NR_vfork:
		return -EINVAL_;
#endif
	default:
		return state ? rs_syscall_interruptible(number, args, state)
			     : rs_syscall(number, args);
	}
}

uint32_t rs_run(const struct rs_op *ops, uint32_t count, int64_t *results,
		const uint32_t *state)
{
	uint32_t i, j;

	for (i = 0; i < count; i++) {
		const struct rs_op *op = &ops[i];
		uint64_t args[6];

		for (j = 0; j < 6; j++)
			args[j] = op->refs & (1u << j) ? (uint64_t)results[op->args[j]]
						       : op->args[j];
		if (op->kind == RS_OP_WRITE) {
			copy((void *)args[0], (const void *)args[2], args[1]);
			results[i] = 0;
		} else if (op->kind == RS_OP_READ) {
			copy((void *)args[2], (const void *)args[0], args[1]);
			results[i] = 0;
		} else {
			/* one more look, for calls that are not interruptible by themselves */
			if (state && LOAD(*state) == RS_INTERRUPT)
				results[i] = -EINTR_;
			else
				results[i] = rs_call(op->number, args, state);
			if (state && LOAD(*state) == RS_INTERRUPT)
				return i + 1;
			if (results[i] < 0 && results[i] >= -4095 &&
			    (op->flags & RS_OP_MUST_SUCCEED))
				return i + 1;
		}
	}
	return count;
}

struct kernel_sigaction {
	uint64_t handler; /* a function's address, or one of the two below */
	unsigned long flags;
#ifdef __x86_64__
	void (*restorer)(void);
#endif
	uint64_t mask;
};

#define DEFAULT_ 0ul
#define IGNORE_ 1ul
#define RESTART_ 0x10000000ul
#define SIGINFO_ 4ul
#define RESTORER_ 0x04000000ul

static void set_handler(long sig, uint64_t handler)
{
	const struct kernel_sigaction action = {
		.handler = handler,
		.flags = RESTART_ | SIGINFO_
#ifdef __x86_64__
			 | RESTORER_,
		.restorer = rs_sigreturn
#endif
	};
	/* can fail for SIGKILL and SIGSTOP only, whose disposition nobody can change */
	(void)kernel(__NR_rt_sigaction, (uint64_t)sig, (uint64_t)&action, 0, sizeof action.mask);
}

/* What CLONE_CLEAR_SIGHAND does: handlers go, ignored signals stay ignored. */
static void reset_handler(long sig)
{
	struct kernel_sigaction now = {.handler = DEFAULT_};

	(void)kernel(__NR_rt_sigaction, (uint64_t)sig, 0, (uint64_t)&now, sizeof now.mask);
	if (now.handler != IGNORE_)
		set_handler(sig, DEFAULT_);
}

/* Runs in the steered process, on the server's stack, hence the ring at its base. A call that is
 * about to be entered, or that the kernel put back to be restarted, becomes -EINTR; a call that
 * had finished keeps its result; a signal that nobody asked for (state is not INTERRUPT) changes
 * nothing, and the kernel restarts what it interrupted. */
static void on_interrupt(int sig, void *info, void *context)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);
	struct rs_ring *ring = (void *)(here & ~(uint64_t)(RS_BLOCK_SIZE - 1));
	struct ucontext *user = context;
	struct rs_entry *entry;
	uint64_t pc;

	(void)sig;
	(void)info;
	if (ring->magic != RS_MAGIC)
		return;
	entry = &ring->entries[LOAD(ring->current) % RS_ENTRIES];
	if (LOAD(entry->state) != RS_INTERRUPT)
		return;
#if defined(__x86_64__)
	pc = user->uc_mcontext.rip;
#else
	pc = user->uc_mcontext.pc;
#endif
	if (pc >= (uint64_t)rs_interruptible_begin && pc <= (uint64_t)rs_interruptible_syscall) {
#if defined(__x86_64__)
		user->uc_mcontext.rip = (uint64_t)rs_interruptible_cancel;
#else
		user->uc_mcontext.pc = (uint64_t)rs_interruptible_cancel;
#endif
	}
	STORE(entry->seen, 1);
}

/* Closes everything but the standard streams and what is to be kept. From the highest on: a table
 * that is the client's until now is copied by the first call, which leaves out what it closes. */
static int64_t close_others(const struct rs_ring *ring)
{
	const int32_t *kept = ring->kept ? (const void *)ring->kept : &ring->doorbell;
	uint32_t i = ring->kept ? ring->kept_count : 1, end = UINT32_MAX;
	int64_t failure = 0;

	for (;; i--) {
		const uint32_t below = i > 0 && kept[i - 1] > 2 ? (uint32_t)kept[i - 1] : 2;

		if (below < end)
			failure = kernel(__NR_close_range, below + 1, end, CLOSE_RANGE_UNSHARE, 0);
		if (failure != 0 || below == 2)
			return failure;
		end = below - 1;
	}
}

static void set_up(struct rs_ring *ring)
{
	char byte;
	const uint64_t peek[6] = {(uint64_t)ring->doorbell, (uint64_t)&byte, 1,
				  MSG_PEEK_ | MSG_DONTWAIT_, 0, 0};
	int64_t parent;
	long sig;

	/* first of all: from here on nobody outlives the client */
	if (ring->death_signal)
		(void)kernel(__NR_prctl, PR_SET_PDEATHSIG, ring->death_signal, 0, 0);
	/* it may have died before that; 0 is a parent outside of our pid namespace */
	parent = kernel(__NR_getppid, 0, 0, 0, 0);
	if (ring->parent && parent && parent != ring->parent)
		(void)kernel(__NR_exit_group, 0, 0, 0, 0);
	if (ring->setup & RS_SETUP_RESET)
		for (sig = 1; sig <= 64; sig++)
			reset_handler(sig);
	if (ring->setup & RS_SETUP_HANDLERS) {
		set_handler(RS_INTERRUPT_SIGNAL, (uint64_t)on_interrupt);
		/* a write to a broken pipe is an error of that write, not our death */
		set_handler(SIGPIPE, IGNORE_);
	}
	(void)kernel(__NR_rt_sigprocmask, SIG_SETMASK, (uint64_t)&ring->signal_mask, 0, 8);
	if (ring->setup & RS_SETUP_OWN_FILES) {
		ring->failure = (int32_t)close_others(ring);
		/* also where the parent's id tells nothing: a dead client's end is closed */
		if (ring->failure || rs_syscall(__NR_recvfrom, peek) == 0)
			(void)kernel(__NR_exit_group, 0, 0, 0, 0);
	}
}

/* What the server knows of its client's processor. */
struct neighbour {
	uint64_t last;     /* when it last looked for work, in ticks */
	uint32_t met;      /* hot requests in a row that found both on one processor */
	uint32_t apart;    /* requests in a row that did not */
	uint32_t patience; /* how many are enough to move; grows when moving does not last */
};

/* Moves to any other processor that we may run on, and takes the restriction back. Each round trip
 * between two that share one costs two switches of context; and since both sleep in turn, the
 * kernel sees nothing to balance. */
static void step_aside(uint32_t cpu)
{
	uint64_t allowed[16], others[16], rest = 0;
	int64_t size = kernel(__NR_sched_getaffinity, 0, sizeof allowed, (uint64_t)allowed, 0);
	uint32_t i;

	if (size <= 0 || cpu >= (uint64_t)size * 8)
		return;
	for (i = 0; i < (uint64_t)size / 8; i++) {
		others[i] = allowed[i];
		if (i == cpu / 64)
			others[i] &= ~(1ull << cpu % 64);
		rest |= others[i];
	}
	if (rest == 0 ||
	    kernel(__NR_sched_setaffinity, 0, (uint64_t)size, (uint64_t)others, 0) != 0)
		return;
	/* can fail only if our cpuset has changed meanwhile: then its new one holds */
	(void)kernel(__NR_sched_setaffinity, 0, (uint64_t)size, (uint64_t)allowed, 0);
}

/* Looks where both are; returns how long it is worth looking for work. */
static uint32_t spin_now(struct rs_ring *ring, struct neighbour *client)
{
	struct rs_place here;
	uint32_t hot;

	if (!(ring->setup & RS_SETUP_CPU))
		return LOAD(ring->spin);
	here = place_now(1);
	hot = here.ticks - client->last < RS_HOT_TICKS;
	client->last = here.ticks;
	if (LOAD(ring->client_cpu) != here.cpu) {
		STORE(ring->server_cpu, here.cpu);
		client->met = 0;
		if (++client->apart == RS_APART)
			client->patience = ring->patience;
		return LOAD(ring->spin);
	}
	client->apart = 0;
	if (!hot)
		client->met = 0;
	else if (client->patience && ++client->met >= client->patience) {
		step_aside(here.cpu);
		STORE(ring->moves, ring->moves + 1);
		client->met = 0;
		client->patience *= 4; /* after 2^32: 0, never again */
		here = place_now(1);
	}
	STORE(ring->server_cpu, here.cpu);
	/* on the client's own processor a spin only keeps it from posting */
	return LOAD(ring->client_cpu) == here.cpu ? 0 : LOAD(ring->spin);
}

static void wait_for_work(struct rs_ring *ring, uint32_t done, struct neighbour *client)
{
	uint32_t i;

	for (;;) {
		const uint32_t spin = spin_now(ring, client);

		for (i = 0; i < spin; i++) {
			if (LOAD(ring->head) != done)
				return;
			relax();
		}
		/* say that we sleep, then look once more: either we see the new head, or the
		 * client sees the flag and wakes us */
		(void)__atomic_exchange_n(&ring->parked, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&ring->head, __ATOMIC_SEQ_CST) != done) {
			STORE(ring->parked, 0);
			return;
		}
		/* any way back (woken, value changed, a signal) leads to a new look */
		(void)kernel(__NR_futex, (uint64_t)&ring->parked, FUTEX_WAIT, 1, 0);
		STORE(ring->parked, 0);
		if (LOAD(ring->head) != done)
			return;
	}
}

static void carry_out(struct rs_entry *entry)
{
	uint32_t expected = RS_POSTED;

	if (!__atomic_compare_exchange_n(&entry->state, &expected, RS_RUNNING, 0,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* cancelled before it began */
		entry->result = entry->kind == RS_ENTRY_CALL ? -EINTR_ : 0;
	} else if (entry->kind == RS_ENTRY_CALL) {
		entry->result = rs_call(entry->number, entry->args, &entry->state);
	} else {
		entry->result = rs_run((const struct rs_op *)entry->args[0], entry->number,
				       (int64_t *)entry->args[1], &entry->state);
	}
	expected = RS_RUNNING;
	if (!__atomic_compare_exchange_n(&entry->state, &expected, RS_DONE, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_ACQUIRE)) {
		/* a signal is on its way to us: it belongs to this entry, so it is awaited here */
		while (expected == RS_INTERRUPT && !LOAD(entry->seen))
			(void)kernel(__NR_sched_yield, 0, 0, 0, 0);
		__atomic_store_n(&entry->state, RS_DONE, __ATOMIC_SEQ_CST);
	}
}

static void tell(const struct rs_ring *ring, const struct rs_entry *entry, uint32_t how)
{
	static const char byte = 1;
	const uint64_t args[6] = {(uint64_t)ring->doorbell, (uint64_t)&byte, 1,
				  MSG_NOSIGNAL_ | MSG_DONTWAIT_, 0, 0};
	if (how & RS_WAITS_FUTEX)
		(void)kernel(__NR_futex, (uint64_t)&entry->state, FUTEX_WAKE, 1, 0);
	/* EAGAIN: unread bytes are there already. EPIPE: nobody is left to tell */
	if (how & RS_WAITS_DOORBELL)
		(void)rs_syscall(__NR_sendto, args);
}

void rs_serve(struct rs_ring *ring)
{
	struct neighbour client = {.patience = ring->patience};
	uint32_t done = 0;

	set_up(ring);
	for (;;) {
		struct rs_entry *entry;
		uint32_t how;

		wait_for_work(ring, done, &client);
		STORE(ring->current, done % RS_ENTRIES);
		entry = &ring->entries[done % RS_ENTRIES];
		carry_out(entry);
		/* whoever waits sees the end of the doorbell, and the result in memory */
		if (ring->setup & RS_SETUP_ONCE)
			(void)kernel(__NR_exit_group, 0, 0, 0, 0);
		done++;
		how = __atomic_exchange_n(&ring->client_waits, 0, __ATOMIC_SEQ_CST);
		if (how)
			tell(ring, entry, how);
	}
}
