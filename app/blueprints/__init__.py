"""Floor 3: what people do, one package a feature."""
