"""Numba twins of `lrla.kernels.lp_sensitivity`: one row after the other, in memory made once.

B is held by columns, so that all loops run along its long side, in vector lanes ("reassoc"); NaN
and infinity keep their meaning.
"""

import numpy as np

from lrla._core.jit import jit
from lrla._core.threads import ranges, run

_LANES = {"reassoc", "contract"}
_GRAIN = 16  # problems to one range of a thread
_STEP_SECONDS = 5e-10  # of one step of one problem, for each entry of B times its columns
_PANEL = 512  # rows of B that stay in the L1 and L2 caches while a Gram matrix is summed


def newton(rows, B, p, tol, max_iter, slack):
    """See `lrla.kernels.lp_sensitivity.newton`."""
    return _each(_newton, rows, B, (float(p), tol, max_iter, slack))


def interior(rows, B, tol, max_iter, slack):
    """See `lrla.kernels.lp_sensitivity.interior`."""
    return _each(_interior, rows, B, (tol, max_iter, slack))


def chebyshev(rows, B, tol, max_iter, slack):
    """See `lrla.kernels.lp_sensitivity.chebyshev`."""
    return _each(_chebyshev, rows, B, (tol, max_iter, slack))


def _each(body, rows, B, options):
    k, n = rows.shape
    rows, C = np.ascontiguousarray(rows), np.ascontiguousarray(B.T)
    lower, upper, X = np.zeros(k), np.full(k, np.inf), np.zeros((k, n))

    def part(first, last):
        body(rows, C, *options, first, last, lower, upper, X)

    run(part, ranges(k, _GRAIN), work=k * 10 * B.size * n * _STEP_SECONDS)
    return lower, upper, X


@jit(fastmath=_LANES)
def _start(C, a, x, r, best):
    """Start at the minimum of norm_2(x), for the row a, and return norm_2(a)**2."""
    aa = _dot(a, a)
    for j in range(a.size):
        x[j] = best[j] = a[j] / aa
    _product(C, x, r)
    return aa


@jit
def _tighten(i, below, above, x, lower, upper, best):
    """Keep bounds of problem i that are better than those before, with the x of the lower one."""
    if below > lower[i]:
        lower[i] = below
        for j in range(x.size):  # an assignment of slices would take two seconds to compile
            best[j] = x[j]
    if above < upper[i]:
        upper[i] = above


@jit(fastmath=_LANES)
def _newton(rows, C, p, tol, max_iter, slack, first, last, lower, upper, X):
    n, m = C.shape
    q = p / (p - 1)
    long = np.empty((5, m))
    r, w, goal, dual, wb = long[0], long[1], long[2], long[3], long[4]
    x, z, held = np.empty(n), np.empty(n), np.empty(n)
    G = np.empty((n, n))
    for i in range(first, last):
        a = rows[i]
        aa = _start(C, a, x, r, X[i])
        for _ in range(max_iter):
            peak = _largest(r)
            below = _norm(r, p) ** -p
            _weights(r, peak, p, w)
            _gram(C, w, a, aa, wb, G)
            _factor(G)
            _solve(G, a, z)
            _scale(z, 1 / _dot(a, z))
            _product(C, z, goal)
            s = 0.0
            for j in range(m):
                dual[j] = w[j] * goal[j]
                s += dual[j] * goal[j]
            _scale(dual, 1 / s)
            _adjoint(C, dual, held)
            above = (_norm(dual, q) + slack * _distance(a, held, 1.0)) ** p
            _tighten(i, below, above, x, lower, upper, X[i])
            if not upper[i] > (1 + tol) * lower[i]:
                break
            for j in range(m):
                goal[j] -= r[j]
            step = _line_search(r, goal, peak, p)
            for j in range(n):
                x[j] += step * (z[j] - x[j])
            for j in range(m):
                r[j] += step * goal[j]


@jit(fastmath=_LANES)
def _interior(rows, C, tol, max_iter, slack, first, last, lower, upper, X):
    n, m = C.shape
    long = np.empty((4, m))
    r, y, weight, wb = long[0], long[1], long[2], long[3]
    pairs = np.empty((4, 2 * m))
    u, s, du, ds = pairs[0], pairs[1], pairs[2], pairs[3]
    small = np.empty((5, n))
    x, z, held, along, room = small[0], small[1], small[2], small[3], small[4]
    G = np.empty((n, n))
    for i in range(first, last):
        a = rows[i]
        aa = _start(C, a, x, r, X[i])
        start = _sum(r) / m
        for j in range(m):
            y[j] = 0.0
            u[j] = (abs(r[j]) + r[j]) / 2 + start
            u[m + j] = (abs(r[j]) - r[j]) / 2 + start
        short = False
        for _ in range(max_iter + 1):
            _adjoint(C, y, held)
            t = _dot(held, a) / aa
            _product(C, x, r)
            above = _largest(y) / t + slack * _distance(a, held, 1 / t) if t > 0 else np.inf
            _tighten(i, 1 / _sum(r), above, x, lower, upper, X[i])
            if not upper[i] > (1 + tol) * lower[i]:
                break
            for j in range(m):
                s[j], s[m + j] = 1 - y[j], 1 + y[j]
                weight[j] = 1 / (u[j] / s[j] + u[m + j] / s[m + j])
                du[j] = du[m + j] = 0.0
            _gram(C, weight, a, aa, wb, G)
            _factor(G)
            _solve(G, a, along)
            _towards(C, G, weight, du, a, along, held, z, room, wb, ds)
            _multiply(u, s, du, ds)
            _aim(u, s, du, ds, short)
            _towards(C, G, weight, du, a, along, held, z, room, wb, ds)
            _multiply(u, s, du, ds)
            alpha, beta = 0.9995 * _inside(u, du), 0.9995 * _inside(s, ds)
            short = min(alpha, beta) < 0.1
            for j in range(n):
                x[j] += alpha * (z[j] - x[j])
            for j in range(2 * m):
                u[j] += alpha * du[j]
            for j in range(m):
                y[j] += beta * ds[m + j]


@jit(fastmath=_LANES)
def _towards(C, L, weight, du, a, along, held, x, room, long, ds):
    """Solve the Newton system for targets over slacks: new x, and changes of the slacks."""
    n, m = C.shape
    for j in range(m):
        long[j] = weight[j] * (du[j] - du[m + j])
    _adjoint(C, long, room)
    for j in range(n):
        room[j] -= held[j]
    _solve(L, room, x)
    c = (1 - _dot(a, x)) / _dot(a, along)
    for j in range(n):
        x[j] += c * along[j]
    dy = ds[m:]
    _product(C, x, dy)
    for j in range(m):
        dy[j] = weight[j] * dy[j] - long[j]
        ds[j] = -dy[j]


@jit(fastmath=_LANES)
def _chebyshev(rows, C, tol, max_iter, slack, first, last, lower, upper, X):
    n, m = C.shape
    long = np.empty((4, m))
    r, dr, plus, wb = long[0], long[1], long[2], long[3]
    pairs = np.empty((4, 2 * m))
    u, s, du, ds = pairs[0], pairs[1], pairs[2], pairs[3]
    small = np.empty((5, n))
    x, dx, held, along, lean = small[0], small[1], small[2], small[3], small[4]
    G = np.empty((n, n))
    for i in range(first, last):
        a = rows[i]
        aa = _start(C, a, x, r, X[i])
        c = 1.5 * _largest(r)
        for j in range(m):
            u[j], u[m + j] = 0.5 / (c - r[j]), 0.5 / (c + r[j])
        _scale(u, 1 / _sum(u))
        short = False
        for _ in range(max_iter + 1):
            for j in range(m):
                wb[j] = u[j] - u[m + j]
            _adjoint(C, wb, held)
            t = _dot(held, a) / aa
            above = _sum(wb) / t + slack * _distance(a, held, 1 / t) if t > 0 else np.inf
            _tighten(i, 1 / _largest(r), above, x, lower, upper, X[i])
            if not upper[i] > (1 + tol) * lower[i]:
                break
            stiff = 0.0
            for j in range(m):
                s[j], s[m + j] = c - r[j], c + r[j]
                plus[j] = u[j] / s[j] + u[m + j] / s[m + j]
                wb[j] = u[j] / s[j] - u[m + j] / s[m + j]
                stiff += plus[j]
                du[j] = du[m + j] = 0.0
            _adjoint(C, wb, lean)
            _gram(C, plus, a, aa, wb, G)
            for j in range(n):
                for k in range(j + 1):
                    G[j, k] -= lean[j] * (lean[k] / stiff)
            _factor(G)
            _solve(G, a, along)
            _slide(C, G, du, lean, stiff, a, along, held, dx, dr, ds)
            _multiply(u, s, du, ds)
            _aim(u, s, du, ds, short)
            dc = _slide(C, G, du, lean, stiff, a, along, held, dx, dr, ds)
            _multiply(u, s, du, ds)
            alpha, beta = 0.9995 * _inside(s, ds), 0.9995 * _inside(u, du)
            short = min(alpha, beta) < 0.1
            c += alpha * dc
            for j in range(n):
                x[j] += alpha * dx[j]
            for j in range(m):
                r[j] += alpha * dr[j]
            for j in range(2 * m):
                u[j] += beta * du[j]


@jit(fastmath=_LANES)
def _slide(C, L, du, lean, stiff, a, along, room, dx, dr, ds):
    """Solve it there: changes of x, of B x and of the slacks; return that of c."""
    n, m = C.shape
    excess = -1.0
    for j in range(m):
        excess += du[j] + du[m + j]
        dr[j] = du[j] - du[m + j]
    _adjoint(C, dr, room)
    for j in range(n):
        room[j] = lean[j] * (excess / stiff) - room[j]
    _solve(L, room, dx)
    f = _dot(a, dx) / _dot(a, along)
    for j in range(n):
        dx[j] -= f * along[j]
    _product(C, dx, dr)
    dc = (excess + _dot(lean, dx)) / stiff
    for j in range(m):
        ds[j], ds[m + j] = dc - dr[j], dc + dr[j]
    return dc


@jit(fastmath=_LANES)
def _multiply(u, s, du, ds):
    """Turn targets over slacks into the changes of the multipliers."""
    for j in range(u.size):
        du[j] -= u[j] * (1 + ds[j] / s[j])


@jit(fastmath=_LANES)
def _aim(u, s, du, ds, short):
    """Set targets over slacks by Mehrotra's rule, after the changes of a step without any."""
    alpha, beta = _inside(u, du), _inside(s, ds)
    gap = left = 0.0
    for j in range(u.size):
        gap += u[j] * s[j]
        left += (u[j] + alpha * du[j]) * (s[j] + beta * ds[j])
    mu = gap / (2 * u.size) if short else left**3 / gap**2 / u.size
    second = 0.0 if short else 1.0
    for j in range(u.size):
        du[j] = (mu - second * du[j] * ds[j]) / s[j]


@jit(fastmath=_LANES)
def _inside(x, dx):
    """Return the largest step of at most 1 that keeps x positive."""
    worst = 1.0
    for j in range(x.size):
        worst = max(worst, -dx[j] / x[j])
    return 1 / worst


@jit(fastmath=_LANES)
def _line_search(r, move, peak, p):
    slope, bend = _slopes(r, move, 0.0, peak, p)
    first = abs(slope)
    low, high = 0.0, np.inf
    step = 1 / (p - 1)
    for _ in range(30):
        slope, bend = _slopes(r, move, step, peak, p)
        if abs(slope) <= 0.1 * first:
            break
        if slope < 0:
            low = step
        elif slope > 0:
            high = step
        guess = step - slope / bend
        limit = high if high < np.inf else 4 * low
        step = guess if low < guess < limit else (low + limit) / 2
    return step


@jit(fastmath=_LANES)
def _slopes(r, move, step, peak, p):
    floor = _floor(p)
    slope = bend = 0.0
    e, whole = p - 2, _halves(p - 2)
    for j in range(r.size):
        value = r[j] + step * move[j]
        w = _power(max(abs(value) / peak, floor), e, whole)
        slope += w * value * move[j]
        bend += w * move[j] * move[j]
    return slope, (p - 1) * bend


@jit(fastmath=_LANES)
def _weights(r, peak, p, w):
    floor = _floor(p)
    e, whole = p - 2, _halves(p - 2)
    for j in range(r.size):
        w[j] = _power(max(abs(r[j]) / peak, floor), e, whole)


@jit
def _floor(p):
    return 1e-6 if p < 2 else 1e-14 ** (1 / (p - 2))


@jit(fastmath=_LANES)
def _norm(x, p):
    peak = _largest(x)
    e, whole = p, _halves(p)
    s = 0.0
    for j in range(x.size):
        s += _power(abs(x[j]) / peak, e, whole)
    return peak * s ** (1 / p)


@jit
def _halves(e):
    """Return 2 e if that is a small integer, for which powers are products, else 0."""
    return int(2 * e) if 2 * e == int(2 * e) and abs(e) <= 4 else 0


@jit(fastmath=_LANES)
def _power(x, e, halves):
    if halves == 0:
        return x**e
    y = 1.0
    count = abs(halves)
    if count & 1:
        y = np.sqrt(x)
    if count & 2:
        y *= x
    if count & 4:
        y *= x * x
    if count & 8:
        y *= (x * x) * (x * x)
    return y if halves > 0 else 1 / y


@jit(fastmath=_LANES)
def _largest(x):
    s = nothing = 0.0
    for j in range(x.size):
        s = max(s, abs(x[j]))
        nothing += 0.0 * x[j]  # NaN where there is one, which max passes over
    return s + nothing


@jit(fastmath=_LANES)
def _sum(x):
    """Add up absolute values."""
    s = 0.0
    for j in range(x.size):
        s += abs(x[j])
    return s


@jit(fastmath=_LANES)
def _dot(x, y):
    s = 0.0
    for j in range(x.size):
        s += x[j] * y[j]
    return s


@jit(fastmath=_LANES)
def _scale(x, c):
    for j in range(x.size):
        x[j] *= c


@jit(fastmath=_LANES)
def _distance(a, held, c):
    s = 0.0
    for j in range(a.size):
        d = a[j] - c * held[j]
        s += d * d
    return np.sqrt(s)


@jit(fastmath=_LANES)
def _product(C, x, out):
    n, m = C.shape
    for j in range(m):
        out[j] = C[0, j] * x[0]
    for k in range(1, n):
        c = x[k]
        for j in range(m):
            out[j] += C[k, j] * c


@jit(fastmath=_LANES)
def _adjoint(C, y, out):
    for k in range(C.shape[0]):
        out[k] = _dot(C[k], y)


@jit(fastmath=_LANES)
def _gram(C, w, a, aa, wb, G):
    """Fill the lower triangle of what the definition's `_gram` returns."""
    n, m = C.shape
    G[:] = 0.0
    for begin in range(0, m, _PANEL):
        end = min(begin + _PANEL, m)
        for j in range(n):
            x = wb[begin:end]
            row = C[j, begin:end]
            v = w[begin:end]
            for i in range(end - begin):
                x[i] = row[i] * v[i]
            for k in range(0, j - 2, 4):
                b0, b1 = C[k, begin:end], C[k + 1, begin:end]
                b2, b3 = C[k + 2, begin:end], C[k + 3, begin:end]
                s0 = s1 = s2 = s3 = 0.0
                for i in range(end - begin):
                    s0 += x[i] * b0[i]
                    s1 += x[i] * b1[i]
                    s2 += x[i] * b2[i]
                    s3 += x[i] * b3[i]
                G[j, k] += s0
                G[j, k + 1] += s1
                G[j, k + 2] += s2
                G[j, k + 3] += s3
            for k in range((j + 1) // 4 * 4, j + 1):
                G[j, k] += _dot(x, C[k, begin:end])
    size = 0.0
    for j in range(n):
        size += G[j, j]
    size /= aa
    for j in range(n):
        G[j, j] *= 1 + 1e-14
        for k in range(j + 1):
            G[j, k] += size * a[j] * a[k]


@jit(fastmath=_LANES)
def _factor(G):
    """Overwrite the lower triangle by its Cholesky factor; a lost pivot drops its direction."""
    n = G.shape[0]
    for j in range(n):
        for k in range(j):
            s = G[j, k] - _dot(G[j, :k], G[k, :k])
            G[j, k] = s / G[k, k]
        s = G[j, j] - _dot(G[j, :j], G[j, :j])
        G[j, j] = np.sqrt(s) if s > 0 else 1e150


@jit(fastmath=_LANES)
def _solve(L, b, x):
    n = L.shape[0]
    for j in range(n):
        x[j] = (b[j] - _dot(L[j, :j], x[:j])) / L[j, j]
    for j in range(n - 1, -1, -1):
        s = x[j]
        for k in range(j + 1, n):
            s -= L[k, j] * x[k]
        x[j] = s / L[j, j]
