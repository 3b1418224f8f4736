"""Calls that have no object of their own, grouped on the task: ``task.fs.open`` and so on."""
