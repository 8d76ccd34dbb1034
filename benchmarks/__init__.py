"""Benchmarks of the library beside its peers; see README.md here."""
