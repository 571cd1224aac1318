"""SQLite: the database with its migrations, and one repository class a table family."""
