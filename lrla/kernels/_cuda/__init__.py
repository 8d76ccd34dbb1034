"""CUDA twins: ``NAME.cu`` is the text, ``NAME.py`` loads it; compiled by CuPy when first used."""
