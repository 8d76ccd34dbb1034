"""A package, so that no other one of this name, which some distributions install, is taken for it."""
