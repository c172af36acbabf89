"""The service: ingest, events, health, metrics, the operators' page."""
