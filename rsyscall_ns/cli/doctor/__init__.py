"""``rsyscall-ns doctor``: what this machine lets this user do, found out by doing it."""
