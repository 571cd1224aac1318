"""What holds for every test."""

from hypothesis import settings

# How long an example takes says nothing about the code on a box that does something else at the same time.
settings.register_profile("hearthbot", deadline=None)
settings.load_profile("hearthbot")
