/* Access to words that two processes share, and what a loop that waits for one does. */
#ifndef RSYSCALL_NS_ATOMIC_H
#define RSYSCALL_NS_ATOMIC_H

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_ACQUIRE)
#define STORE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELEASE)

static inline void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield" ::: "memory");
#endif
}

#endif
