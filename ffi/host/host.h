/* The client's side, linked into the interpreter: runs with the interpreter's rights, in the
 * thread that calls it, with the GIL released. */
#ifndef RSYSCALL_NS_HOST_H
#define RSYSCALL_NS_HOST_H

#include "../server/wire.h"

/* Results of posting that no system call can have: kernel results are >= -4095 or addresses. */
#define RS_PENDING INT64_MIN         /* + slot: not finished within the spin time */
#define RS_FULL (INT64_MIN + 1024)   /* every entry is taken */
#define RS_CLIENT_LIMIT (INT64_MIN + 2048)

/* How many times longer it is looked for the answer of a server that had to be woken on another
 * processor: what that takes, mostly. Sleeping meanwhile would cost the same once more, for us. */
#define RS_WAKING 5u

/* What rs_doorbell_take gives instead of an fd. */
#define RS_BELL_EMPTY (-1)
#define RS_BELL_RUNG (-2) /* a byte: something is done */
#define RS_BELL_END (-3)  /* the other end is gone */

/* What rs_start is given instead of the child's end of a doorbell, for a child that has none. */
#define RS_NO_DOORBELL (-2)

/* Below it are the fds that a new child has for a short time in our table. The lower they are, the
 * smaller is its own. */
#define RS_HIGH 256

#include "../decl/calls.h"

#endif
