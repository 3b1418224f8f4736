"""Memory of an address space: arenas, their allocator, and how values become bytes."""
