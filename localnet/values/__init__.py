"""
What travels on the chain: keys, account ids, actions, transactions, receipts, outcomes.

Frozen values; bytes from outside are parsed once, strictly and within bounds.
"""
