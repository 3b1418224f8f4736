"""What system calls read and write: C structs and addresses as values.

``rsyscall_ns`` has them too. The list is in ``structs.pyi``.
"""

import lazy_loader  # pyright: ignore[reportMissingTypeStubs] - it has none

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("rsyscall_ns", __file__)  # pyright: ignore[reportUnknownVariableType] - their types are in the stub
