"""A quadratic plus absolute values of coefficients: the model of a penalized loss near a point.

Minimise ``z^T H z / 2 - g^T z + sum(kappa * abs(x + T z))`` over z. The dual variables s of the
absolute values lie between -kappa and kappa, with ``H z + T^T s = g``. An interior-point method
finds which coefficients vanish, and a linear system then has the solution to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lrla._core import linalg
from lrla._core.arrays import Array, space_of
from lrla.regression._normal import Normal

_STEPS = 60  # of the interior-point method, at most: 10 to 15 are usual
_BOUNDARY = 0.995  # of the way to the nearest bound
_CENTRED = 0.1  # of the penalty, that coefficients near zero start with
_TRY = 1e-2  # complementarity from which on the system of equations is tried
_FLOOR = 1e-15  # complementarity, where the loss has size one
_OUTSIDE = 1e-9  # of kappa: how far rounding may put a dual variable outside
_CORRECTIONS = 10  # of a guess which coefficients are zero
_INDEPENDENT = 1e-10  # diagonal of a triangle from which on its rows are


@dataclass(frozen=True, slots=True, eq=False)
class Shrunk:
    """The minimum.

    Parameters
    ----------
    z : array of shape (k,)
        Where it is.
    x : array of shape (n,)
        The coefficients there, with zeros that are exact.
    s : array of shape (n,)
        Dual variables, at most kappa in size.
    """

    z: Array
    x: Array
    s: Array


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The function to minimise: see above.

    Parameters
    ----------
    H : array of shape (k, k)
        Positive semidefinite.
    g : array of shape (k,)
        Minus the gradient at z = 0.
    T : array of shape (n, k)
        How coefficients change with z.
    x : array of shape (n,)
        What they are at z = 0.
    kappa : array of shape (n,)
        Positive: penalty of each.
    """

    H: Array
    g: Array
    T: Array
    x: Array
    kappa: Array

    def minimise(self, sign: Array) -> Shrunk:
        """Find the minimum; the signs of coefficients there, zero among them, may be a guess."""
        xp, k = space_of(self.g).xp, self.kappa
        found = self._from_signs(sign)
        if found is not None:  # the usual case near a solution
            return found
        s, z = xp.zeros_like(k), xp.zeros_like(self.g)
        floor = _CENTRED / (k * int(k.shape[0]))
        pairs = xp.stack((xp.maximum(self.x, 0 * k) + floor, xp.maximum(-self.x, 0 * k) + floor))
        room = xp.stack((k, k))  # k - s and k + s: either may be far smaller than s
        tried, last = 2 * _TRY, math.inf
        for _ in range(_STEPS):
            gap = float(xp.sum(pairs * room))
            if gap < tried / 2:
                tried = gap
                zero = xp.max(pairs, axis=0) * k < xp.min(room, axis=0) / k
                found = self._from_signs(xp.where(zero, 0 * k, xp.sign(pairs[0, :] - pairs[1, :])))
                if found is not None:
                    return found
            if gap <= _FLOOR:
                break
            ratio = pairs / room
            q = 1 / (ratio[0, :] + ratio[1, :])
            normal = Normal(self.H + (self.T.T * q) @ self.T)
            left = self.g - self.H @ z - s @ self.T
            dz, ds, dp = self._direction(normal, left, q, pairs, room, -pairs * room)
            dr = xp.stack((-ds, ds))
            t = _longest(pairs, dp, room, dr)
            share, second = 0.5, 0 * dp
            if gap < 0.9 * last:  # else the predictor misleads, and might do so for ever
                ahead = float(xp.sum((pairs + t * dp) * (room + t * dr)))
                share, second = (ahead / gap) ** 3, dp * dr
            mu, last = share * gap / (2 * int(k.shape[0])), gap
            dz, ds, dp = self._direction(normal, left, q, pairs, room, mu - pairs * room - second)
            dr = xp.stack((-ds, ds))
            if not bool(xp.all(xp.isfinite(dz)) & xp.all(xp.isfinite(ds))):
                break
            t = min(_BOUNDARY * _longest(pairs, dp, room, dr), 1.0)
            z, s, pairs, room = z + t * dz, s + t * ds, pairs + t * dp, room + t * dr
        return Shrunk(z, self.x + self.T @ z, self._within(s))

    def _within(self, s: Array) -> Array:
        """Take back what rounding has put outside of the bounds."""
        xp = space_of(s).xp
        return xp.minimum(xp.maximum(s, -self.kappa), self.kappa)

    def _direction(
        self, normal: Normal, left: Array, q: Array, pairs: Array, room: Array, goal: Array
    ) -> tuple[Array, Array, Array]:
        """Return Newton's direction of z, s and the parts of x, to change their products so."""
        xp, own = space_of(q).xp, goal / room
        h = own[0, :] - own[1, :]
        dz = normal.solve(left + (q * h) @ self.T)
        ds = q * (self.T @ dz - h)
        return dz, ds, own + xp.stack((ds, -ds)) * pairs / room

    def _from_signs(self, sign: Array) -> Shrunk | None:
        """Guess which coefficients are zero and which signs others have, and correct the guess.

        What has the other sign at the minimum so found becomes zero, and what is zero there with a
        dual variable outside its bounds gets the sign of that: a semismooth Newton method, which
        may run in circles, but not from near the solution.
        """
        xp = space_of(self.g).xp
        for _ in range(_CORRECTIONS):
            found = self._with_signs(sign)
            if found is None:
                return None
            wrong = found.x * sign < 0
            outside = abs(found.s) > self.kappa * (1 + _OUTSIDE)
            if not bool(xp.any(wrong | outside)):
                return Shrunk(found.z, found.x, self._within(found.s))
            sign = xp.where(wrong, 0 * sign, xp.where(outside, xp.sign(found.s), sign))
        return None

    def _with_signs(self, sign: Array) -> Shrunk | None:
        """Minimise where some coefficients are zero and others have a sign, whether right or not."""
        xp, k = space_of(self.g).xp, int(self.g.shape[0])
        zero = sign == 0
        at = xp.nonzero(zero & xp.any(self.T != 0, axis=1))[0]  # others stay what they are
        count = int(at.shape[0])
        s = xp.where(zero, 0 * self.kappa, sign * self.kappa)
        g, z = self.g - s @ self.T, xp.zeros_like(self.g)
        if count > k:
            return None
        free = None
        if count:
            rows = xp.take(self.T, at, axis=0)
            size = linalg.norm(rows.T, axis=0)
            Q, R = xp.linalg.qr(rows.T / size, mode="complete")
            R = R[:count, :]
            if (
                float(xp.min(abs(xp.sum(R * space_of(R).eye(count, R.dtype), axis=0))))
                < _INDEPENDENT
            ):
                return None
            z = Q[:, :count] @ _solved(R.T, -xp.take(self.x, at) / size, lower=True)
            free = Q[:, count:]
        left = g - self.H @ z
        if count < k:
            if free is None:
                z = z + Normal(self.H).solve(left)
            else:
                z = z + free @ Normal(free.T @ self.H @ free).solve(left @ free)
        left = g - self.H @ z
        x = self.x + self.T @ z
        if count:
            own = _solved(R, left @ Q[:, :count]) / size
            left = left - own @ rows
            s = space_of(s).with_columns(s[None, :], at, own[None, :])[0, :]
            x = xp.where(zero, xp.zeros_like(x), x)
        fits = linalg.norm(left) <= _OUTSIDE * (linalg.norm(self.g) + linalg.norm(s @ self.T))
        return Shrunk(z, x, s) if fits else None


def _solved(R: Array, v: Array, *, lower: bool = False) -> Array:
    return linalg.solve_triangular(R, v[:, None], lower=lower)[:, 0]


def _longest(pairs: Array, dp: Array, room: Array, dr: Array) -> float:
    """Return the longest step, up to one, for which numbers stay positive."""
    xp = space_of(pairs).xp
    return 1 / max(float(xp.max(-dp / pairs)), float(xp.max(-dr / room)), 1.0)
