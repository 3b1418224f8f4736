"""Programs and tasks in namespaces: containers, and the namespaces of others."""
