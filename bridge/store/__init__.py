"""The only SQL of mahnbridge: SQLite by default, PostgreSQL by URL."""
