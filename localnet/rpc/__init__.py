"""The local chain's two HTTP interfaces: NEAR's JSON-RPC and neardata-style blocks."""
