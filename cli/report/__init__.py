"""The report: everything that is kept, as one HTML file that needs no network."""
