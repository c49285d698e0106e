"""The tables of a chain's file, and the version that says how their rows are to be read."""

import sqlite3
from pathlib import Path

from localnet.state.store import UnknownVersion

SCHEMA_VERSION = 2

_SCHEMA = """
create table state (tab integer, owner text, sub blob, value blob not null, primary key (tab, owner, sub)) without rowid;
create table block (
    height integer primary key, hash blob not null unique, header blob not null, contents blob not null, nodes blob not null
);
create table tx (hash blob primary key, signed blob not null, outcome blob not null) without rowid;
create table receipt (id blob primary key, receipt blob not null) without rowid;
create table outcome (id blob primary key, outcome blob not null) without rowid;
create table pool (place integer primary key, hash blob not null unique, signed blob not null);
"""


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """
    Make the tables, unless they are there.

    Raises:
        UnknownVersion: the file was written by another version of this program. It is left as it is.
    """
    (version,) = db.execute("pragma user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version != 0:
        db.close()
        raise UnknownVersion(
            f"{path} has version {version} and this program writes {SCHEMA_VERSION}; "
            "use the program that made it, or begin anew (localnet reset)"
        )
    with db:
        db.executescript(f"begin; {_SCHEMA} pragma user_version = {SCHEMA_VERSION}; commit;")
