"""Models behind one interface (`backend.scoring.engine.Forecaster`), and the file that holds one version of them."""
