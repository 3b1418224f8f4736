/* The stub as process 1 of a container: starts the command, reaps whoever is left to it, passes
 * signals on, and ends with the command.
 *
 * Runs with the rights that the command has too, in the container, and has no fd and no memory of
 * the client's but one page, in which it tells what became of the command. */
#include "stub.h"

#include <asm/fcntl.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#define ENOENT_ 2
#define MSG_PEEK_ 0x2
#define MSG_DONTWAIT_ 0x40
#define PAGE_ 4096u
#define SIGNALLED_ 128 /* added to a signal's number, as a shell does */

/* As the kernel fills it for waitid and rt_sigtimedwait. */
struct told {
	int32_t signo, error, code, padding;
	int32_t pid;
	uint32_t uid;
	int32_t status;
	uint8_t rest[100];
};

_Static_assert(sizeof(struct told) == 128, "siginfo_t is 128 bytes");

/* struct sigaction of the kernel, which only goes back to where it came from. */
struct action {
	uint64_t words[4];
};

struct command {
	const uint64_t *paths; /* tried one after the other */
	uint64_t count;        /* of them, and behind them are the arguments */
	const uint64_t *environment;
	uint64_t mask;
	struct action child; /* what it is to do about SIGCHLD */
};

/* Runs in the child; a path that is there and can't be executed tells more than one that is not. */
static void become(const struct command *command, struct rs_init_page *page)
{
	const uint64_t arguments = (uint64_t)(command->paths + command->count);
	int64_t failure = 0;
	uint64_t i;

	(void)kernel(__NR_rt_sigaction, SIGCHLD, (uint64_t)&command->child, 0, 8, 0);
	(void)kernel(__NR_rt_sigprocmask, SIG_SETMASK, (uint64_t)&command->mask, 0, 8, 0);
	for (i = 0; i < command->count; i++) {
		const int64_t now = kernel(__NR_execve, command->paths[i], arguments,
					   (uint64_t)command->environment, 0, 0);

		if (failure == 0 || failure == -ENOENT_)
			failure = now;
	}
	page->call = __NR_execve;
	page->failure = (int32_t)-failure;
	leave(RS_STUB_REFUSED);
}

/* Reaps all that is dead. When that is the command, the container ends: with us, the kernel ends
 * everything else in it. */
static void reap(int32_t command, struct rs_init_page *page)
{
	for (;;) {
		struct told end;

		end.pid = 0;
		if (kernel(__NR_waitid, P_ALL, 0, (uint64_t)&end, WEXITED | WNOHANG | __WALL, 0) !=
			    0 ||
		    end.pid == 0)
			return;
		if (end.pid != command)
			continue;
		page->status = end.status;
		__atomic_store_n(&page->code, end.code, __ATOMIC_RELEASE);
		leave((uint64_t)(end.code == CLD_EXITED ? end.status : SIGNALLED_ + end.status));
	}
}

/* Has ps show the command behind our name, in place of what else we were given. Where the last byte
 * of all arguments is not 0, the kernel takes them for one string. Ours are not needed any more. */
static void show(const uint64_t *arguments, const uint64_t *words)
{
	const char *from = (const char *)*words;
	char *to = (char *)arguments[2], *last = (char *)arguments[arguments[0]];

	while (*last)
		last++;
	to[-1] = ' ';
	for (; from < last; from++)
		*to++ = *from ? *from : ' ';
	*to = 0;
	*last = 1;
}

static struct rs_init_page *map_page(uint64_t fd)
{
	const uint64_t map[6] = {0, PAGE_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0};
	const int64_t place = rs_syscall(__NR_mmap, map);

	if (place < 0 && place >= -4095)
		leave(RS_STUB_REFUSED);
	return (struct rs_init_page *)place;
}

/* arguments: their number, then a name, what we are told, paths, the command's own arguments. */
void rs_init_start(const uint64_t *arguments)
{
	static const char name[] = "rsyscall-init";
	static const uint64_t every = ~0ull;
	const struct action none = {{0, 0, 0, 0}};
	const char *text = (const char *)arguments[2];
	const uint64_t fd = number_at(&text), doorbell = number_at(&text);
	const uint64_t count = number_at(&text), death_signal = number_at(&text);
	struct command command = {.paths = arguments + 3, .count = count};
	struct rs_init_page *page;
	int64_t pid;
	char byte;
	const uint64_t peek[6] = {doorbell, (uint64_t)&byte, 1, MSG_PEEK_ | MSG_DONTWAIT_, 0, 0};

	if (count == 0 || count + 3 > arguments[0])
		leave(RS_STUB_REFUSED);
	command.environment = arguments + arguments[0] + 2;
	/* blocked, they wait for us, while a process 1 would not get those that it doesn't handle */
	(void)kernel(__NR_rt_sigprocmask, SIG_SETMASK, (uint64_t)&every, (uint64_t)&command.mask, 8,
		     0);
	/* where it is ignored nobody learns of an end */
	(void)kernel(__NR_rt_sigaction, SIGCHLD, (uint64_t)&none, (uint64_t)&command.child, 8, 0);
	(void)kernel(__NR_prctl, PR_SET_NAME, (uint64_t)name, 0, 0, 0);
	if (death_signal) {
		/* exec may have taken it; and then the client may be gone: its end is closed */
		(void)kernel(__NR_prctl, PR_SET_PDEATHSIG, death_signal, 0, 0, 0);
		if (rs_syscall(__NR_recvfrom, peek) == 0)
			leave(RS_STUB_REFUSED);
	}
	page = map_page(fd);
	/* the command's exec closes it, and that is how the client learns of that */
	if (kernel(__NR_fcntl, doorbell, F_SETFD, FD_CLOEXEC, 0, 0) != 0)
		leave(RS_STUB_REFUSED);
	(void)kernel(__NR_close, fd, 0, 0, 0, 0);
	pid = kernel(__NR_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		become(&command, page);
	if (pid < 0) {
		page->call = __NR_clone;
		page->failure = (int32_t)-pid;
		leave(RS_STUB_REFUSED);
	}
	page->pid = (int32_t)pid;
	show(arguments, command.paths + count);
	/* the command's streams end with the command, and what was passed is its alone */
	(void)kernel(__NR_close_range, 0, UINT32_MAX, 0, 0, 0);
	for (;;) {
		struct told told;
		const int64_t sig = kernel(__NR_rt_sigtimedwait, (uint64_t)&every, (uint64_t)&told,
					   0, 8, 0);

		if (sig == SIGCHLD)
			reap((int32_t)pid, page);
		else if (sig > 0 && told.code != SI_KERNEL)
			/* what the kernel sends, as for a key of the terminal, the command gets too */
			(void)kernel(__NR_kill, (uint64_t)pid, (uint64_t)sig, 0, 0, 0);
	}
}
