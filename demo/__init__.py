"""A simulated county whose true demand and true churn are known: the demo and the tests run on it."""
