"""Row blocks: tall data that are not one array, and how to walk them.

Algorithms on such data are a function of one block of rows, mapped over the blocks, with results
combined in the order of the blocks, so that schedulers, workers and failures do not change them.
"""

from lrla.blocks._rows import RowBlocks, as_blocks

__all__ = ["RowBlocks", "as_blocks"]
