"""Floor 1: how we store. Knows none of Earmark's tables; usable by any Flask-SQLAlchemy program."""
