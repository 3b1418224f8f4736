/* The few instructions that C can't express, for aarch64.
 *
 * Calling convention: number in x0, pointer to six arguments in x1, state word in x2. The kernel
 * takes the number in x8 and arguments in x0 to x5. The thread pointer (tpidr_el0) is not
 * touched. bti landings are hints that older processors skip. */

	.text

	/* Loads the kernel's argument registers from the block at x1; x0 and x1 last. */
	.macro load_arguments
	ldp	x4, x5, [x1, #32]
	ldp	x2, x3, [x1, #16]
	ldp	x0, x1, [x1]
	.endm

	.globl	rs_syscall
	.hidden	rs_syscall
	.type	rs_syscall, %function
rs_syscall:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x8, x0			/* the call's number */
	load_arguments
	svc	#0
	ret
	.cfi_endproc
	.size	rs_syscall, .-rs_syscall

	/* Between begin and the svc instruction (inclusive: there the kernel puts the program
	 * counter back for a call that it would restart) nothing has happened yet that the caller
	 * could lose, so the signal handler may move the program counter to cancel. */
	.globl	rs_syscall_interruptible
	.hidden	rs_syscall_interruptible
	.type	rs_syscall_interruptible, %function
	.globl	rs_interruptible_begin, rs_interruptible_syscall, rs_interruptible_cancel
	.hidden	rs_interruptible_begin, rs_interruptible_syscall, rs_interruptible_cancel
rs_syscall_interruptible:
	.cfi_startproc
	hint	#34			/* bti c */
rs_interruptible_begin:
	ldr	w9, [x2]
	cmp	w9, #3			/* RS_INTERRUPT: asked for before the call began? */
	b.eq	rs_interruptible_cancel
	mov	x8, x0			/* the call's number */
	load_arguments
rs_interruptible_syscall:
	svc	#0
	ret
rs_interruptible_cancel:
	mov	x0, #-4			/* -EINTR */
	ret
	.cfi_endproc
	.size	rs_syscall_interruptible, .-rs_syscall_interruptible

	.globl	rs_syscall_clone
	.hidden	rs_syscall_clone
	.type	rs_syscall_clone, %function
rs_syscall_clone:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x8, x0			/* the call's number */
	load_arguments
	svc	#0
	cbz	x0, 1f			/* the child: this is another stack */
	ret				/* the parent, or an error */
1:	.cfi_undefined x30
	mov	x29, xzr		/* outermost frame, for anyone who unwinds */
	mov	x30, xzr
	ldp	x1, x0, [sp], #16	/* stack data: the function and its argument */
	blr	x1
	brk	#0			/* it does not return */
	.cfi_endproc
	.size	rs_syscall_clone, .-rs_syscall_clone

	.section .note.GNU-stack, "", %progbits
