"""How tasks come to be: the interpreter's own, and children; exec, and waiting."""
