/* The few instructions that C can't express, for x86_64.
 *
 * Calling convention: number in rdi, pointer to six arguments in rsi, state word in rdx. The
 * kernel takes the number in rax and arguments in rdi, rsi, rdx, r10, r8, r9; it clobbers rcx
 * and r11 only, both of which are the caller's to lose. No thread-local storage is touched. */

	.text

	/* Loads the kernel's argument registers from the block at rsi; rsi last, as it is the base. */
	.macro load_arguments
	mov	0(%rsi), %rdi
	mov	16(%rsi), %rdx
	mov	24(%rsi), %r10
	mov	32(%rsi), %r8
	mov	40(%rsi), %r9
	mov	8(%rsi), %rsi
	.endm

	.globl	rs_syscall
	.hidden	rs_syscall
	.type	rs_syscall, @function
rs_syscall:
	.cfi_startproc
	mov	%rdi, %rax		/* the call's number */
	load_arguments
	syscall
	ret
	.cfi_endproc
	.size	rs_syscall, .-rs_syscall

	/* Between begin and the syscall instruction (inclusive: there the kernel puts the program
	 * counter back for a call that it would restart) nothing has happened yet that the caller
	 * could lose, so the signal handler may move the program counter to cancel. */
	.globl	rs_syscall_interruptible
	.hidden	rs_syscall_interruptible
	.type	rs_syscall_interruptible, @function
	.globl	rs_interruptible_begin, rs_interruptible_syscall, rs_interruptible_cancel
	.hidden	rs_interruptible_begin, rs_interruptible_syscall, rs_interruptible_cancel
rs_syscall_interruptible:
	.cfi_startproc
rs_interruptible_begin:
	cmpl	$3, (%rdx)		/* RS_INTERRUPT: asked for before the call began? */
	je	rs_interruptible_cancel
	mov	%rdi, %rax		/* the call's number */
	load_arguments
rs_interruptible_syscall:
	syscall
	ret
rs_interruptible_cancel:
	mov	$-4, %rax		/* -EINTR */
	ret
	.cfi_endproc
	.size	rs_syscall_interruptible, .-rs_syscall_interruptible

	.globl	rs_syscall_clone
	.hidden	rs_syscall_clone
	.type	rs_syscall_clone, @function
rs_syscall_clone:
	.cfi_startproc
	mov	%rdi, %rax		/* the call's number */
	load_arguments
	syscall
	test	%rax, %rax
	jz	1f			/* the child: this is another stack */
	ret				/* the parent, or an error */
1:	.cfi_undefined rip
	xor	%ebp, %ebp		/* outermost frame, for anyone who unwinds */
	pop	%rax			/* stack data: the function */
	pop	%rdi			/* ... and its argument; rsp is 16-byte aligned again */
	call	*%rax
	ud2				/* it does not return */
	.cfi_endproc
	.size	rs_syscall_clone, .-rs_syscall_clone

	/* Where a signal handler returns to: x86_64 kernels insist on being given one. */
	.globl	rs_sigreturn
	.hidden	rs_sigreturn
	.type	rs_sigreturn, @function
rs_sigreturn:
	.cfi_startproc
	.cfi_undefined rip
	mov	$15, %eax		/* rt_sigreturn */
	syscall
	ud2
	.cfi_endproc
	.size	rs_sigreturn, .-rs_sigreturn

	.section .note.GNU-stack, "", @progbits
