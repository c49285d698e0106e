-- A store of schema version 2 (`iterdump` of what that version wrote): one answer on its way to the chain, with its receipt.
BEGIN TRANSACTION;
CREATE TABLE facts (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('cursor','4 b4');
CREATE TABLE jobs (
    request_id INTEGER NOT NULL,
    stage TEXT NOT NULL,
    request_json TEXT NOT NULL,
    origin_json TEXT NOT NULL,
    input_data TEXT,
    wasm_sha256_hex TEXT,
    compile_time_ms INTEGER,
    compilation_note TEXT,
    input_sha256_hex TEXT,
    answer_json TEXT,
    output BLOB,
    settled_by TEXT,
    yield_height INTEGER NOT NULL,
    PRIMARY KEY (request_id)
);
INSERT INTO "jobs" VALUES(7,'answering','{"sender_id": "alice.test.near", "predecessor_id": "client.test.near", "source": ["WasmUrl", "https://example.com/echo.wasm", "ecececececececececececececececececececececececececececececececec", "wasm32-wasip1"], "limits": [1000000000, 128, 60], "response_format": "Text", "payment": "100000000000000000000000", "timestamp_ns": 1700000000000000000, "secrets_ref": null, "compile_only": false, "force_rebuild": false, "attached_usd": "", "project_id": null, "project_uuid": null}','["", "", 4, 0, "", 0]','hello','ecececececececececececececececececececececececececececececececec',NULL,NULL,'1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a','{"success": true, "output_format": "Text", "error": null, "metrics": [0, 0, 0, null], "compilation_note": null}',X'6F7574',NULL,4);
CREATE TABLE keys (
    public_key TEXT NOT NULL,
    highest_nonce INTEGER NOT NULL,
    PRIMARY KEY (public_key)
);
INSERT INTO "keys" VALUES('k',9);
CREATE TABLE receipts (
    number INTEGER NOT NULL,
    receipt_sha256_hex TEXT NOT NULL,
    request_id INTEGER NOT NULL,
    receipt BLOB NOT NULL,
    public_key TEXT NOT NULL,
    signature BLOB NOT NULL,
    quote BLOB,
    event_log_sha256_hex TEXT,
    collateral_sha256_hex TEXT,
    batch_json TEXT,
    PRIMARY KEY (number),
    UNIQUE (receipt_sha256_hex)
);
INSERT INTO "receipts" VALUES(1,'fb46c79b7eb7af175f493755b491afa9b25574a9230b8822c629f224a2df4e58',7,X'73616964','k',X'00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',X'71756F7465','836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','[2, 1, ["0000000000000000000000000000000000000000000000000000000000000000"]]');
CREATE TABLE texts (
    sha256_hex TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (sha256_hex)
);
INSERT INTO "texts" VALUES('836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213','log');
INSERT INTO "texts" VALUES('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}');
CREATE TABLE transactions (
    number INTEGER NOT NULL,
    transaction_hash TEXT NOT NULL,
    request_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    public_key TEXT NOT NULL,
    nonce INTEGER NOT NULL,
    block_height INTEGER NOT NULL,
    signed_bytes BLOB NOT NULL,
    PRIMARY KEY (number),
    UNIQUE (transaction_hash)
);
INSERT INTO "transactions" VALUES(1,'h',7,'answer','k',9,4,X'7369676E6564');
CREATE TABLE unreadable (
    number INTEGER NOT NULL,
    block_height INTEGER NOT NULL,
    receipt_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    log TEXT NOT NULL,
    PRIMARY KEY (number)
);
CREATE INDEX jobs_by_stage ON jobs (stage, request_id);
CREATE INDEX ix_transactions_request_id ON transactions (request_id);
CREATE INDEX ix_receipts_request_id ON receipts (request_id);
COMMIT;
PRAGMA user_version = 2;
