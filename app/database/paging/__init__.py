"""Pages of a list: by keyset, at any depth for the same cost, and by number up to a cap."""
