"""Trusted execution: quotes, what they measure, and the simulator that answers as a dstack machine does."""
