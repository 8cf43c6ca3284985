"""Bugs that are planted to see whether the tests notice: the test of the tests."""
