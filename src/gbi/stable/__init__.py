"""Frozen interfaces: a version never loses or changes a name."""
