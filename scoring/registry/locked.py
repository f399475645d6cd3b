"""What a dvc.lock says of the files of a run."""

import yaml

from flowers.base.errors import BadInput

# Of libyaml where PyYAML came with it, which is six times as fast; each check reads a lock anew.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_lock_outputs(lock):
    """MD5 of every output that a dvc.lock names, by path.

    Parameters
    ----------
    lock : str
        The text of dvc.lock.

    Returns
    -------
    dict of str to str
        A folder has the MD5 of its list of files, with DVC's ending ".dir".

    Raises
    ------
    BadInput
        If the text is no dvc.lock.
    """
    try:
        stages = (yaml.load(lock, LOADER) or {}).get("stages") or {}
        outs = [out for stage in stages.values() for out in stage.get("outs", [])]
        return {out["path"]: str(out["md5"]) for out in outs}
    except (AttributeError, KeyError, TypeError, yaml.YAMLError) as error:
        raise BadInput("dvc.lock cannot be read: run dvc repro and commit it") from error
