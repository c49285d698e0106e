"""Honest twins of the ports: in memory, without clock or network of their own, passing the same tests as the real ones."""
