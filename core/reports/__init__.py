"""What the books say: bills, statistics, files, whether they hold; and how the desk itself is."""
