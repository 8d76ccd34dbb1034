"""What a user waits for before the first line of their script."""


class Import:
    """Time of an import statement in a fresh interpreter."""

    def timeraw_import_lrla(self):
        return "import lrla"

    def timeraw_import_numpy(self):
        return "import numpy"

    def timeraw_import_nothing(self):  # what starting the interpreter costs; to be subtracted
        return "pass"
