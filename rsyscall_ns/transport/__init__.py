"""How programs reach the process that carries them out."""
