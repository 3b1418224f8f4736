"""How each public async method is called, in a module for each family: its ``TABLE``."""
