/* Where the stub begins, and how it leaves the stack that exec has made, for aarch64. */

	.text

	.globl	_start
	.hidden	_start
	.type	_start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30
	mov	x29, xzr		/* outermost frame, for anyone who unwinds */
	mov	x30, xzr
	mov	x0, sp			/* the arguments' number, and pointers to them */
	bl	rs_stub_start
	brk	#0			/* it does not return */
	.cfi_endproc
	.size	_start, .-_start

	/* The ring in x0, as rs_serve wants it; the top of the other stack in x1. */
	.globl	rs_stub_enter
	.hidden	rs_stub_enter
	.type	rs_stub_enter, %function
rs_stub_enter:
	.cfi_startproc
	.cfi_undefined x30
	mov	sp, x1			/* a multiple of 16: the block's size is one */
	mov	x29, xzr
	mov	x30, xzr
	bl	rs_serve
	brk	#0			/* it does not return */
	.cfi_endproc
	.size	rs_stub_enter, .-rs_stub_enter

	.section .note.GNU-stack, "", %progbits
