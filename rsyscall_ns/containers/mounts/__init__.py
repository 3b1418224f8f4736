"""What is mounted in a container: one description a file, and how they become steps."""
