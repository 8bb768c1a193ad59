"""Draws pictures of a repository's traffic, for a README."""
