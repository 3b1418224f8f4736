"""Python callables in containers: made by a zygote, or by a fresh interpreter."""
