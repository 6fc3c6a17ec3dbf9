"""The version, in one place; setup.cfg repeats it and a test keeps the two equal."""

VERSION = "0.1.0"
