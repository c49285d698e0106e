"""Off-chain compute for NEAR smart contracts: the worker, and the kernel its neighbours share."""
