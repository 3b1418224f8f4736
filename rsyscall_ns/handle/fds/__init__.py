"""File descriptors: what any of them can do."""
