"""Index advice: what is missing, proven on a copy, and what is there for nothing."""
