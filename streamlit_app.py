"""Home: what the playground is, a race that plays, and three ways in."""

import streamlit as st

from ui.class_room.join import follow_link, join_form
from ui.draw.theme import theme
from ui.frame import PAGES, frame
from ui.home.race_picture import race_picture
from ui.home.story_list import story_list
from ui.home.ways import embed_code, style

with frame("Home"):
    style()
    follow_link()
    words, picture = st.container(key="home-top").columns([5, 6], gap="medium", vertical_alignment="center")
    with words:
        st.title("The optimizer playground", anchor=False)
        st.markdown(
            "An optimizer is a rule that computes each step from the slope of a loss: here you start several of them"
            " at one point, watch how they move, change a setting, and see why one reaches the minimum and another"
            " does not."
        )
        st.caption(
            "Why to trust it: tests hold the update rules to those of PyTorch and optax, step by step, and a benchmark"
            " compares the speed with theirs."
        )
    with picture:
        race_picture()

    start, play, teach = st.container(key="home-ways").columns([10, 8, 7], gap="medium")
    with start.container(key="home-start"):
        st.subheader("Start here", anchor=False)
        story_list()
    with play.container(key="home-play"):
        st.subheader("Play", anchor=False)
        for page in PAGES[1:]:
            small, about = st.columns([2, 5], gap="small", vertical_alignment="center")
            small.image(page.picture(theme()), alt=f"The page {page.title}, as it opens")
            about.page_link(page.file, label=f"**{page.title}**", icon=page.icon)
            about.caption(page.sentence)
        join_form()
    with teach.container(key="home-teach"):
        st.subheader("Teach", anchor=False)
        st.markdown("**Hold a class**, or **hand out** what you have set: in the menu *Teach*, on every page.")
        st.markdown("**Share a link.** A page's address holds all that you set.")
        st.markdown("**Embed a page.** Any address works, with `embed=true` added:")
        st.code(embed_code(), language=None, wrap_lines=True)
