"""The recipes and protocols that are compared on real photos.

A recipe is a set of parameters; a protocol is a recipe with a split strategy.
"""

FISHER = {
    "flatten.features": "[fisher]",
    "train_svm.kernel": "linear",
    "train_svm.standardise": "false",
    "train_svm.multiclass": "ovr",
    "train_svm.mirror": "false",  # Fisher vectors are the same for a mirror image
    "train_svm.C": 2.0,
    "train_nb.reduce": "lda",
}
RECIPES = {
    "pixels": {"flatten.features": "[pixels]"},
    "pixels-tuned": {
        "flatten.features": "[pixels]",
        "train_svm.C": "[0.1,0.3,1,3,10,30]",
    },
    "hog-colour": {"flatten.features": "[hog,colour]"},
    "fisher-small": FISHER
    | {
        "resize.size": 128,
        "codebook.scales": "[1.0,0.7071,0.5]",
        "codebook.words": 192,
    },
    "fisher-large": FISHER
    | {
        "resize.size": 192,
        "codebook.scales": "[1.0,0.7071,0.5,0.3536]",
        "codebook.words": 256,
    },
}
# The protocol, which is also the name of its experiment: recipe and split strategy.
PROTOCOLS = {
    f"{recipe}-{strategy}": (recipe, strategy)
    for recipe, strategy in (
        ("pixels", "random"),
        ("pixels", "grouped"),
        ("pixels-tuned", "grouped"),
        ("hog-colour", "random"),
        ("hog-colour", "grouped"),
        ("fisher-small", "random"),
        ("fisher-small", "grouped"),
        ("fisher-large", "random"),
        ("fisher-large", "grouped"),
    )
}
