"""Benchmarks are scripts, run by hand; the test run does not import them (peers may be missing)."""

collect_ignore_glob = ["*.py"]
