"""
The tables of the job store.

What never changes in a job (`request_json`, `origin_json`) is written once; `input_data` and the bytes of transactions, which may be large,
are dropped when the job is DONE. `SCHEMA_VERSION` goes up with every change, and an older program refuses a newer file.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text

SCHEMA_VERSION = 3

MIGRATIONS = {
    1: (("jobs", "input_sha256_hex TEXT"),),
    2: (("receipts", "output BLOB"), ("jobs", "toolchain_json TEXT")),
}
"""The columns that a file of a version lacks of the next one, by table; a table that it lacks is made whole."""

metadata = MetaData()

facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Which chain the store belongs to, and the cursor: few values that are written one by one."""

jobs = Table(
    "jobs",
    metadata,
    Column("request_id", Integer, primary_key=True, autoincrement=False),
    Column("stage", Text, nullable=False),
    Column("request_json", Text, nullable=False),
    Column("origin_json", Text, nullable=False),
    Column("input_data", Text),
    Column("wasm_sha256_hex", Text),
    Column("compile_time_ms", Integer),
    Column("compilation_note", Text),
    Column("toolchain_json", Text),
    Column("input_sha256_hex", Text),
    Column("answer_json", Text),
    Column("output", LargeBinary),
    Column("settled_by", Text),
    Column("yield_height", Integer, nullable=False),
)
Index("jobs_by_stage", jobs.c.stage, jobs.c.request_id)

transactions = Table(
    "transactions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("transaction_hash", Text, nullable=False, unique=True),
    Column("request_id", Integer, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("nonce", Integer, nullable=False),
    Column("block_height", Integer, nullable=False),
    Column("signed_bytes", LargeBinary, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("receipt_sha256_hex", Text, nullable=False, unique=True),
    Column("request_id", Integer, nullable=False, index=True),
    Column("receipt", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("quote", LargeBinary),
    Column("event_log_sha256_hex", Text),
    Column("collateral_sha256_hex", Text),
    Column("batch_json", Text),
    Column("output", LargeBinary),
)
"""
Exact bytes of what was said of executions, and of the output that is spoken of; quote, event log and collateral only where there is a TEE.

An output is dropped when its job is DONE and has the same. After a crash the job may have none, or that of a second run: then it stays.
"""

texts = Table(
    "texts",
    metadata,
    Column("sha256_hex", Text, primary_key=True),
    Column("text", Text, nullable=False),
)
"""Event logs, the same for all quotes of a machine until it boots again, and collateral, the same for a day: long, and each kept once."""

keys = Table(
    "keys",
    metadata,
    Column("public_key", Text, primary_key=True),
    Column("highest_nonce", Integer, nullable=False),
)
"""The highest nonce ever used with a key; outlives the transactions."""

unreadable = Table(
    "unreadable",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("block_height", Integer, nullable=False),
    Column("receipt_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("log", Text, nullable=False),
)
