"""Going back to what was before a run: which run, which texts, which data. Called by `cli.undo`."""
