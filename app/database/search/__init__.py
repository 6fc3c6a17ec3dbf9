"""Full text: FTS5 on SQLite, tsvector with GIN on PostgreSQL, behind one small interface."""
