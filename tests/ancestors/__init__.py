"""What the ancestors could do, row by row, through the public names alone."""
