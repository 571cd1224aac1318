"""Cuts a long Markdown text into messages that each stand by themselves. Pure: no I/O, no clock."""
