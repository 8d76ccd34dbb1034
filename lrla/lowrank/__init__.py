"""Low-rank factorizations by randomized methods, and traces of what is only a product."""

__all__: list[str] = []
