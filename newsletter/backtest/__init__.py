"""What past issues of a list would have held, and how many of the papers that mattered were in them."""

from newsletter.backtest.recordings import Recordings
from newsletter.backtest.replay import replayed
from newsletter.backtest.results import SHARES, BacktestResult, DayResult, Reach

__all__ = ["SHARES", "BacktestResult", "DayResult", "Reach", "Recordings", "replayed"]
