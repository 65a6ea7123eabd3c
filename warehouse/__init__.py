"""The only room that talks to a database: connect, load, read, and write in one transaction."""
