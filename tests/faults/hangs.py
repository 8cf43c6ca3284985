"""An agent that writes what nobody else knows, and then works for ever."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

Path("work.txt").write_text(uuid.uuid4().hex)
time.sleep(3_600)
