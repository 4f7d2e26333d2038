"""Which papers past issues of a list would have held, and how many of the most upvoted ones."""

from newsletter.backtest.recordings import Recordings
from newsletter.backtest.replay import replayed
from newsletter.backtest.results import SHARES, BacktestResult, DayResult, Reach

__all__ = ["SHARES", "BacktestResult", "DayResult", "Reach", "Recordings", "replayed"]
