"""What Alembic runs: the migrations on the connection that ``migrate.py`` made, in one transaction."""

from alembic import context

from aimesh.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
