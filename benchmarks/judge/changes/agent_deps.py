HELP = "You are helpful."
CITIES = {"Graz": "fine"}


def lookup(city):
    """Look a city up."""
    if city not in CITIES:
        raise KeyError(f"no such city: {city}")
    return CITIES[city]


def as_prompt(key: str) -> str:
    """Return the question."""
    return f"What about {key}?"


def errors_of(text):
    """Count."""
    count = 0
    for line in text.splitlines():
        if "error" in line:
            count += 1
    return count
