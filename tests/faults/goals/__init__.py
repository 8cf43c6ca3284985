"""The goals, a module for each kind of fault; each has a list `GOALS`."""
