"""Docstrings take their shared parts from one place."""

import inspect

import pytest

from lrla._core.docs import described

SHARED = {"x": "\n        x : float\n            A number.\n        "}


@described(**SHARED)
def function(x):
    """Do nothing.

    Parameters
    ----------
    {x}
    y : set of {x}
        Not a line of its own.
    """


@described(**SHARED)
class Kind:
    """Be nothing.

    {x}
    """

    @described(**SHARED)
    def method(self):
        """Do nothing.

        {x}
        """


def test_lines_are_replaced_and_indented():
    assert inspect.getdoc(function).splitlines()[2:] == [
        "Parameters", "----------", "x : float", "    A number.", "y : set of {x}",
        "    Not a line of its own.",
    ]  # fmt: skip
    assert inspect.getdoc(Kind) == "Be nothing.\n\nx : float\n    A number."
    assert inspect.getdoc(Kind.method) == "Do nothing.\n\nx : float\n    A number."


def test_what_has_no_docstring_stays_as_it_is():
    assert described(**SHARED)(lambda: 7)() == 7


def test_texts_that_are_missing_are_an_error():
    with pytest.raises(KeyError, match="x"):

        @described(y="y : int")
        def other(x):
            """Do nothing.

            {x}
            """
