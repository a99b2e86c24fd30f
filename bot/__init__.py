"""The running desk: commands, the composition root, the one aiohttp server and its loops."""
