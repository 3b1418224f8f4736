"""Tasks, processes, fds, memory and what else there is to make system calls with.

``rsyscall_ns`` has them too. The list is in ``objects.pyi``.
"""

import lazy_loader  # pyright: ignore[reportMissingTypeStubs] - it has none

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("rsyscall_ns", __file__)  # pyright: ignore[reportUnknownVariableType] - their types are in the stub
