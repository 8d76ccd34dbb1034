"""Summaries of rows that are seen once: few numbers, and a bound on what was lost."""

__all__: list[str] = []
