"""The live page: one chart a sensor type over one time axis, raw readings and window aggregates together."""
