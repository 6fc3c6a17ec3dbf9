"""Plans as trees with findings: of our own statements, and of a stranger's, which can do nothing."""
