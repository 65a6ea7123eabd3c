"""The views of schema ``analysis``: what customer analytics and the market say, in SQL that DuckDB and PostgreSQL both run."""
