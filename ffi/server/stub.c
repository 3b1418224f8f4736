/* The stub: the server as a program of its own, with nothing of the interpreter in its memory.
 *
 * It is given its arena as an fd, and where that is to be mapped: at the address where the client
 * has it. The ring, and the stack to serve on, lie in there. Compiled as the server is. It runs with
 * the rights of the steered process, which may be more than those of whatever runs beside it.
 * Given more arguments, it is process 1 of a container instead (init.c). */
#include "stub.h"

#include <asm/fcntl.h>
#include <linux/capability.h>
#include <linux/mman.h>
#include <linux/prctl.h>

/* What exec gives besides what was asked for goes, and so does what was needed to keep it. */
static int64_t put_capabilities(const struct rs_ring *ring)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2];
	uint32_t i;

	/* fails where there are none to be cleared: before Linux 4.3 */
	(void)kernel(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (i = 0; i < 2; i++) {
		sets[i].effective = ring->capabilities[3 * i];
		sets[i].permitted = ring->capabilities[3 * i + 1];
		sets[i].inheritable = ring->capabilities[3 * i + 2];
	}
	return kernel(__NR_capset, (uint64_t)&header, (uint64_t)sets, 0, 0, 0);
}

/* Runs on the stack that exec has made. arguments: their number, and pointers to them. */
void rs_stub_start(const uint64_t *arguments)
{
	static const char name[] = "rsyscall-stub";
	const char *text = (const char *)arguments[2];
	uint64_t fd, address, size;
	struct rs_ring *ring;
	const int32_t *kept;
	uint32_t i;

	/* first of all: nobody of the same user may look into it, or trace it */
	if (kernel(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || arguments[0] < 2)
		leave(RS_STUB_REFUSED);
	if (arguments[0] > 2)
		rs_init_start(arguments);
	/* can fail for a bad address only */
	(void)kernel(__NR_prctl, PR_SET_NAME, (uint64_t)name, 0, 0, 0);
	fd = number_at(&text);
	address = number_at(&text);
	size = number_at(&text);
	ring = (struct rs_ring *)number_at(&text);
	{
		const uint64_t map[6] = {address, size, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, 0};

		if ((uint64_t)rs_syscall(__NR_mmap, map) != address)
			leave(RS_STUB_NO_ROOM);
	}
	(void)kernel(__NR_close, fd, 0, 0, 0, 0);
	if (ring->magic != RS_MAGIC || ring->version != RS_WIRE_VERSION)
		leave(RS_STUB_REFUSED);
	if ((ring->setup & RS_SETUP_CAPABILITIES) && put_capabilities(ring) != 0)
		leave(RS_STUB_REFUSED);
	/* they were open to this exec, and are to none after it */
	kept = (const void *)ring->kept;
	for (i = 0; i < ring->kept_count; i++)
		if (kept[i] > 2 &&
		    kernel(__NR_fcntl, (uint64_t)kept[i], F_SETFD, FD_CLOEXEC, 0, 0) != 0)
			leave(RS_STUB_REFUSED);
	ring->entry = (uint64_t)rs_serve;
	if (ring->next)
		*(uint64_t *)ring->next = ring->entry;
	rs_stub_enter(ring, (char *)ring + RS_BLOCK_SIZE);
}
