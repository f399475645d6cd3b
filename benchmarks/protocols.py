"""The recipes that are compared on real photos, as params."""

LEARNED = {
    "flatten.features": "[fisher]",
    "train_svm.kernel": "linear",
    "train_svm.standardise": "false",
    "train_svm.multiclass": "ovr",
    "train_svm.mirror": "true",
    "train_svm.C": 2.0,
    "train_nb.reduce": "lda",
}
SMALL = LEARNED | {
    "resize.size": 128,
    "codebook.scales": "[1.0,0.7071,0.5]",
    "codebook.words": 96,
}
LARGE = LEARNED | {
    "resize.size": 192,
    "codebook.scales": "[1.0,0.7071,0.5,0.3536]",
    "codebook.words": 256,
}
RECIPES = {
    "pixels": {"flatten.features": "[pixels]"},
    "pixels, C chosen": {
        "flatten.features": "[pixels]",
        "train_svm.C": "[0.1,0.3,1,3,10,30]",
    },
    "hog + colour": {"flatten.features": "[hog,colour]"},
    "learned-small": SMALL,
    "learned": LARGE,
}
# Name of the experiment: recipe and split.
PROTOCOLS = {
    "seed-protocol": ("pixels", "random"),
    "honest": ("pixels", "grouped"),
    "tuned": ("pixels, C chosen", "grouped"),
    "leaky-features": ("hog + colour", "random"),
    "honest-features": ("hog + colour", "grouped"),
    "leaky-small": ("learned-small", "random"),
    "learned-small": ("learned-small", "grouped"),
    "leaky-learned": ("learned", "random"),
    "learned": ("learned", "grouped"),
}
