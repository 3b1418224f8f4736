/* The one description of what a client and a server exchange.
 *
 * Everything here is read by three readers: the freestanding server, the host side that is
 * linked into the interpreter, and (through cffi, and through struct formats that a test
 * compares with these sizes) Python. Nothing here is architecture dependent on the 64-bit
 * little-endian machines that the project supports. */
#ifndef RSYSCALL_NS_WIRE_H
#define RSYSCALL_NS_WIRE_H

#include <stdint.h>

/* extern declarations too: a call through a table that the dynamic linker fills would run it */
#pragma GCC visibility push(hidden)

#define RS_WIRE_VERSION 1u
#define RS_MAGIC 0x72737973u /* "rsys": what a server finds at the base of its block */

/* A server's block is one allocation of this size, aligned to this size: the ring at its
 * lowest address, the stack at its top. A signal handler thus finds its ring from its own stack
 * pointer; the server needs neither a global nor a thread-local variable for it. */
#define RS_BLOCK_SIZE 16384u
#define RS_RING_SIZE 4096u
#define RS_ENTRIES 16u

/* The signal that interrupts a blocked call. The last real-time signal: C libraries keep the
 * first ones for themselves. */
#define RS_INTERRUPT_SIGNAL 64

#define RS_OP_CALL 1u
#define RS_OP_WRITE 2u
#define RS_OP_READ 3u

#define RS_OP_MUST_SUCCEED 1u

/* One step of a program. CALL: args are the six arguments; bit i of refs says that args[i] is
 * the index of an earlier step whose result is the argument. WRITE: copy args[1] bytes from
 * args[2] (the program's own payload) to args[0]. READ: copy args[1] bytes from args[0] to
 * args[2] (the program's own reply area). */
struct rs_op {
	uint8_t kind;
	uint8_t flags;
	uint8_t refs;
	uint8_t reserved0;
	uint32_t number;
	uint64_t args[6];
	uint64_t reserved1;
};

/* States of a ring entry, in an entry's first word.
 *
 *   EMPTY -> POSTED -> RUNNING -> DONE -> EMPTY
 *              |          |        ^
 *              v          v        |
 *          CANCELLED   INTERRUPT --+
 *              |                   |
 *              +-------------------+
 *
 * The client moves EMPTY->POSTED, POSTED->CANCELLED, RUNNING->INTERRUPT and DONE->EMPTY; the
 * server moves the rest. Whoever moves to INTERRUPT owes the server one signal, and the server
 * does not leave the entry before that signal was seen: an interrupt can't hit a later call. */
#define RS_EMPTY 0u
#define RS_POSTED 1u
#define RS_RUNNING 2u
#define RS_INTERRUPT 3u
#define RS_DONE 4u
#define RS_CANCELLED 5u

#define RS_ENTRY_CALL 0u
#define RS_ENTRY_PROGRAM 1u

struct rs_entry {
	uint32_t state;
	uint32_t kind;
	uint32_t number;   /* CALL: the system call. PROGRAM: how many steps */
	uint32_t seen;     /* set by the signal handler, or by a client that could not signal */
	uint64_t args[6];  /* CALL: arguments. PROGRAM: address of the steps, of the results */
	int64_t result;    /* CALL: as the kernel returned it. PROGRAM: how many steps were run */
	uint64_t reserved[7];
};

#define RS_SETUP_HANDLERS 1u   /* own signal handler table: install ours, ignore SIGPIPE */
#define RS_SETUP_OWN_FILES 2u  /* own fd table: close all that is not in the list of kept fds */
#define RS_SETUP_CPU 8u        /* place_now() tells the processor we run on */
#define RS_SETUP_RESET 4u      /* no CLONE_CLEAR_SIGHAND was to be had: reset by hand */
#define RS_SETUP_CAPABILITIES 16u /* a stub: have those of the ring, whatever exec has given */
#define RS_SETUP_ONCE 32u      /* end after the first entry, whatever came of it */

/* With what a stub ends that can't serve. */
#define RS_STUB_NO_ROOM 101u /* something lies where its arena was to be */
#define RS_STUB_REFUSED 102u /* what it was given, or one of its first calls, is not as it must be */

/* Hot: requests that come within so many ticks of a processor that ticks 1 to 4 times a
 * nanosecond. */
#define RS_HOT_TICKS 100000u
#define RS_PATIENCE 16u
#define RS_APART 1024u /* requests apart after which patience is as at the start */

/* Both at once: other calls sleep on the doorbell while one waits within C. */
#define RS_WAITS_DOORBELL 1u
#define RS_WAITS_FUTEX 2u

/* Words that one side stores and whose partner it then looks at are stored by an exchange: that
 * orders the store before the look on every machine, emulated ones included. */
struct rs_ring {
	/* written by the client */
	uint32_t head;            /* entries posted so far */
	uint32_t client_waits;    /* how the client wants to be told: RS_WAITS_* */
	uint32_t client_cpu;      /* the processor that it posted from */
	uint32_t woken;           /* whether it had to wake the server for what it posted last */
	uint32_t client_reserved[12];
	/* written by the server, except that the client clears parked when it wakes it */
	uint32_t parked;
	uint32_t current;         /* index of the entry that runs now */
	uint32_t server_cpu;      /* the processor that it last looked for work on */
	uint32_t moves;           /* how often it has moved away from the client's */
	uint32_t server_reserved[12];
	/* set once, before the server starts, but for spin and failure */
	uint32_t magic;
	uint32_t setup;
	int32_t doorbell;         /* the server's end of the doorbell, in its fd table */
	int32_t parent;           /* id of the parent where that is to be checked, else 0 */
	uint32_t death_signal;    /* parent-death signal, 0 for none */
	uint32_t spin;            /* how often to look for work before parking */
	uint64_t signal_mask;     /* mask to serve with, one bit a signal */
	uint32_t patience;        /* hot requests on the client's own processor before the server
				   * moves to another one; 0: it never does */
	uint32_t kept_count;      /* fds to keep besides 0, 1 and 2: the doorbell and others */
	uint64_t kept;            /* their address: int32_t, ascending; or 0: the doorbell alone */
	int32_t failure;          /* by the server: -errno of the close_range that ended it */
	uint32_t version;         /* RS_WIRE_VERSION */
	uint64_t entry;           /* by a stub: where servers in its memory begin */
	uint32_t capabilities[6]; /* for a stub: effective, permitted, inheritable; twice 32 bits */
	int32_t made[3];          /* by rs_start: the child's id, its pidfd, our end of the doorbell */
	uint32_t reserved0;
	uint64_t next;            /* for a stub: where entry is to be written as well, or 0 */
	uint32_t reserved[4];
	struct rs_entry entries[RS_ENTRIES];
};

_Static_assert(sizeof(struct rs_op) == 64, "rs_op is 64 bytes");
_Static_assert(sizeof(struct rs_entry) == 128, "rs_entry is two cache lines");
_Static_assert(sizeof(struct rs_ring) == 256 + 128 * RS_ENTRIES, "rs_ring has no padding");
_Static_assert(sizeof(struct rs_ring) <= RS_RING_SIZE, "rs_ring fits its part of the block");

/* Carries out a program; returns how many steps were run. results has one word a step. state is
 * the word of the entry it runs for, or null where nothing can interrupt it. */
uint32_t rs_run(const struct rs_op *ops, uint32_t count, int64_t *results,
		const uint32_t *state);

/* One call, by the same rules as a step of a program. */
int64_t rs_call(long number, const uint64_t args[6], const uint32_t *state);

/* A processor and a moment, in its own ticks. */
struct rs_place {
	uint32_t cpu;
	uint64_t ticks;
};

/* Where this thread runs now, without a system call; two processors never compare equal where the
 * machine can't tell. Only with RS_SETUP_CPU. The kernel keeps the node in the higher bits. */
static inline struct rs_place place_now(uint32_t unknown)
{
	struct rs_place here = {unknown, 0};
#if defined(__x86_64__)
	here.ticks = __builtin_ia32_rdtscp(&here.cpu);
	here.cpu &= 0xfff;
#endif
	return here;
}

/* Where a server starts, in the child, on its new stack. Never returns. */
void rs_serve(struct rs_ring *ring);

/* From the assembly. rs_syscall: the bare call. rs_syscall_interruptible: the same, but -EINTR
 * when *state is RS_INTERRUPT before the kernel is entered. rs_syscall_clone: for clone and
 * clone3 with a new stack; the child does not return but calls the function found on it. */
int64_t rs_syscall(long number, const uint64_t args[6]);
int64_t rs_syscall_interruptible(long number, const uint64_t args[6], const uint32_t *state);
int64_t rs_syscall_clone(long number, const uint64_t args[6]);
extern const char rs_interruptible_begin[];
extern const char rs_interruptible_syscall[];
extern const char rs_interruptible_cancel[];
void rs_sigreturn(void);

/* Of the stub alone. rs_stub_enter: serves the ring, on another stack. Neither returns. */
void rs_stub_start(const uint64_t *arguments);
void rs_stub_enter(struct rs_ring *ring, void *stack);

/* What process 1 of a container tells of its command, in a page that the client has mapped. The
 * client believes nothing that can't be: whoever traces that process can write here. */
struct rs_init_page {
	int32_t pid;     /* of the command, as the container knows it; 0: there was none */
	int32_t failure; /* errno of what kept it from being started, else 0 */
	int32_t call;    /* the number of the call that failed */
	int32_t code;    /* CLD_* of its end, written last; 0: it has not ended */
	int32_t status;
};

void rs_init_start(const uint64_t *arguments);

#pragma GCC visibility pop

#endif
