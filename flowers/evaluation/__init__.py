"""How good the answers are, and which model is the champion."""
