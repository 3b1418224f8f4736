"""Owning objects: pointers, file descriptors, processes, and the calls on tasks."""
