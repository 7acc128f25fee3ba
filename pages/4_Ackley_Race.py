"""Several optimizers leave one point together, on Ackley's function or another: who finds the deepest hole?"""

from ui.frame import frame, theme

with frame("Ackley Race"):  # to be read while the imports below load
    import streamlit as st

    from engine.endings import verdicts
    from engine.notebook import REPLAYS
    from ui.controls import show_notes
    from ui.race.basins import show_basins
    from ui.race.controls import CONTROLS, choose_view, loss_axis, sidebar
    from ui.race.fair import show_fair
    from ui.race.rates import show_rates
    from ui.race.view import replaying, run, show_landscape, show_stage
    from ui.results import download, show_cards, show_leaderboard

    setup, notes = CONTROLS.current()
    show_notes(notes)
    show_landscape(setup)
    if replaying(setup):
        st.info(REPLAYS[setup.replay].about)

    choose_view()
    with st.spinner("Getting the race ready. The first one on a new server takes a few seconds."):
        traces, looks = run(setup)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        CONTROLS.look_for(setup)
        log = setup.show == "race" and loss_axis(setup)
    if setup.show == "rates":
        show_rates(setup, looks, theme())
    elif setup.show == "basins":
        show_basins(setup, traces, looks, theme())
    elif setup.show == "fair":
        show_fair(setup, theme())
    else:
        show_stage(setup, traces, looks, theme(), log)
    sidebar(setup, theme())

    if setup.show == "race":
        st.subheader("How each one ended", anchor=False)
        ground = setup.ground
        show_leaderboard(traces, verdicts(ground.loss, traces, ground.minima), ground.minima, looks, theme())
        download(traces, "xy")
    CONTROLS.keep(setup)

    st.subheader("How they move", anchor=False)
    show_cards(CONTROLS, setup.racers)
