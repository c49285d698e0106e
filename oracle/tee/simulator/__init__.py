"""A dstack machine on a test PKI: structurally real quotes that any verifier takes once it is given the simulator's root."""
