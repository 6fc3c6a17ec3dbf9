"""Benchmarks: one module a goal of docs/performance.md, each beside its reference in the same run.

Absolute figures drift with the machine, so a benchmark prints ratios of interleaved rounds. Nothing here is
imported by the program or by its tests, and no test asserts a time.
"""
