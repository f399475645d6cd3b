"""The two ways input can be wrong: one photo is set aside, or the run stops."""


class BadInput(ValueError):
    """The run cannot go on; the message names the value, the file and the remedy."""


class Rejected(ValueError):
    """One photo cannot be used; it is reported and set aside.

    Parameters
    ----------
    reason : str
        A short, countable reason, the same for every photo with this fault.
    detail : str, optional
        What is particular to this photo.
    """

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
