"""The kinds of fds: each class adds the calls that only its kind can do."""
