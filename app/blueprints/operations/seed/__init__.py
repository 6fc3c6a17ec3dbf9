"""Demo data: a year of submissions that looks like a team's, the same for the same seed."""
