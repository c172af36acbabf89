"""Evidence rows in the order of keys: for verification, moves between stores, and the sweep."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = "ix_evidence_key_event_id_role_form"


def upgrade() -> None:
    op.create_index(NAME, "evidence", ["key", "event_id", "role", "form"])


def downgrade() -> None:
    op.drop_index(NAME, "evidence")
