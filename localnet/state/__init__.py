"""
The chain's state: rows of a few tables, layered for rollback, kept in memory or in a directory.

`tables` says what there is, `world` is how the runtime reads and changes it, `memory` and `sqlite` keep it with the chain's history.
"""
