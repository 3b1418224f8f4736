"""trio's streams on file descriptors."""
