"""What the pages share: the frame, the controls, the stage, figures, tables. Knows the engine, never a page."""
