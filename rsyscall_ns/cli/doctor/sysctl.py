"""What the machine's settings say, in files below /proc/sys."""

from __future__ import annotations

from pathlib import Path

__all__ = ["needs", "setting", "user_namespace_cure"]


def setting(name: str) -> str | None:
    """Return the value of a sysctl; None where there is none of that name."""
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return None


def needs(name: str, value: str, *bad: str) -> str:
    """Return the command that puts a sysctl right, if it has one of the bad values."""
    return f"sysctl -w {name}={value}" if setting(name) in bad else ""


def user_namespace_cure(_: int = 0) -> str:
    """Return what keeps a user from making user namespaces, as far as a setting does."""
    return (
        needs("kernel.unprivileged_userns_clone", "1", "0")
        or needs("kernel.apparmor_restrict_unprivileged_userns", "0", "1")
        or needs("user.max_user_namespaces", "15000", "0")
        or "in a container: have its engine allow unshare and clone3 (its seccomp profile)"
    )
