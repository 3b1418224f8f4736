"""Constants and structs of the kernel's interface, one module per C header.

``sched_h`` is ``<sched.h>``, and so on: the suffix keeps them apart from the standard library.
"""
