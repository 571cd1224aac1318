"""`python -m bot.cli`, where the program itself is not on the path."""

from bot.cli.main import main

main()
