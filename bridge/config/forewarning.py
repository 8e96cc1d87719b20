"""The section `forewarning`: who is told in advance what goes out on the next day."""

from datetime import time

from pydantic import EmailStr, Field

from bridge.config.calendar import TimeOfDay
from bridge.model import Frozen


class Forewarning(Frozen):
    """Mail to the agency about what goes out on the next day (Vorankündigung), by the mail server of `channels.smtp`."""

    to: tuple[EmailStr, ...] = Field((), max_length=20, description="Who is told; empty: nobody.")
    at: TimeOfDay = Field(time(16, 0), description="Local time of day, in the time zone of the schedule.")
