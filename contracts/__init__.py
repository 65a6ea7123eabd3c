"""The tables, the words and the errors that every other room shares; knows nothing of the rest."""
