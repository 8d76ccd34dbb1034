"""`WeightedLeastSquares`: points, values, a fit and what is said of it."""

import numpy as np
import pytest

from lrla._core.errors import AccuracyWarning
from lrla._core.results import Info, Status
from lrla.approximation import (
    Design,
    Fourier,
    Jacobi,
    StabilityError,
    WeightedLeastSquares,
    basis,
    christoffel_sample,
    christoffel_size,
    empirical_basis,
    stable_design,
    total_degree,
)

LINE = basis("legendre", total_degree(1, 5))  # m = 6
PLANE = basis("legendre", total_degree(2, 4))  # m = 15


def u(X):
    return np.exp(X[:, 0] * X[:, -1])


def inside(space):
    """A function of the space, and its coefficients."""
    c = np.random.default_rng(90210).standard_normal(len(space))
    return c, lambda X: space(X) @ c


@pytest.mark.parametrize("subsample", [None, "greedy", "bss"])
@pytest.mark.parametrize("design", ["repeated_dpp", "volume", "christoffel"])
@pytest.mark.parametrize("space", [LINE, PLANE], ids=["line", "plane"])
def test_functions_of_the_space_are_found(space, design, subsample):
    wanted, f = inside(space)
    model = WeightedLeastSquares(space, design=design, subsample=subsample, rng=7).fit(f)
    np.testing.assert_allclose(model.coef_, wanted, atol=1e-12)
    X = np.random.default_rng(5).uniform(-1, 1, (40, space.dim))
    np.testing.assert_allclose(model.predict(X), f(X), atol=1e-11)
    assert model.certificate
    assert model.result_.status is Status.CONVERGED


@pytest.mark.parametrize("design", ["repeated_dpp", "volume", "christoffel"])
@pytest.mark.parametrize(
    "family",
    [
        "legendre",
        "hermite",
        "laguerre",
        "chebyshev",
        Jacobi(0.5, 2.0),
        Fourier(),
        Fourier(real=True),
    ],
    ids=lambda family: family if isinstance(family, str) else repr(family),
)
def test_every_family(family, design):
    waves = isinstance(family, Fourier)
    space = basis(family, np.arange(-3, 4) if waves else np.arange(7))
    wanted, f = inside(space)
    model = WeightedLeastSquares(space, design=design, rng=7).fit(f)
    np.testing.assert_allclose(model.coef_, wanted, atol=1e-11)
    assert model.certificate
    assert model.predict(model.design_.points[:3]).shape == (3,)
    if waves:  # k_m is constant, and so are the weights
        np.testing.assert_allclose(model.design_.weights, 1)


def test_complex_functions_of_real_values():
    """The coefficients of opposite frequencies are conjugate, and errors are estimated."""
    space = basis(Fourier(), np.arange(-8, 9))

    def f(X):
        return np.exp(np.cos(2 * np.pi * X[:, 0] - 1))

    model = WeightedLeastSquares(space, subsample="greedy", subsample_size=22, rng=7).fit(f)
    np.testing.assert_allclose(model.coef_, model.coef_[::-1].conj(), atol=1e-14)
    X = np.linspace(0, 1, 500, endpoint=False)[:, None]
    error = np.sqrt(np.mean(np.abs(model.predict(X) - f(X)) ** 2))
    assert error / 3 < model.loo_error_ < 10 * error
    assert len(model.design_) == 22


def disc(n, rng):
    radius, angle = np.sqrt(rng.uniform(size=n)), rng.uniform(0, 2 * np.pi, n)
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1)


@pytest.mark.parametrize("design", ["repeated_dpp", "volume", "christoffel"])
def test_functions_under_any_measure(design):
    powers = [(i, j) for i in range(4) for j in range(4 - i)]
    space = empirical_basis(
        lambda X: np.stack([X[:, 0] ** i * X[:, 1] ** j for i, j in powers], axis=1), disc, rng=1
    )
    model = WeightedLeastSquares(space, design=design, rng=7).fit(lambda X: X[:, 0] * X[:, 1] ** 2)
    X = disc(50, np.random.default_rng(2))
    np.testing.assert_allclose(model.predict(X), X[:, 0] * X[:, 1] ** 2, atol=1e-12)
    assert (
        "the functions are orthonormal, which they are up to 0.0" in model.certificate.premises[-1]
    )


def test_the_function_is_asked_once_and_only_at_the_points():
    asked = []

    def f(X):
        asked.append(X)
        return u(X)

    model = WeightedLeastSquares(PLANE, subsample="greedy", rng=7).fit(f)
    assert len(asked) == 1
    np.testing.assert_array_equal(asked[0], model.design_.points)
    assert len(asked[0]) < 30
    assert model.result_.info.n_evaluations == len(asked[0])


def test_errors_are_estimated():
    model = WeightedLeastSquares(PLANE, n_repeats=4, rng=7).fit(u)
    x, w = np.polynomial.legendre.leggauss(30)
    X = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    error = np.sqrt(np.outer(w, w).ravel() / 4 @ (model.predict(X) - u(X)) ** 2)
    assert model.result_.residual_norm < error < model.loo_error_ < 2 * error
    result = model.result_
    mean = np.sqrt(np.mean(model.design_.weights * result.residuals**2))
    assert result.residual_norm == pytest.approx(mean)
    mean = np.sqrt(np.mean(model.design_.weights * result.loo_residuals**2))
    assert model.loo_error_ == pytest.approx(mean)


def test_several_functions_at_once():
    model = WeightedLeastSquares(PLANE, rng=7)
    both = model.fit(lambda X: np.stack((u(X), np.sin(X[:, 0])), axis=1)).result_
    one = model.fit(u).result_
    assert both.coefficients.shape == (15, 2)
    np.testing.assert_allclose(both.coefficients[:, 0], one.coefficients, atol=1e-14)
    assert both.loo_error[0] == pytest.approx(one.loo_error)
    assert both.residual_norm.shape == (2,)
    assert model.fit(lambda X: u(X)[:, None]).coef_.shape == (15, 1)


def test_complex_values():
    model = WeightedLeastSquares(PLANE, rng=7)
    found = model.fit(lambda X: u(X) + 2j * X[:, 0])
    real, imag = model.fit(u).coef_, model.fit(lambda X: 2 * X[:, 0]).coef_
    found = model.fit(lambda X: u(X) + 2j * X[:, 0])
    np.testing.assert_allclose(found.coef_, real + 1j * imag, atol=1e-14)
    assert isinstance(found.loo_error_, float)


def test_points_that_the_user_has():
    X = np.random.default_rng(6).uniform(-1, 1, (400, 2))
    model = WeightedLeastSquares(PLANE)
    model.fit(X, u(X), weights=np.ones(400))
    plain = np.linalg.lstsq(PLANE(X), u(X), rcond=None)[0]
    np.testing.assert_allclose(model.coef_, plain, atol=1e-13)
    model.fit(X, u(X))
    root = np.sqrt(15 / PLANE.christoffel(X))
    weighted = np.linalg.lstsq(root[:, None] * PLANE(X), root * u(X), rcond=None)[0]
    np.testing.assert_allclose(model.coef_, weighted, atol=1e-13)
    assert model.design_.kind == "given"
    assert model.certificate.expected_constant is None
    assert model.certificate.sup_constant < 4


def test_a_design_that_the_user_has():
    design = stable_design(PLANE, rng=7)
    drawn = WeightedLeastSquares(PLANE, rng=7).fit(u)
    np.testing.assert_array_equal(drawn.design_.points, design.points)
    for model in (
        WeightedLeastSquares(PLANE, design=design).fit(u),
        WeightedLeastSquares(PLANE).fit(design, u(design.points)),
    ):
        np.testing.assert_array_equal(model.coef_, drawn.coef_)
        assert model.certificate.expected_constant == drawn.certificate.expected_constant


def test_a_point_where_all_functions_vanish_says_nothing():
    odd = basis("legendre", [[1], [3]])
    X = np.array([[0.0], [0.3], [-0.5], [0.9], [0.7]])
    y = odd(X) @ [1.0, 2.0]
    y[0] = 17.0
    found = WeightedLeastSquares(odd, condition=False).fit(X, y)
    np.testing.assert_allclose(found.coef_, [1, 2], atol=1e-13)


def test_seeds_repeat():
    one, two = (WeightedLeastSquares(PLANE, rng=6021).fit(u) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    again = WeightedLeastSquares(PLANE, rng=one.result_.info.seed).fit(u)
    np.testing.assert_array_equal(one.coef_, again.coef_)
    fresh = WeightedLeastSquares(PLANE).fit(u)
    again = WeightedLeastSquares(PLANE, rng=fresh.result_.info.seed).fit(u)
    np.testing.assert_array_equal(fresh.coef_, again.coef_)


def best(space, f):
    x, w = np.polynomial.legendre.leggauss(200)
    return space(x[:, None]).T @ (w / 2 * f(x[:, None]))


def biases(draws, **arguments):
    """Mean error of each coefficient in standard errors, from medians of means."""
    space = basis("legendre", total_degree(1, 1))

    def f(X):
        return X[:, 0] ** 4 + np.abs(X[:, 0] - 0.3)

    wanted = best(space, f)
    found = np.array(
        [
            WeightedLeastSquares(space, rng=i, **arguments).fit(f).coef_ - wanted
            for i in range(draws)
        ]
    )
    means = found.reshape(16, -1, 2).mean(axis=1)
    deviation = 1.2533 * means.std(axis=0, ddof=1) / 4  # of a median of 16 means
    return np.abs(np.median(means, axis=0)) / deviation


@pytest.mark.statistical
def test_volume_sampling_is_unbiased_and_independent_points_are_not():
    """False alarm below 1e-3: medians of 16 means, 5 standard deviations estimated from them."""
    assert biases(800, design="volume", size=4, condition=False).max() < 5
    assert biases(800, design="christoffel", size=3, condition=False).max() > 5


def test_averages_of_unbiased_estimates():
    model = WeightedLeastSquares(
        LINE, design="volume", size=9, condition=False, n_estimators=40, rng=7
    ).fit(u)
    result = model.result_
    assert result.certificate.unbiased
    assert len(result.design) == 360 == result.info.n_evaluations == result.certificate.n_points
    single = [
        WeightedLeastSquares(LINE, condition=False).fit(
            Design(result.design.points[i : i + 9], result.design.weights[i : i + 9], "volume",
                   Status.CONVERGED, Info()),
            u(result.design.points[i : i + 9]),
        )
        for i in range(0, 360, 9)
    ]  # fmt: skip
    X = np.array([model.coef_ for model in single])
    np.testing.assert_allclose(model.coef_, X.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(result.standard_errors, X.std(axis=0, ddof=1) / 40**0.5, rtol=1e-6)
    noise = sum(model.certificate.noise_factor for model in single)
    assert result.certificate.noise_factor == pytest.approx(noise / 1600)
    assert result.loo_error == pytest.approx(np.sqrt(np.mean([s.loo_error_**2 for s in single])))
    assert result.certificate.lambda_min == min(s.certificate.lambda_min for s in single)


def test_values_that_are_not_finite():
    def broken(X):
        return np.where(X[:, 0] > 0.5, np.nan, u(X))

    model = WeightedLeastSquares(PLANE, design="christoffel", rng=7)
    with pytest.raises(
        ValueError, match=r"NaN or infinity at \d+ of 77 points, numbers .*, \.\.\.,"
    ):
        model.fit(broken)
    points = stable_design(PLANE, "christoffel", rng=7).points
    y = u(points)
    y[3] = np.inf
    with pytest.raises(ValueError, match=r"at 1 of \d+ points, numbers \[3\], which are \[\["):
        model.fit(points, y)
    kept = np.arange(len(y)) != 3
    model = WeightedLeastSquares(PLANE, nan_policy="omit")
    found = model.fit(points, y).result_
    wanted = model.fit(points[kept], y[kept]).result_
    np.testing.assert_array_equal(found.coefficients, wanted.coefficients)
    assert found.certificate.lambda_min == wanted.certificate.lambda_min
    assert found.certificate.n_points == len(found.design) == len(y) - 1
    assert (found.info.n_omitted, wanted.info.n_omitted) == (1, 0)
    model = WeightedLeastSquares(PLANE, design="christoffel", nan_policy="omit", rng=7)
    with pytest.warns(AccuracyWarning, match="the smallest eigenvalue of the Gram matrix is"):
        found = model.fit(broken).certificate
    assert found.expected_constant is None
    assert "left out where" in found.premises[0]


def test_points_that_are_not_stable_warn_if_they_should_be():
    X = np.random.default_rng(8).uniform(-0.5, 0.5, (40, 2))
    with pytest.warns(AccuracyWarning, match="less than 1 - delta = 0.1"):
        WeightedLeastSquares(PLANE).fit(X, u(X))
    assert not WeightedLeastSquares(PLANE, condition=False).fit(X, u(X)).certificate


@pytest.mark.parametrize("m", [1, 4])
def test_as_many_points_as_functions_interpolate(m):
    space = basis("legendre", total_degree(1, m - 1))
    model = WeightedLeastSquares(space, design="volume", size=m, condition=False, rng=9).fit(u)
    np.testing.assert_allclose(model.result_.residuals, 0, atol=1e-12)
    assert model.loo_error_ == np.inf
    assert model.certificate.unbiased


def test_every_array_library(backend):
    X = np.random.default_rng(10).uniform(-1, 1, (120, 2))
    wanted = WeightedLeastSquares(PLANE).fit(X, u(X)).result_
    model = WeightedLeastSquares(PLANE).fit(backend.asarray(X), backend.asarray(u(X)))
    found = model.result_
    np.testing.assert_allclose(
        backend.to_numpy(found.coefficients), wanted.coefficients, atol=1e-13
    )
    assert found.loo_error == pytest.approx(wanted.loo_error)
    assert found.certificate.noise_factor == pytest.approx(wanted.certificate.noise_factor)
    at = backend.to_numpy(model.predict(backend.asarray(X[:7])))
    np.testing.assert_allclose(at, PLANE(X[:7]) @ wanted.coefficients, atol=1e-13)


def test_beyond_the_reach_of_factorizations(monkeypatch):
    from lrla.approximation import _certificate, _solve

    monkeypatch.setattr(_solve, "LARGE", 10)
    monkeypatch.setattr(_certificate, "LARGE", 10)
    model = WeightedLeastSquares(PLANE, design="christoffel", rng=11).fit(u)
    assert model.result_.info.method == "cg"
    assert 0 < model.result_.info.iterations < 60
    assert model.loo_error_ is None
    assert model.certificate.noise_factor is None
    assert "Lanczos" in model.certificate.premises[-1]
    monkeypatch.undo()
    direct = WeightedLeastSquares(PLANE, design="christoffel", rng=11).fit(u)
    np.testing.assert_allclose(model.coef_, direct.coef_, atol=1e-13)
    assert model.certificate.lambda_min == pytest.approx(direct.certificate.lambda_min, rel=1e-6)


def test_ill_conditioned_points_are_solved_by_qr():
    X = np.linspace(-0.01, 0.01, 50)[:, None]
    y = LINE(X) @ np.arange(1.0, 7)
    model = WeightedLeastSquares(LINE, condition=False)
    with pytest.raises(ValueError, match="the points must determine the coefficients"):
        model.fit(1e-3 * X, y)
    for scale, tolerance in ((20, 1e-9), (2, 1e-3)):
        found = model.fit(scale * X, LINE(scale * X) @ np.arange(1.0, 7))
        assert found.result_.info.method == "qr"
        np.testing.assert_allclose(found.coef_, np.arange(1.0, 7), rtol=tolerance)
    assert found.certificate.condition > 1e13  # of the Gram matrix, whose own digits end there


def fit(X=u, y=None, weights=None, space=LINE, **arguments):
    return WeightedLeastSquares(space, rng=7, **arguments).fit(X, y, weights=weights)


GIVEN = christoffel_sample(LINE, 30, rng=13)


def made(weights, points=GIVEN.points):
    """A design that a user made."""
    return {"X": Design(points, weights, "mine", Status.CONVERGED, Info()), "y": np.ones(30)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_estimators": 3}, "condition must be False with n_estimators"),
        ({"n_estimators": 3, "condition": False}, "n_estimators needs design='volume'"),
        (
            {"n_estimators": 3, "condition": False, "design": "volume", "subsample": "greedy"},
            "got design='volume' and subsample='greedy'",
        ),
        ({"n_estimators": 0}, "n_estimators must be an integer, at least 1, got 0"),
        ({"subsample": "random"}, "subsample must be None, 'greedy' or 'bss', got 'random'"),
        ({"subsample_size": 9}, "subsample_size must be None unless subsample"),
        ({"nan_policy": "propagate"}, "nan_policy must be 'raise' or 'omit', got 'propagate'"),
        ({"delta": 1.5}, "delta must be between 0 and 1, got 1.5"),
        ({"design": "grid"}, "design must be one of repeated_dpp, volume, christoffel, got 'grid'"),
        ({"size": 12}, "pass n_repeats"),
        ({"design": GIVEN, "size": 30}, "size and n_repeats must be None with a Design, .* 30 points"),
        ({"design": GIVEN, "n_repeats": 2}, "size and n_repeats must be None .* got None and 2"),
        ({"condition": False, "n_candidates": 3}, "n_candidates must be 1 with condition=False, .* 3"),
        ({"X": GIVEN, "y": np.ones(30), "subsample": "bss"}, "subsample must be None and .* got 'bss' and 1"),
        (
            {"X": GIVEN, "y": np.ones(30), "design": "volume", "condition": False, "n_estimators": 2},
            "n_estimators 1 with points that have values, got None and 2",
        ),
        (made(np.ones(29)), r"one for each of its 30 points, got shape \(29,\)"),
        (made(-np.ones(30)), "weights of a design must be real, finite and not negative"),
        (made(np.full(30, np.nan)), "weights of a design must be real, finite and not negative"),
        (made(1j * np.ones(30)), "weights of a design must be real, finite and not negative"),
        ({"X": np.empty((0, 1)), "y": np.empty(0)}, "at least as many points as functions, got 0 points"),
        ({"X": np.linspace(-1, 1, 9), "y": np.ones(9)}, r"got shape \(9,\); pass X\[:, None\]"),
        (
            {"X": np.linspace(-1, 1, 9), "y": np.ones(9), "weights": np.ones(9)},
            r"got shape \(9,\); pass X\[:, None\]",
        ),
        ({"y": np.ones(3)}, "y and weights must be None if X is a function"),
        ({"X": GIVEN}, "y must be given with points"),
        ({"X": GIVEN, "y": np.ones(30), "weights": np.ones(30)}, "weights must be None if X is a Design"),
        ({"X": GIVEN.points, "y": np.ones(30), "weights": np.zeros(30)}, "weights must be positive"),
        ({"X": GIVEN.points, "y": np.ones(30), "weights": np.ones(29)}, "one for each of 30 points, got 29"),
        ({"X": GIVEN.points, "y": np.ones(29)}, r"y must be one for each of 30 points, got shape \(29,\)"),
        ({"X": lambda X: np.ones(3)}, r"the values of the function must be one for each of 12 points"),
        ({"X": lambda X: X[:, :, None]}, "must have 1 or 2 dimensions"),
        ({"X": GIVEN.points[:5], "y": np.ones(5)}, "as many points as functions, got 5 points for 6"),
        ({"X": np.ones((9, 1)) / 3, "y": np.ones(9)}, "the points must determine the coefficients"),
    ],
)  # fmt: skip
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(**arguments)


def test_functions_that_overflow_are_refused():
    """NaN squares would have had no weight, and their points no say."""
    space = basis("hermite", range(200))
    X = np.linspace(-60, 60, 400)[:, None]
    with pytest.raises(ValueError, match="squares of the functions overflow at points of X; take"):
        WeightedLeastSquares(space).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="functions of basis overflow at the points; take lower"):
        WeightedLeastSquares(space).fit(1e3 * X, X[:, 0], weights=np.ones(400))


def test_an_unstable_design_raises():
    with pytest.raises(StabilityError, match="none of 2 designs of 6 points"):
        fit(design="christoffel", size=6, max_tries=2)


def test_nothing_is_known_before_fit():
    with pytest.raises(AttributeError, match="fit must be called first"):
        _ = WeightedLeastSquares(LINE).coef_


def test_unconditioned_independent_points_are_more():
    model = WeightedLeastSquares(LINE, design="christoffel", condition=False, rng=7).fit(u)
    assert len(model.design_) == christoffel_size(6)


def test_repr_shows_what_differs_from_the_defaults():
    line = repr(LINE)
    assert repr(WeightedLeastSquares(LINE)) == f"WeightedLeastSquares({line})"
    model = WeightedLeastSquares(
        LINE, design="volume", size=9, delta=0.9995, condition=False, n_repeats=None, rng=7
    )
    assert repr(model) == (
        f"WeightedLeastSquares({line}, design='volume', size=9, delta=0.9995, condition=False, rng=7)"
    )
    model = WeightedLeastSquares(LINE, design=stable_design(LINE, rng=7))
    assert "design=Design(points=<array (12, 1)>" in repr(model)


def test_functions_may_change_the_array_that_they_get():
    def halved(X):
        X *= 0.5
        return np.exp(X[:, 0])

    wanted = WeightedLeastSquares(LINE, rng=7).fit(lambda X: np.exp(0.5 * X[:, 0]))
    found = WeightedLeastSquares(LINE, rng=7).fit(halved)
    np.testing.assert_array_equal(found.design_.points, wanted.design_.points)
    np.testing.assert_array_equal(found.coef_, wanted.coef_)


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**1000])
@pytest.mark.parametrize("vector", [True, False])
def test_averages_keep_the_scale_of_the_function(vector, scale):
    def f(X):
        return scale * (u(X) if vector else np.stack((u(X), X[:, 0]), axis=1))

    def fitted(f):
        return WeightedLeastSquares(
            LINE, design="volume", size=9, condition=False, n_estimators=3, rng=7
        ).fit(f).result_  # fmt: skip

    found, plain = fitted(f), fitted(lambda X: f(X) / scale)
    for name in ("coefficients", "standard_errors", "residual_norm", "loo_error"):
        np.testing.assert_allclose(
            getattr(found, name) / scale, getattr(plain, name), rtol=1e-9, atol=1e-13
        )
