"""Which of the files of a photograph or a video shows it whole as a still picture."""

LIKENESSES = ("primary", "primary.jpeg", "w1080.jpeg", "w640.jpeg", "w320.jpeg", "poster", "poster.jpeg")
"""Their names, best first."""
