"""What has changed in a series, since when, and where it is going.

Belongs here: changes of level, slopes, and the noise that both are held against.

Must not be here: what is unusual at one moment (`methods`), and what comes next (`forecasting`).
"""

from airis_mon.analyzer.trends.changes import Change, changes
from airis_mon.analyzer.trends.slope import Slope
from airis_mon.analyzer.trends.trend import Trend, trend

__all__ = ["Change", "Slope", "Trend", "changes", "trend"]
