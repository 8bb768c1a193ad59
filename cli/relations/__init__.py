"""The record as relations, tables with named columns that DuckDB reads: for exports, SQL and the report."""
