"""Gauges: sizes, waits, the pool, what runs too long, and when to say so."""
