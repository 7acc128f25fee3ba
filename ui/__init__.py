"""Everything of the app but the engine, which it knows: the frame, the pages, what is drawn and what can be set."""
