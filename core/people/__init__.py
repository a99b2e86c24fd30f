"""Who speaks: people, groups and rights, questions and approvals, and who is told of alarms."""
