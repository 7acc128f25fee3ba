"""The stage: a component of our own that shows how a race moves. ``stage.py`` is what pages call."""
