from __future__ import annotations

import pytest

from engine.store import checkpoints
from engine.store.checkpoints import SIZE_MAX, BadCheckpoint, Superseded
from engine.store.claims import Claim
from tests.factories import Ground, candidate, finished


def save(ground: Ground, claim: Claim, value: object) -> None:
    ground.do(
        checkpoints.save,
        claim.item.id,
        claim.stage.id,
        fence=claim.fence,
        epoch=ground.epoch,
        value=checkpoints.encode(value),
        now=ground.now,
    )


def interrupt(ground: Ground) -> None:
    """The engine dies and a new one starts."""
    from engine.store import claims

    ground.epoch += 1
    ground.do(claims.reclaim, ground.plan, ground.epoch, ground.now)


def test_next_attempt_finds_what_an_interrupted_one_saved(ground: Ground) -> None:
    ground.add("a", "b")
    first, other = ground.claim()
    assert first.checkpoint is None
    save(ground, first, {"page": 1})
    save(ground, first, {"page": 2})
    interrupt(ground)
    found = {claim.item.key: claim.checkpoint for claim in ground.claim()}
    assert found == {"a": {"page": 2}, "b": None}
    assert other.item.key == "b"


def test_attempt_that_lost_its_item_saves_nothing(ground: Ground) -> None:
    ground.add("a")
    lost = ground.claim_one()
    save(ground, lost, 1)
    interrupt(ground)
    with pytest.raises(Superseded):
        save(ground, lost, 2)
    now = ground.claim_one()
    with pytest.raises(Superseded):
        save(ground, lost, 3)
    assert now.checkpoint == 1


def test_checkpoint_is_over_when_the_stage_is_done(ground: Ground) -> None:
    ground.add(candidate("a", revision="1"))
    claim = ground.claim_one()
    save(ground, claim, 1)
    ground.end(finished(claim))
    with pytest.raises(Superseded):
        save(ground, claim, 2)
    assert ground.do(checkpoints.prune, 10) == 1
    ground.add(candidate("a", revision="2"))
    assert ground.claim_one().checkpoint is None


def test_reset_stage_begins_without_its_checkpoint(ground: Ground) -> None:
    ground.add(candidate("a", revision="1"))
    save(ground, ground.claim_one(), 1)
    ground.add(candidate("a", revision="2"))
    assert ground.claim_one().checkpoint is None


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "x" * SIZE_MAX])
def test_value_that_cannot_be_saved_is_refused(value: object) -> None:
    with pytest.raises(BadCheckpoint):
        checkpoints.encode(value)
