"""
What nearcore's runtime does, for one shard.

Transactions become receipts, receipts run their actions, promises and yields find their results. Nothing here knows a clock, a file or a
thread: a block comes in as an environment and its transactions, and leaves as changes and outcomes.
"""
