"""The checks of scikit-learn for estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from flowers.learning.naive_bayes import CalibratedNB
from flowers.learning.sdca import StreamedSVC
from flowers.learning.svm import GramSVC

# Variants of an estimator, for the checks that depend on how a model learns and predicts. The
# others concern the class (names, tags, parameters, kinds of input). The first is the default.
VARIANTS = [
    GramSVC(kernel="linear", standardise=False, multiclass="ovr"),
    GramSVC(kernel="linear"),
    StreamedSVC(multiclass="ovr", standardise=False),
    CalibratedNB(reduce="pca", components=5),
    CalibratedNB(reduce="lda", components=5),
]
LEARNING = """
    check_classifiers_classes check_classifiers_one_label check_classifiers_train
    check_decision_proba_consistency check_dict_unchanged check_dont_overwrite_parameters
    check_estimators_dtypes check_estimators_nan_inf check_estimators_pickle
    check_f_contiguous_array_estimator check_fit2d_1feature check_fit2d_1sample
    check_fit_idempotent check_methods_sample_order_invariance check_methods_subset_invariance
    check_n_features_in check_readonly_memmap_input
""".split()
EXPECTED_FAILURES = {
    "check_fit2d_1feature": "three rows of a class are refused: they cannot fill five folds"
}


def make_cases(estimators):
    """Arguments of ``pytest.mark.parametrize`` for all checks."""
    mark = parametrize_with_checks(estimators, expected_failed_checks=lambda _: EXPECTED_FAILURES)
    return mark.args[0], list(mark.args[1]), mark.kwargs


def select_learning(cases):
    """The cases whose check is in ``LEARNING``, without the variants of a check."""
    checks = [getattr(case, "values", case)[1] for case in cases]
    selected = [
        case
        for case, check in zip(cases, checks, strict=True)
        if check.func.__name__ in LEARNING and not check.keywords
    ]
    assert len(selected) == len(LEARNING) * len(VARIANTS)
    return selected


NAMES, CASES, OPTIONS = make_cases([GramSVC(), CalibratedNB(), StreamedSVC()])
VARIANT_CASES = select_learning(make_cases(VARIANTS)[1])


@pytest.mark.slow
@pytest.mark.parametrize(NAMES, CASES + VARIANT_CASES, **OPTIONS)
def test_estimators_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
