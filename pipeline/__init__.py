"""The decision path: words, stages, engine, stores, delivery, configuration, commands."""
