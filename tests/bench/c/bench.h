/* What the measurements in C share: each does something COUNT times and returns nanoseconds.
 *
 * A process is started for each measurement, so one that fails ends its process and no other. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <sys/types.h>

typedef uint64_t measurement(uint32_t count);

measurement bare_getuid;
measurement copy_there_and_back;
measurement ping_pong_one_cpu;
measurement ping_pong_two_cpus;
measurement ping_pong_parked;
measurement run_true;
measurement run_true_at_once;
measurement run_in_three_namespaces;
measurement run_in_seven_namespaces;
measurement run_in_seven_of_another;

/* Answers with the reason and ends the process. */
_Noreturn void fail(const char *what);

/* Nanoseconds of a clock that only goes forward. */
uint64_t now(void);

/* Waits for the end of a child; one that did not end with status 0 is a failure. */
void reap(pid_t child);

/* Runs in a vfork'd child, or one that shares our memory: becomes /bin/true. */
_Noreturn void become_true(void);

#endif
