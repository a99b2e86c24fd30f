"""The business of Paydesk. Knows neither Telegram nor HTTP servers nor timers nor templates."""
