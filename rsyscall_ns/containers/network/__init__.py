"""Networks of containers: what each has, what they have in common, and how the kernel is told."""
