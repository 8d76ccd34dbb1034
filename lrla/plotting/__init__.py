"""Pictures, drawn with matplotlib on axes of yours or new ones, which are returned.

What a bandit has cost, after the figures of Khodak, Chow, Balcan and Talwalkar, "Learning to relax"
(ICLR 2024): `work_left` and `regret`; what it has chosen: `arm_shares` and `choices`.
"""

from lrla.plotting._bandits import arm_shares, choices, regret, work_left

__all__ = ["arm_shares", "choices", "regret", "work_left"]
