"""What one request may cost, however many photos it has."""

from flowers.base.errors import RejectedImage

# Pixels, and seconds of a processor.
MAX_REQUEST_PIXELS, MAX_REQUEST_SECONDS = 100_000_000, 5


class Budget:
    """What is left for the photos of a request.

    Attributes
    ----------
    pixels : int
    seconds : float
        Taken from by whoever spends them.
    """

    def __init__(self):
        self.pixels, self.seconds = MAX_REQUEST_PIXELS, MAX_REQUEST_SECONDS

    def take(self, pixels):
        """Take pixels for a photo.

        Raises
        ------
        RejectedImage
            If there are not as many, or no seconds are left.
        """
        self.pixels -= pixels
        if self.pixels < 0 or self.seconds < 0:
            raise RejectedImage(
                "too much in one request",
                f"at most {MAX_REQUEST_PIXELS} pixels and {MAX_REQUEST_SECONDS} s are spent on "
                "one: send fewer or smaller photos at a time",
            )
