"""Memory as a typed value: pointers, how values are given to a call, who owns what."""
