"""Spark jobs: read → transform → write; every transform is a pure DataFrame → DataFrame function."""
