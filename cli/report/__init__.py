"""Writes the report: everything that is stored, as one HTML file that needs no network."""
