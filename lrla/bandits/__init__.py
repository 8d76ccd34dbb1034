"""Bandits that choose the parameters of any solver from what its runs cost."""

__all__: list[str] = []
