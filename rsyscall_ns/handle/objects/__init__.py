"""Objects of the kernel that are no file descriptors, and rings."""
