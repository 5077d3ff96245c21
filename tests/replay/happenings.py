"""Everything that may happen in the small world."""

from hypothesis import strategies as st

from schemas import events as e
from tests.replay.actions import social_events
from tests.replay.story_actions import story_events
from tests.replay.window_actions import moderation_events, window_events

events: st.SearchStrategy[e.Event] = st.one_of(
    social_events, story_events, window_events, window_events, moderation_events
)
