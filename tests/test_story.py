"""The article's story on real processes agrees with the formulas of the costs."""

from __future__ import annotations

import pytest
import story


@pytest.mark.lab
@pytest.mark.long
def test_the_formulas_agree_with_the_story_within_a_tenth():
    played = [story.run(scene) for scene in story.scenes()]
    poll, own, room, *streams = played
    for scene in (poll, own, room):
        assert scene.requests * scene.per_h == pytest.approx(scene.expected, rel=0.1), story.story(played)
        assert scene.queries == pytest.approx(scene.requests, rel=0.03)  # each asks the database once
    for scene in streams:
        assert scene.opened == story.USERS
        assert scene.queries == 0
        assert len(scene.delays_s) == story.USERS * scene.sent  # everybody got everything
    assert poll.delay_s(0.99) > 4
    assert all(scene.delay_s(0.5) < poll.delay_s(0.5) / 5 for scene in (own, room, *streams))
    assert room.requests * room.per_h > 5 * poll.requests * poll.per_h
    told = story.story(played)
    assert all(scene.title in told for scene in played)
