/* What near/ffi.py calls: read by the C compiler and by cffi alike, hence plain declarations. */
int64_t rs_direct_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		       uint64_t f);
int64_t rs_direct_run(uint64_t ops, uint32_t count, uint64_t results);

void rs_ring_prepare(struct rs_ring *ring, uint64_t entry, uint32_t setup, int doorbell,
		     uint64_t kept, uint32_t kept_count, uint32_t death_signal,
		     uint64_t signal_mask, uint32_t spin);
void rs_ring_add_setup(struct rs_ring *ring, uint32_t setup);
void rs_ring_set_spin(struct rs_ring *ring, uint32_t spin);
int rs_ring_failure(const struct rs_ring *ring);
int64_t rs_ring_call(struct rs_ring *ring, uint32_t spin, uint32_t nanoseconds, long number, uint64_t a, uint64_t b,
		     uint64_t c, uint64_t d, uint64_t e, uint64_t f);
int64_t rs_ring_run(struct rs_ring *ring, uint32_t spin, uint32_t nanoseconds, uint64_t ops, uint32_t count,
		    uint64_t results);
int64_t rs_ring_wait(struct rs_ring *ring, uint32_t slot, uint32_t spin, uint32_t nanoseconds);
int rs_ring_done(const struct rs_ring *ring, uint32_t slot);
int rs_ring_left(const struct rs_ring *ring, uint32_t slot);
int64_t rs_ring_collect(struct rs_ring *ring, uint32_t slot);
void rs_ring_arm(struct rs_ring *ring);
int rs_ring_take_back(struct rs_ring *ring, uint32_t slot);
int rs_ring_interrupt(struct rs_ring *ring, uint32_t slot, int pidfd);
uint32_t rs_pauses_per_microsecond(void);
uint64_t rs_entry_point(void);
uint64_t rs_effective_capabilities(void);
int rs_start(struct rs_ring *ring, uint64_t entry, uint32_t setup, uint32_t death_signal, uint32_t spin,
	     int theirs, int lends, uint64_t kept, uint32_t kept_count, uint64_t flags, uint64_t cgroup, uint64_t ops,
	     uint32_t count, uint64_t results);
int64_t rs_doorbell_pair(void);
int rs_move_up(int fd);
int rs_doorbell_take(int bell);
int rs_doorbell_send(int bell, int fd);
int rs_wait_cleared(uint64_t address, uint32_t milliseconds);
int rs_map_at(uint64_t address, uint64_t size, int fd);
int64_t rs_map_shown(uint64_t size, int fd);
void rs_unmap(void *address, uint64_t size);
