"""The ground floor: what every room above stands on, and nothing that knows an algorithm."""
