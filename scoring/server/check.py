"""Try a model before it is served, in a process of its own."""

import multiprocessing

from flowers.base.errors import BadInput
from flowers.learning.persistence import import_classes
from flowers.model.folder import find_model_folder, load_predictor
from scoring.server.scorer import golden_fault
from scoring.server.settings import MODELS

# A model that takes longer to load and to answer its golden photos is not served.
CHECK_SECONDS = 120


def checked(settings):
    """Load the model of the settings and ask it the golden photos, for those about to serve it.

    A model file may raise anything, hang or end its process: that process is a fork, so whoever
    asks lives on and keeps no memory of the model.

    Raises
    ------
    BadInput
        If it should not be served.
    """
    folder = find_model_folder(MODELS, settings.model_dir)
    import_classes()  # once, and not again in each fork
    fork = multiprocessing.get_context("fork")
    answer, told = fork.Pipe(duplex=False)
    process = fork.Process(target=_tell, args=(folder, settings.model_sha256, told), daemon=True)
    process.start()
    told.close()
    try:
        if answer.poll(CHECK_SECONDS):
            fault = answer.recv()
        else:
            fault = f"{folder}: not loaded within {CHECK_SECONDS} s"
    except (EOFError, OSError):
        fault = f"{folder}: loading the model ended its process"
    finally:
        process.kill()
        process.join()
        answer.close()
    if fault:
        raise BadInput(" ".join(fault.split()))  # one line, whatever was raised
    return folder


def _tell(folder, sha256, told):
    told.send(_fault(folder, sha256))


def _fault(folder, sha256):
    try:
        fault = golden_fault(load_predictor(folder, sha256), folder)
    except BadInput as error:
        return str(error)
    except BaseException as error:
        return f"{folder}: {type(error).__name__}: {error}"
    return fault and f"{folder}: {fault}"
