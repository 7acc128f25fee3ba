"""A class: a teacher asks a question of a set-up, students commit to an answer, and all see the outcome together."""
