"""The command line, for ``python -m rsyscall_ns``."""

from rsyscall_ns.cli import main

if __name__ == "__main__":
    main()
