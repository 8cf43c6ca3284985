"""The styles of the app, which are parsed again only where colours have changed."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class Styles(Stylesheet):
    """Textual's stylesheet, which asks for all styles to be parsed anew more often than anything has changed.

    Textual does so when a theme is set, also at the start, and when a screen is opened for the first time. New sources
    (a widget that is seen for the first time) are parsed by themselves; the others only differ by the variables.
    """

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._has_other_colours = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the colours of a theme."""
        if variables != self._variables:
            super().set_variables(variables)
            self._has_other_colours = True

    def reparse(self) -> None:
        """Parse everything with the colours that were taken."""
        if self._has_other_colours:
            super().reparse()
            self._has_other_colours = False
