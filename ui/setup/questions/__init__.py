"""The questions that a set-up may ask before its run is shown: what they say, what they accept, and what is right.

A kind of question is one class here. A link asks one by its word and what it is about, such as ``where~Adam~40``. What
is right is computed from the run at hand, so it is right again after every change.

Whoever asks (a page, or a class) needs ``question_of(setup)``: the question's text, the choices or the numbers that an
answer is made of, its outcome given ``Facts`` of a run, and ``is_right``.
"""
