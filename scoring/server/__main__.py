"""Run the scorer: python -m scoring.server (settings are environment variables)."""

import signal

if __name__ == "__main__":  # worker processes import this file too
    # Before the imports, which take a second: an early SIGHUP waits for the thread that reloads.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})

    from scoring.server.process import main

    main()
