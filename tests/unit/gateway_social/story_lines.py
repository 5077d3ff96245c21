"""What every endpoint of stories does for every kind of viewer with every kind of story, and what it shows.

`VIEWERS` tells who A, S, P, X, B, M, F, C, L, Z and O are. The follower F replied to every story, reacted to it and saw
it, and each owner counts X, B, C and L among their close friends.
"""

from collections.abc import Mapping

from photolog.ids import EPOCH_MS
from photolog.timestamps import rfc3339
from tests.unit.gateway_social.matrix_lines import ALONE, Line

_AT = rfc3339(EPOCH_MS + 86_400_000)

# fmt: off
#                           A S P X B M F C L Z O
STORY = {
    "public story":        "u + + . . + + + + z +",
    "private story":       "u . . . . + + + . z +",
    "public close story":  "u . . . . . . + + z +",
    "private close story": "u . . . . . . + . z +",
    "ended story":         "u . . . . . . . . z +",
    "ended close story":   "u . . . . . . . . z +",
    "processing story":    "u . . . . . . . . z +",
    "rejected story":      "u . . . . . . . . z +",
    "deleted story":       "u . . . . . . . . z .",
    "taken-down story":    "u . . . . . . . . z .",
    "suspended story":     "u . . . . . . . . z z",
    "orphaned story":      "u . . . . . . . . z u",
}
ONE_STORY = STORY | {  # whoever asks for one of theirs that an operator took down is told so
    "taken-down story":    "u . . . . . . . . z t",
}
_NOBODYS = dict.fromkeys(STORY, "u . . . . . . . . z +") | {
    "suspended story":     "u . . . . . . . . z z",
    "orphaned story":      "u . . . . . . . . z u",
}
OWN_STORY = _NOBODYS | {  # what is asked for is the owner's alone, whoever may see the story
    "deleted story":       "u . . . . . . . . z .",
    "taken-down story":    "u . . . . . . . . z .",
}
ANSWER_STORY = STORY | {  # nobody answers themself
    "public story":        "u + + . . + + + + z i",
    "private story":       "u . . . . + + + . z i",
    "public close story":  "u . . . . . . + + z i",
    "private close story": "u . . . . . . + . z i",
    "ended story":         "u . . . . . . . . z i",
    "ended close story":   "u . . . . . . . . z i",
    "processing story":    "u . . . . . . . . z i",
    "rejected story":      "u . . . . . . . . z i",
}
TAKE_REACTION_BACK = STORY | {  # who reacted may, whatever became of the story
    "public close story":  "u . . . . . + + + z +",
    "private close story": "u . . . . . + + . z +",
    "ended story":         "u . . . . . + . . z +",
    "ended close story":   "u . . . . . + . . z +",
    "processing story":    "u . . . . . + . . z +",
    "rejected story":      "u . . . . . + . . z +",
    "deleted story":       "u . . . . . + . . z .",
    "taken-down story":    "u . . . . . + . . z .",
    "suspended story":     "u . . . . . + . . z z",
    "orphaned story":      "u . . . . . + . . z u",
}
TAKE_REPLY_BACK = dict.fromkeys(STORY, "u . . . . . + . . z +") | {  # who wrote it may, and the story's owner
    "deleted story":       "u . . . . . + . . z .",
    "taken-down story":    "u . . . . . + . . z .",
    "suspended story":     "u . . . . . + . . z z",
    "orphaned story":      "u . . . . . + . . z u",
}
PICTURE = {  # it stays its owner's when the story is gone, if it was not taken down; no story makes it public
    "public story":        ". + + . . + + + + z +",
    "private story":       ". . . . . + + + . z +",
    "public close story":  ". . . . . . . + + z +",
    "private close story": ". . . . . . . + . z +",
    "ended story":         ". + + . . + + + + z +",
    "ended close story":   ". . . . . . . + . z +",
    "processing story":    ". . . . . . . . . z +",
    "rejected story":      ". . . . . . . . . z +",
    "deleted story":       ". . . . . . . . . z +",
    "taken-down story":    ". . . . . . . . . z .",
    "suspended story":     ". . . . . . . . . z z",
    "orphaned story":      ". . . . . . . . . z u",
}
OF_OWNER = {  # what hangs on the account, and is empty where nothing may be seen
    "public story":        "u + + . . + + + + z +",
    "private story":       "u p p . . + + + p z +",
    "public close story":  "u + + . . + + + + z +",
    "private close story": "u p p . . + + + p z +",
    "ended story":         "u + + . . + + + + z +",
    "suspended story":     "u . . . . . . . . z z",
    "orphaned story":      "u . . . . . . . . z u",
}
BEFRIEND = {  # by the viewer, of the owner
    "public story":        "u + + . . + + + + z i",
    "private story":       "u + + . . + + + + z i",
    "suspended story":     "u . . . . . . . . z z",
    "orphaned story":      "u . . . . . . . . z u",
}
KEPT = {  # a highlight outlives its story's day
    "public story":        "u + + . . + + + + z +",
    "private story":       "u . . . . + + + . z +",
    "public close story":  "u . . . . . . + + z +",
    "private close story": "u . . . . . . + . z +",
    "ended story":         "u + + . . + + + + z +",
    "ended close story":   "u . . . . . . + . z +",
    "processing story":    "u . . . . . . . . z +",
    "rejected story":      "u . . . . . . . . z +",
    "deleted story":       "u . . . . . . . . z +",
    "taken-down story":    "u . . . . . . . . z +",
    "suspended story":     "u . . . . . . . . z z",
    "orphaned story":      "u . . . . . . . . z u",
}
KEEP = dict.fromkeys(STORY, "u n n n n n n n n z +") | {  # what is not there is not told from another's
    "processing story":    "u n n n n n n n n z n",
    "rejected story":      "u n n n n n n n n z n",
    "deleted story":       "u n n n n n n n n z n",
    "taken-down story":    "u n n n n n n n n z n",
    "suspended story":     "u n n n n n n n n z z",
    "orphaned story":      "u n n n n n n n n z u",
}
KEEP_AGAIN = _NOBODYS | {
    "processing story":    "u . . . . . . . . z i",
    "rejected story":      "u . . . . . . . . z i",
    "deleted story":       "u . . . . . . . . z i",
    "taken-down story":    "u . . . . . . . . z i",
}
TELL = dict.fromkeys(STORY, "u n n n n n n n n z +") | {
    "taken-down story":    "u n n n n n n n n z i",
    "suspended story":     "u n n n n n n n n z z",
    "orphaned story":      "u n n n n n n n n z u",
}
VIEWED = dict.fromkeys(STORY, "u + + + + + + + + z +") | {  # answered alike, whatever it is about
    "suspended story":     "u + + + + + + + + z z",
    "orphaned story":      "u + + + + + + + + z u",
}

# What is among what a viewer gets.
#                           A S P X B M F C L Z O
IN_TRAY = STORY | {  # of those whom one follows and does not mute, and one's own
    "public story":        "u . . . . . + + . z +",
    "private story":       "u . . . . . + + . z +",
    "public close story":  "u . . . . . . + . z +",
    "private close story": "u . . . . . . + . z +",
    "ended story":         "u . . . . . . . . z .",
    "ended close story":   "u . . . . . . . . z .",
    "processing story":    "u . . . . . . . . z .",
    "rejected story":      "u . . . . . . . . z .",
}
PLAYED = STORY | {
    "private story":       "u p p . . + + + p z +",
    "private close story": "u p p . . . . + p z +",
    "ended story":         "u . . . . . . . . z .",
    "ended close story":   "u p p . . . . . p z .",
    "processing story":    "u . . . . . . . . z .",
    "rejected story":      "u . . . . . . . . z .",
}
AMONG_KEPT = KEPT | {
    "private story":       "u p p . . + + + p z +",
    "private close story": "u p p . . . . + p z +",
    "ended close story":   "u p p . . . . + p z +",
}
IN_KEPT = KEPT | {  # an empty one is its owner's
    "processing story":    "u . . . . . . . . z .",
    "rejected story":      "u . . . . . . . . z .",
    "deleted story":       "u . . . . . . . . z .",
    "taken-down story":    "u . . . . . . . . z .",
}
ARCHIVED = _NOBODYS | {
    "processing story":    "u . . . . . . . . z .",
    "rejected story":      "u . . . . . . . . z .",
    "deleted story":       "u . . . . . . . . z .",
    "taken-down story":    "u . . . . . . . . z .",
}
# fmt: on

STORY_LINES: Mapping[str, Line] = {
    "POST /v1/stories": Line(TELL, {"media_id": "{media_id}"}),
    "GET /v1/stories/{story_id}": Line(ONE_STORY),
    "DELETE /v1/stories/{story_id}": Line(OWN_STORY),
    "POST /v1/stories/views": Line(VIEWED, {"views": [{"story_id": "{story_id}", "at": _AT}]}),
    "GET /v1/stories/{story_id}/viewers": Line(OWN_STORY),
    "GET /v1/stories/tray": ALONE,
    "GET /v1/accounts/{account_id}/stories": Line(OF_OWNER),
    "POST /v1/stories/{story_id}/replies": Line(ANSWER_STORY, {"text": "hi"}),
    "GET /v1/stories/{story_id}/replies": Line(OWN_STORY),
    "DELETE /v1/stories/{story_id}/replies/{reply_id}": Line(TAKE_REPLY_BACK),
    "PUT /v1/stories/{story_id}/reaction": Line(ANSWER_STORY, {"reaction": "🔥"}),
    "DELETE /v1/stories/{story_id}/reaction": Line(TAKE_REACTION_BACK),
    "GET /v1/stories/{story_id}/reactions": Line(OWN_STORY),
    "GET /v1/me/stories/archive": ALONE,
    "PUT /v1/me/close-friends/{account_id}": Line(BEFRIEND),
    "DELETE /v1/me/close-friends/{account_id}": Line(BEFRIEND),
    "GET /v1/me/close-friends": ALONE,
    "POST /v1/highlights": Line(KEEP, {"title": "new", "story_ids": ["{story_id}"]}),
    "GET /v1/highlights/{highlight_id}": Line(KEPT),
    "PUT /v1/highlights/{highlight_id}": Line(KEEP_AGAIN, {"title": "new", "story_ids": ["{story_id}"]}),
    "DELETE /v1/highlights/{highlight_id}": Line(_NOBODYS),
    "GET /v1/accounts/{account_id}/highlights": Line(OF_OWNER),
}
"""Every endpoint of stories: what each viewer is answered."""

STORY_SHOWN: Mapping[str, Line] = {
    "GET /v1/stories/tray": Line(IN_TRAY, mark="{account_id}"),
    "GET /v1/accounts/{account_id}/stories": Line(PLAYED, mark="{story_id}"),
    "GET /v1/stories/{story_id}": Line(ONE_STORY, mark="{story_id}"),
    "GET /v1/stories/{story_id}/viewers": Line(OWN_STORY, mark="{fan_id}"),
    "GET /v1/stories/{story_id}/replies": Line(OWN_STORY, mark="{reply_id}"),
    "GET /v1/stories/{story_id}/reactions": Line(OWN_STORY, mark="{fan_id}"),
    "GET /v1/me/stories/archive": Line(ARCHIVED, mark="{story_id}"),
    "GET /v1/me/close-friends": Line(_NOBODYS, mark="{friend_id}"),
    "GET /v1/highlights/{highlight_id}": Line(IN_KEPT, mark="{story_id}"),
    "GET /v1/accounts/{account_id}/highlights": Line(AMONG_KEPT, mark="{highlight_id}"),
}
"""Every query of stories: whether what the mark stands for is in what each viewer gets."""

VIEWS_TAKEN = (
    STORY
    | {  # nobody's view of their own counts
        kind: letters[:-1] + "." for kind, letters in STORY.items() if letters.endswith("+")
    }
)
"""Whether a view of a story is appended."""
