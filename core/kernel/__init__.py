"""What every district speaks in: money, time, ids, errors. Pure."""
