"""The libraries beside us, each behind one function that imports it when called.

A peer takes the data as given and returns NumPy arrays. Where it has options, these are the ones
that its own documentation recommends for the problem; a benchmark that wants others says so.
"""

from __future__ import annotations

import numpy as np


def lstsq_gelsd(A, b):
    """Solve by LAPACK's divide-and-conquer SVD: SciPy's default, and the yardstick here."""
    from scipy.linalg import lstsq

    return lstsq(A, b, lapack_driver="gelsd", check_finite=False)[0]


def lstsq_gelsy(A, b):
    """Solve by LAPACK's QR with column pivoting."""
    from scipy.linalg import lstsq

    return lstsq(A, b, lapack_driver="gelsy", check_finite=False)[0]


def lstsq_numpy(A, b):
    """Solve by NumPy, whose LAPACK driver is gelsd, too."""
    return np.linalg.lstsq(A, b, rcond=None)[0]


def lstsq_sklearn(A, b):
    """Solve by scikit-learn's LinearRegression, without intercept."""
    from sklearn.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False).fit(A, b).coef_


def lstsq_lsqr(A, b, tol=1e-14, max_iter=10_000):
    """Solve by LSQR, without preconditioner."""
    from scipy.sparse.linalg import lsqr

    return lsqr(A, b, atol=tol, btol=tol, conlim=0, iter_lim=max_iter)[0]


def lstsq_lsmr(A, b, tol=1e-14, max_iter=10_000):
    """Solve by LSMR, without preconditioner."""
    from scipy.sparse.linalg import lsmr

    return lsmr(A, b, atol=tol, btol=tol, conlim=0, maxiter=max_iter)[0]


def ridge_sklearn(A, b, ridge):
    """Solve a ridge problem by scikit-learn's Cholesky solver."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=ridge, fit_intercept=False, solver="cholesky").fit(A, b).coef_


def countsketch_scipy(A, d, seed=0):
    """Sketch by SciPy's Clarkson-Woodruff transform."""
    from scipy.linalg import clarkson_woodruff_transform

    return clarkson_woodruff_transform(A, d, rng=seed)


def sparse_times_dense(S, A):
    """Multiply a SciPy CSC matrix, made before the clock starts, with a dense matrix."""
    return S @ A


def gaussian_sklearn(A, d, seed=0):
    """Sketch the rows by a stored Gaussian matrix."""
    from sklearn.random_projection import GaussianRandomProjection

    return GaussianRandomProjection(d, random_state=seed).fit_transform(A.T).T


def sparse_sklearn(A, d, seed=0):
    """Sketch the rows by a stored matrix of few signs, as dense as its authors recommend."""
    from sklearn.random_projection import SparseRandomProjection

    return SparseRandomProjection(d, random_state=seed).fit_transform(A.T).T


def srtt_scipy(A, d, seed=0):
    """Sketch by random signs, SciPy's cosine transform of all rows, and a sample of them."""
    from scipy.fft import dct

    random, m = np.random.default_rng(seed), A.shape[0]
    Y = dct(random.choice([-1.0, 1.0], m)[:, None] * A, axis=0, norm="ortho")
    return np.sqrt(m / d) * Y[random.choice(m, d, replace=False)]


def fwht_simd(x):
    """Transform the contiguous axis by fht-cpu, the bandwidth-bound SIMD reference, in place."""
    from fht_cpu import fht

    return fht(x)


def normals_numpy(n, seed=0):
    """Draw float32 normals by NumPy's default generator."""
    return np.random.default_rng(seed).standard_normal(n, dtype=np.float32)


def choice_numpy(scores, size):
    """Draw with replacement by NumPy's generator."""
    return np.random.default_rng(7).choice(len(scores), size, p=scores / scores.sum())


def choice_numpy_without(scores, size):
    """Draw one after the other without replacement by NumPy's generator."""
    p = scores / scores.sum()
    return np.random.default_rng(7).choice(len(scores), size, replace=False, p=p)


def leverage_qr(A):
    """Compute leverage scores from the orthonormal factor of NumPy's QR."""
    return np.sum(np.linalg.qr(A)[0] ** 2, axis=1)


def leverage_r(A):
    """Compute leverage scores from the triangular factor of SciPy's QR and a triangular solve."""
    from scipy.linalg import qr, solve_triangular

    (R,) = qr(A, mode="r", check_finite=False)
    return np.sum(
        solve_triangular(R[: A.shape[1]], A.T, trans="T", check_finite=False) ** 2, axis=0
    )


def leverage_inverse(A):
    """Compute leverage scores as user code often does, by an explicit inverse."""
    return np.einsum("ij,jk,ik->i", A, np.linalg.inv(A.T @ A), A, optimize=True)


def leverage_statsmodels(A):
    """Compute leverage scores by the influence measures of statsmodels."""
    from statsmodels.regression.linear_model import OLS

    return OLS(A[:, 0], A).fit().get_influence().hat_matrix_diag


def leverage_sparse(A):
    """Compute leverage scores of sparse rows by SciPy: the inverse Gram matrix times all rows."""
    rows = A @ np.linalg.inv((A.T @ A).toarray())
    return np.asarray(A.multiply(rows).sum(axis=1)).ravel()


def projection_dppy(V):
    """Return a function that draws from the projection process of V by DPPy's Gram-Schmidt."""
    from dppy.finite_dpps import FiniteDPP

    process = FiniteDPP("correlation", True, K_eig_dec=(np.ones(V.shape[1]), V))
    return lambda: process.sample_exact(mode="GS")


def sensitivity_linprog(A, i, p):
    """Solve the problem of one row's sensitivity by SciPy's linear programs, p = 1 or infinity."""
    from scipy.optimize import linprog

    m, n = A.shape
    k = m if p == 1 else 1  # one bound for each residual, or one for all
    bound = -np.eye(m) if p == 1 else -np.ones((m, 1))
    done = linprog(
        np.append(np.zeros(n), np.ones(k)),
        A_ub=np.block([[A, bound], [-A, bound]]),
        b_ub=np.zeros(2 * m),
        A_eq=np.append(A[i], np.zeros(k))[None],
        b_eq=[1],
        bounds=[(None, None)] * n + [(0, None)] * k,
    )
    return 1 / done.fun


def sor_pyamg(A, x, b, omega, sweeps):
    """Sweep in place by PyAMG's SOR."""
    from pyamg.relaxation.relaxation import sor

    sor(A, x, b, omega, iterations=sweeps)


def cg_scipy(A, b, rtol):
    """Solve by SciPy's conjugate gradients, without preconditioner."""
    from scipy.sparse.linalg import cg

    return cg(A, b, rtol=rtol)[0]


def ruge_stuben_pyamg(A, b, rtol):
    """Solve by PyAMG's classical multigrid, its setup included."""
    from pyamg import ruge_stuben_solver

    return ruge_stuben_solver(A).solve(b, tol=rtol)


def smoothed_aggregation_pyamg(A, b, rtol):
    """Solve by PyAMG's smoothed aggregation in conjugate gradients, its setup included."""
    from pyamg import smoothed_aggregation_solver

    return smoothed_aggregation_solver(A).solve(b, tol=rtol, accel="cg")


def lad_linprog(A, b):
    """Minimise absolute deviations by SciPy's linear programming with HiGHS."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack

    m, n = A.shape
    equal = hstack((csr_array(A), eye_array(m), -eye_array(m)), format="csr")
    cost = np.concatenate([np.zeros(n), np.ones(2 * m)])
    bounds = [(None, None)] * n + [(0, None)] * (2 * m)
    return linprog(cost, A_eq=equal, b_eq=b, bounds=bounds, method="highs").x[:n]


def lad_sklearn(A, b):
    """Fit the median by scikit-learn's QuantileRegressor, without penalty and intercept."""
    from sklearn.linear_model import QuantileRegressor

    return QuantileRegressor(alpha=0, fit_intercept=False, solver="highs").fit(A, b).coef_


def lad_statsmodels(A, b):
    """Fit the median by statsmodels' QuantReg."""
    from statsmodels.api import QuantReg

    return QuantReg(b, A).fit(q=0.5, max_iter=5000).params


def huber_statsmodels(A, b, scale=1.0):
    """Fit Huber's loss at a given scale by statsmodels' RLM."""
    from statsmodels.api import RLM

    return RLM(b, A).fit(update_scale=False, start_scale=scale, tol=1e-8).params


def p_norm_cvxpy(A, b, p, constraints=None):
    """Minimise a p-norm by cvxpy with Clarabel, compilation included."""
    import cvxpy

    x = cvxpy.Variable(A.shape[1])
    held = [] if constraints is None else [constraints[0] @ x == constraints[1]]
    cvxpy.Problem(cvxpy.Minimize(cvxpy.pnorm(A @ x - b, p)), held).solve(solver=cvxpy.CLARABEL)
    return x.value


def penalized_cvxpy(A, b, p, l1):
    """Minimise a sum of p-th powers, or the maximum, and a lasso penalty by cvxpy with Clarabel."""
    import cvxpy

    x = cvxpy.Variable(A.shape[1])
    r = A @ x - b
    loss = cvxpy.max(cvxpy.abs(r)) if np.isinf(p) else cvxpy.sum(cvxpy.power(cvxpy.abs(r), p))
    cvxpy.Problem(cvxpy.Minimize(loss + l1 * cvxpy.norm1(x))).solve(solver=cvxpy.CLARABEL)
    return x.value


def penalized_sklearn(A, b, p, l1):
    """Fit the lasso by scikit-learn, or the median with its penalty; no other p is there.

    Coordinate descent has the tolerance of its objective that it needs to have zeros right.
    """
    from sklearn.linear_model import Lasso, QuantileRegressor

    alpha, plain = l1 / (2 * len(b)), {"fit_intercept": False}
    if p == 1:
        return QuantileRegressor(alpha=alpha, solver="highs", **plain).fit(A, b).coef_
    if p != 2:
        raise NotImplementedError(f"scikit-learn has no lasso for p = {p}")
    return Lasso(alpha=alpha, tol=1e-10, max_iter=100_000, **plain).fit(A, b).coef_


def lse_lapack(A, b, p, constraints):
    """Solve least squares with linear equations by LAPACK's gglse; no other p is there."""
    from scipy.linalg import lapack

    if p != 2:
        raise NotImplementedError(f"gglse is for p = 2, got {p}")
    return lapack.dgglse(A, constraints[0], b, constraints[1])[3]


def interp_decomp(A, rank):
    """Decompose by SciPy's interpolative module; return columns and all coefficients."""
    from scipy.linalg import interpolative

    index, proj = interpolative.interp_decomp(A, rank)
    return index[:rank], interpolative.reconstruct_interp_matrix(index, proj)


def kernel_leverage_dppy(X, gamma, ridge, oversample=10, seed=0):
    """BLESS of DPPy, whose sample is then put to use for the scores of all points."""
    from dppy.bless import bless, estimate_rls_bless
    from sklearn.gaussian_process.kernels import RBF

    kernel = RBF(length_scale=(2 * gamma) ** -0.5)
    sample = bless(X, kernel, ridge, oversample, random_state=seed, verbose=False)
    return estimate_rls_bless(sample, X, kernel, ridge)


def kernel_pca_sklearn(X, rank, gamma):
    """Fit scikit-learn's KernelPCA with the way back."""
    from sklearn.decomposition import KernelPCA

    return KernelPCA(rank, kernel="rbf", gamma=gamma, fit_inverse_transform=True).fit(X)


def nystroem_sklearn(X, rank, gamma, seed=0):
    """Compute Nystrom features by scikit-learn, whose landmarks are uniform."""
    from sklearn.kernel_approximation import Nystroem

    return Nystroem(gamma=gamma, n_components=rank, random_state=seed).fit_transform(X)


def incremental_pca(A, rank):
    """Follow principal components over batches of rows by scikit-learn."""
    from sklearn.decomposition import IncrementalPCA

    return IncrementalPCA(rank).fit(A).components_.T


def svd_arpack(A, rank):
    """Find leading singular triplets by ARPACK, to its full accuracy."""
    from scipy.sparse.linalg import svds

    U, s, Vh = svds(A, k=rank, solver="arpack", random_state=7)
    return U[:, ::-1], s[::-1], Vh[::-1]


def eigh_arpack(A, rank, rtol):
    """Find leading eigenpairs of a symmetric matrix by ARPACK."""
    from scipy.sparse.linalg import eigsh

    return eigsh(A, rank, tol=rtol, v0=np.random.default_rng(7).standard_normal(A.shape[0]))


def svd_propack(A, rank):
    """Find leading singular triplets by PROPACK, to its full accuracy."""
    from scipy.sparse.linalg import svds

    U, s, Vh = svds(A, k=rank, solver="propack", random_state=7)
    order = np.argsort(-s)
    return U[:, order], s[order], Vh[order]


def svd_sklearn(A, rank, n_iter="auto"):
    """Find leading singular triplets by scikit-learn's randomized subspace iteration."""
    from sklearn.utils.extmath import randomized_svd

    return randomized_svd(A, rank, n_iter=n_iter, random_state=7)


def jacobi_ensemble_dppy(size, dim):
    """Return a function that draws from DPPy's ensemble of uniform weight, and its multi-indices."""
    from dppy.multivariate_jacobi_ope import MultivariateJacobiOPE

    process = MultivariateJacobiOPE(size, np.zeros((dim, 2)))
    return process.sample, np.array(process.ordering)


def circular_ensemble_dppy(size):
    """Return a function that draws eigenphases of a random unitary matrix by DPPy."""
    from dppy.beta_ensembles import CircularEnsemble

    process = CircularEnsemble(2)
    return lambda: process.sample_full_model(size_N=size)


def legendre_products_numpy(X, indices):
    """Evaluate products of orthonormal Legendre polynomials: tables by NumPy, gathered."""
    scale = np.sqrt(2 * np.arange(indices.max() + 1) + 1)
    out = 1.0
    for x, k in zip(X.T, indices.T, strict=True):
        out = out * (np.polynomial.legendre.legvander(x, k.max()) * scale[: k.max() + 1])[:, k]
    return out


def legendre_products_scipy(X, indices):
    """Evaluate products of orthonormal Legendre polynomials, each by itself, by SciPy."""
    from scipy.special import eval_legendre

    out = 1.0
    for x, k in zip(X.T, indices.T, strict=True):
        out = out * np.sqrt(2 * k + 1) * eval_legendre(k, x[:, None])
    return out


def induced_quantile_scipy(u, degree):
    """Invert induced distributions of Legendre polynomials: quadrature in SciPy's root finder."""
    from scipy.optimize import elementwise
    from scipy.special import eval_legendre

    x = np.empty(len(u))
    for k in np.unique(degree):
        these = degree == k
        z, w = np.polynomial.legendre.leggauss(k + 1)

        def distribution(t, u, k=k, z=z, w=w):
            half = (t + 1) / 2
            values = eval_legendre(k, half[:, None] * (z + 1) - 1)
            return (2 * k + 1) / 2 * half * (values**2 @ w) - u

        ends = (-np.ones(these.sum()), np.ones(these.sum()))
        x[these] = elementwise.find_root(distribution, ends, args=(u[these],)).x
    return x


def induced_rejection_numpy(degree, rng):
    """Draw from induced distributions of Legendre polynomials by rejection from the arcsine law."""
    from scipy.special import eval_legendre

    x, todo = np.empty(len(degree)), np.arange(len(degree))
    while len(todo):
        k, t = degree[todo], np.cos(np.pi * rng.random(len(todo)))
        density = (2 * k + 1) / 2 * eval_legendre(k, t) ** 2 * np.pi * np.sqrt(1 - t * t)
        kept = 2 * rng.random(len(todo)) < density  # a factor of two suffices: Bernstein
        x[todo[kept]] = t[kept]
        todo = todo[~kept]
    return x
