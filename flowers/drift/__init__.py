"""Does what arrives change: the alarm, its report, and simulations of both."""
