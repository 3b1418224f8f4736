"""Namespaces, and the tasks that are in them."""
