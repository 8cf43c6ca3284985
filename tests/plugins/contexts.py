"""The test kit of plugin authors, by the names that the tests of the project's own plugins use."""

from __future__ import annotations

from engine.kit.trial import TrialCheckpoint as FakeCheckpoint
from engine.kit.trial import TrialContext as FakeContext
from engine.kit.trial import TrialDiscovery as FakeDiscovery
from engine.kit.trial import TrialItem as FakeItem

__all__ = ["FakeCheckpoint", "FakeContext", "FakeDiscovery", "FakeItem"]
