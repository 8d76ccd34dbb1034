"""Estimators for scikit-learn's pipelines: thin covers of this library's functions."""

__all__: list[str] = []
