"""Query tracking: every statement timed to its last row, named, summed, written down and read back."""
