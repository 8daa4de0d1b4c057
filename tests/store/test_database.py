"""Transactions of a worker, on both databases."""

import asyncio
from functools import partial

import pytest
from tests.support.stores import any_database, any_database_url, opened_database

from aimesh.store.database import Database, DuplicateError, Session, StoreError, Values, in_list

__all__ = ["any_database", "any_database_url"]

_ADD = "INSERT INTO versions (name, number) VALUES (:name, :number)"


def add(session: Session, name: str, number: int = 1) -> int:
    return session.change(_ADD, {"name": name, "number": number})


def names(database: Database) -> list[str]:
    rows = asyncio.run(database.read(lambda session: session.all("SELECT name FROM versions ORDER BY name")))
    return [row["name"] for row in rows]


def test_a_write_is_all_or_nothing(any_database: Database) -> None:
    def half(session: Session) -> None:
        add(session, "first")
        raise LookupError("second thoughts")

    with pytest.raises(LookupError):
        asyncio.run(any_database.write(half))
    asyncio.run(any_database.write(lambda session: add(session, "third")))
    assert names(any_database) == ["third"]


def test_a_read_sees_one_state_throughout(any_database_url: str) -> None:
    async def scenario() -> tuple[int, int]:
        with opened_database(any_database_url) as reader, opened_database(any_database_url) as writer:
            loop = asyncio.get_running_loop()

            def count(session: Session) -> int:
                row = session.one("SELECT count(*) FROM versions")
                assert row is not None
                return int(row[0])

            def twice(session: Session) -> tuple[int, int]:
                before = count(session)
                written = asyncio.run_coroutine_threadsafe(writer.write(lambda s: add(s, "x")), loop)
                written.result(10)
                return before, count(session)

            return await reader.read(twice)

    assert asyncio.run(scenario()) == (0, 0)


def test_what_is_there_already_is_a_duplicate_and_the_next_write_works(any_database: Database) -> None:
    asyncio.run(any_database.write(lambda session: add(session, "x")))
    with pytest.raises(DuplicateError):
        asyncio.run(any_database.write(lambda session: add(session, "x")))
    asyncio.run(any_database.write(lambda session: add(session, "y")))
    assert names(any_database) == ["x", "y"]


def test_the_drivers_errors_do_not_come_out(any_database: Database) -> None:
    with pytest.raises(StoreError, match="absent"):
        asyncio.run(any_database.read(lambda session: session.all("SELECT * FROM absent")))
    assert names(any_database) == []


def test_a_closed_database_says_so(any_database: Database) -> None:
    any_database.close()
    any_database.close()
    with pytest.raises(StoreError, match="closed"):
        asyncio.run(any_database.read(lambda session: session.all("SELECT 1")))


def test_many_writers_of_several_connections_wait_for_one_another(any_database_url: str) -> None:
    async def fill(database: Database, prefix: str) -> None:
        for number in range(50):
            name = f"{prefix}{number}"
            await database.write(partial(add, name=name))

    async def scenario() -> int:
        with opened_database(any_database_url) as first, opened_database(any_database_url) as second:
            await asyncio.gather(*(fill(one, f"{at}-") for at, one in enumerate((first, second, first))))
            return len(await first.read(lambda session: session.all("SELECT name FROM versions")))

    assert asyncio.run(scenario()) == 150


def test_a_row_is_read_by_name_and_by_place(any_database: Database) -> None:
    asyncio.run(any_database.write(lambda session: add(session, "x", 7)))
    row = asyncio.run(any_database.read(lambda session: session.one("SELECT name, number FROM versions")))
    assert row is not None
    assert (row["name"], row[1]) == ("x", 7)
    with pytest.raises(LookupError):
        row["absent"]


def test_values_come_back_as_they_were(any_database: Database) -> None:
    """Colons, quotes and per cent signs in a statement are nothing but themselves."""
    sql = """
    SELECT :text AS text, ':number 100% ''quoted''' AS quoted, number, name FROM versions
    WHERE name LIKE '%:x%' AND number = :number"""
    values: Values = {"text": "50% :number ''", "number": -3}
    asyncio.run(any_database.write(lambda session: add(session, "a:x?", -3)))
    row = asyncio.run(any_database.read(lambda session: session.one(sql, values)))
    assert row is not None
    assert [row[place] for place in range(4)] == ["50% :number ''", ":number 100% 'quoted'", -3, "a:x?"]


def test_lists_become_placeholders() -> None:
    assert in_list("id", ("a", 2)) == ("(:id_0, :id_1)", {"id_0": "a", "id_1": 2})
