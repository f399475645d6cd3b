"""The scorer as a service: python -m scoring.server (settings are environment variables)."""

import signal

if __name__ == "__main__":
    # First of all, because the imports below take a second: a SIGHUP that arrives earlier stays
    # pending for the thread that reloads, and PID 1 of a container ignores a SIGTERM that it does
    # not handle. Worker processes import this file as well, and need nothing of it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    from scoring.server.process import main

    main()
