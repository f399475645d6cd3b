"""The chart of `study.near_duplicate_recall`."""

from matplotlib.figure import Figure

from flowers.base.plots import to_svg

COLOURS = {"colour": "tab:orange", "structure": "tab:green", "crop": "tab:blue"}


def twin_chart(sets):
    """Bars of the copies found, by the first signal that finds them; one panel for each set.

    Parameters
    ----------
    sets : dict of name to dict
        With ``photos``, ``altered`` and ``found``, of `study.near_duplicate_recall`.
    """
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    for ax, (name, result) in zip(axes, sets.items(), strict=True):
        alterations = list(result["found"])
        left = [0.0] * len(alterations)
        for signal in next(iter(result["found"].values())):
            shares = [result["found"][a][signal] for a in alterations]
            ax.barh(alterations, shares, left=left, color=COLOURS[signal], label=signal)
            left = [a + b for a, b in zip(left, shares, strict=True)]
        ax.set(xlim=(0, 1), xlabel="share of copies found")
        ax.set_title(f"{name}: {result['altered']} photos altered")
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return to_svg(figure)
