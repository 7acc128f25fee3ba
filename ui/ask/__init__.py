"""A question before the run: the visitor commits to an answer, and then sees it beside the outcome."""
