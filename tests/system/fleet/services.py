"""The services a fleet needs, PostgreSQL and Redis: a database of its own in each, gone afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import redis

from support.processes import RunError

POSTGRES = "postgres@127.0.0.1:5432"
REDIS = "127.0.0.1:6379"

_CLAIM = "leadreset-fleet"


@contextmanager
def postgres_database(owner: Path) -> Generator[str, None, None]:
    """Make a database; return its SQLAlchemy URL. Each checkout has its own, named after its path."""
    name = f"leadreset_fleet_{hashlib.sha256(str(owner).encode()).hexdigest()[:8]}"
    # FORCE: a process that was killed may still have a connection that nobody has noticed to be dead.
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    _postgres(drop, f'CREATE DATABASE "{name}"')
    try:
        yield f"postgresql+psycopg2://{POSTGRES}/{name}"
    finally:
        _postgres(drop)


def _postgres(*statements: str) -> None:
    try:
        connection = psycopg2.connect(f"postgresql://{POSTGRES}/postgres", connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise RunError(
            f"PostgreSQL does not let {POSTGRES} in: start it, version 13 or newer, with that role and no password "
            f"({str(error).splitlines()[0]})"
        ) from None
    with closing(connection):
        connection.autocommit = True  # databases are not made in transactions
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def redis_database(owner: Path) -> Generator[str, None, None]:
    """Find an empty database and claim it; return its URL. One with anything of others in it is left alone."""
    try:
        number = _claimed(str(owner))
    except redis.RedisError as error:
        raise RunError(f"Redis does not answer at {REDIS}: start it, without password ({error})") from None
    url = f"redis://{REDIS}/{number}"
    try:
        yield url
    finally:
        with redis.Redis.from_url(url) as database:
            database.flushdb()


def _claimed(owner: str) -> int:
    for number in range(15, 0, -1):
        with redis.Redis.from_url(f"redis://{REDIS}/{number}", socket_timeout=5) as database:
            if database.get(_CLAIM) == owner.encode():
                database.flushdb()  # a killed fleet of this checkout leaves messages to workers that are no more
            if database.dbsize() == 0 and database.set(_CLAIM, owner, nx=True):
                return number
    raise RunError(f"Redis at {REDIS} has no empty database among 1 to 15: empty one with FLUSHDB")
