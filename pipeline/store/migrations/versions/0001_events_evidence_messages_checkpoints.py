"""Events, evidence, messages, checkpoints."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration is history: it repeats the types of its day and imports nothing of ours.
IDENTIFIER = sa.String().with_variant(sa.String(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", IDENTIFIER, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("point_id", sa.String(), nullable=False),
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("suspected_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME),
        sa.Column("cleared_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("peak_belief", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("model_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_events"),
    )
    op.create_index("ix_events_suspected_at_event_id", "events", ["suspected_at", "event_id"])
    op.create_index(
        "ix_events_point_id_suspected_at_event_id",
        "events",
        ["point_id", "suspected_at", "event_id"],
    )
    op.create_index(
        "ix_events_state_suspected_at_event_id", "events", ["state", "suspected_at", "event_id"]
    )

    op.create_table(
        "evidence",
        sa.Column("event_id", IDENTIFIER, nullable=False),
        sa.Column("role", IDENTIFIER, nullable=False),
        sa.Column("form", IDENTIFIER, nullable=False),
        sa.Column("key", IDENTIFIER, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("captured_at", TIME, nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "role", "form", "key", name="pk_evidence"),
        sa.ForeignKeyConstraint(["event_id"], ["events.event_id"], name="fk_evidence_event_id"),
    )

    op.create_table(
        "messages",
        sa.Column("message_id", IDENTIFIER, nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", IDENTIFIER, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("delivered_at", TIME),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_messages"),
    )
    op.create_index(
        "ix_messages_state_created_at_message_id", "messages", ["state", "created_at", "message_id"]
    )
    op.create_index(
        "ix_messages_receiver_subject_sequence_message_id_state",
        "messages",
        ["receiver", "subject", "sequence", "message_id", "state"],
    )
    op.create_index("ix_messages_subject_created_at", "messages", ["subject", "created_at"])
    op.create_index("ix_messages_created_at_message_id", "messages", ["created_at", "message_id"])

    op.create_table(
        "checkpoints",
        sa.Column("camera_id", sa.String(), nullable=False),
        sa.Column("as_of", TIME, nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("camera_id", name="pk_checkpoints"),
    )


def downgrade() -> None:
    op.drop_table("checkpoints")
    op.drop_table("messages")
    op.drop_table("evidence")
    op.drop_table("events")
