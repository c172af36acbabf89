"""What Alembic runs around the migrations: `pipeline.store.migrate` gives it the connection."""

from alembic import context

from pipeline.store.schema import metadata

# The caller holds the transaction and its lock, so a migration is there whole or not at all, on
# SQLite too; that is why Alembic is told that DDL is transactional.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
