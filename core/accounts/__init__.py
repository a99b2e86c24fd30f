"""Money that people book: vouchers, credit, prices and days."""
