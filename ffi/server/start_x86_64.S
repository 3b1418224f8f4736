/* Where the stub begins, and how it leaves the stack that exec has made, for x86_64. */

	.text

	.globl	_start
	.hidden	_start
	.type	_start, @function
_start:
	.cfi_startproc
	.cfi_undefined rip
	xor	%ebp, %ebp		/* outermost frame, for anyone who unwinds */
	mov	%rsp, %rdi		/* the arguments' number, and pointers to them */
	and	$-16, %rsp		/* is so already: the kernel aligns it */
	call	rs_stub_start
	ud2				/* it does not return */
	.cfi_endproc
	.size	_start, .-_start

	/* The ring in rdi, as rs_serve wants it; the top of the other stack in rsi. */
	.globl	rs_stub_enter
	.hidden	rs_stub_enter
	.type	rs_stub_enter, @function
rs_stub_enter:
	.cfi_startproc
	.cfi_undefined rip
	mov	%rsi, %rsp		/* a multiple of 16: the block's size is one */
	xor	%ebp, %ebp
	call	rs_serve
	ud2				/* it does not return */
	.cfi_endproc
	.size	rs_stub_enter, .-rs_stub_enter

	.section .note.GNU-stack, "", @progbits
