"""Run by Alembic: applies revisions on the connection that `kernel.migration` opened, inside its transaction."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=attributes.get("target_metadata"),
    version_table=attributes["version_table"],
    render_as_batch=True,
)
context.run_migrations()
