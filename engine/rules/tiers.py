"""When an action may be taken: at once, after a grace period, or in business hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.contracts.doctor import Tier


def due_at(tier: Tier, now: int, *, grace_s: float, hours: tuple[int, int], zone: ZoneInfo) -> int:
    """When an action of this risk is taken, unless somebody vetoes it before; ms UTC.

    High risk: the first moment of business hours (minutes of the day, Monday to Friday) after the grace period.
    """
    if tier == "low":
        return now
    soon = now + round(grace_s * 1_000)
    if tier == "medium":
        return soon
    start, end = hours
    local = datetime.fromtimestamp(soon / 1_000, UTC).astimezone(zone)
    for days in range(8):
        day = (local + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        if day.weekday() >= 5:
            continue
        opens = day.replace(hour=start // 60, minute=start % 60)
        closes = day.replace(hour=end // 60 % 24, minute=end % 60) + timedelta(days=end // 1_440)
        if local < closes:
            # Through UTC: the clocks may change between now and then.
            return round(max(local, opens).astimezone(UTC).timestamp() * 1_000)
    return soon
