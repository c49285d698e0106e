"""Pytest plugin of the local chain: fixtures are registered here."""
